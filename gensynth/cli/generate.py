"""``gensynth generate``: new networks from a saved generator, without training."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gensynth.cli.app import app
from gensynth.cli.sources import run_directory
from gensynth.cli.terminal import say
from gensynth.errors import UserError

if TYPE_CHECKING:
    from gensynth.generator.making import Made

SUMMARY = "summary.json"
MOST = 100_000
SPAN = re.compile(r"([0-9]{1,18}):([0-9]{1,18})")


@app.command()
def generate(
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN]",
            help="A run directory, the newest under runs/ when not given, or a generator's file.",
            show_default=False,
        ),
    ] = None,
    *,
    generator: Annotated[
        str, typer.Option(metavar="best|N", help="Which of the run's generators.")
    ] = "best",
    seeds: Annotated[
        str, typer.Option(metavar="A:B", help="One network a seed, from A up to B - 1.")
    ] = "0:10",
    max_params: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="At most so many parameters, from the generator that was fitted to that budget.",
            show_default=False,
        ),
    ] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Take what each seed draws first: nothing refused or redrawn."),
    ] = False,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="The folder.")
    ] = Path("generated"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make new networks with a learned generator, without training."""
    span = _span(seeds)
    from gensynth.generator.making import choose, make

    path, chosen = choose(run_directory(run), generator, max_params=max_params)
    networks = make(chosen, span, raw=raw, max_params=max_params, where=str(path))
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot be made ({error.strerror})", where=str(output)) from error
    counts = _save(networks, output)
    summary = {
        "generator": str(path),
        "iteration": chosen.iteration,
        "seeds": [span.start, span.stop],
        "raw": raw,
        **counts,
        "output": str(output),
    }
    _write(output / SUMMARY, json.dumps(summary, indent=1) + "\n")
    beyond = round((1 - summary["static_feasible"]) * len(span))
    if beyond == len(span) and not raw:
        raise UserError(
            f"none of {len(span)} networks is within every static bound; the smallest has "
            f"{summary['params'][0]:,.0f} parameters",
            where=str(output),
            remedy="loosen --max-params, or search with the bound in the constraint",
        )
    if beyond and not raw:
        say(f"{output}: {beyond} networks violate a static bound: none was found", err=True)
    if as_json:
        typer.echo(json.dumps(summary))
    else:
        say(
            f"{output}: {len(span)} networks from {path}, "
            f"{summary['static_feasible']:.1%} within every static bound, "
            f"{summary['unique']:.1%} different, {summary['first_draws']:.1%} first draws"
        )


def _save(networks: Iterator[Made], folder: Path) -> dict[str, Any]:
    """Writes each network as it is made and keeps only its figures."""
    from gensynth.genome import save

    params, macs, feasible, first, new = [], [], [], [], []
    for network in networks:
        save(network.genome, folder / f"network-{network.seed}.json")
        params.append(network.metrics["params"])
        macs.append(network.metrics["macs"])
        feasible.append(network.feasible)
        first.append(network.draw == 0)
        new.append(network.new)
    return {
        "networks": len(feasible),
        "static_feasible": sum(feasible) / len(feasible),
        "unique": sum(new) / len(new),
        "first_draws": sum(first) / len(first),
        "params": _quartiles(params),
        "macs": _quartiles(macs),
    }


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot be written ({error.strerror})", where=str(path)) from error


def _span(text: str) -> range:
    found = SPAN.fullmatch(text)
    first, end = map(int, found.groups()) if found else (0, 0)
    if first >= end:
        raise UserError(
            f"{text[:60]!r} is no range of seeds",
            where="--seeds",
            remedy="write A:B, such as 0:1000",
        )
    if end - first > MOST:
        raise UserError(
            f"{end - first} networks are more than {MOST}",
            where=f"--seeds {text}",
            remedy=f"write a part of them, such as {first}:{first + MOST}",
        )
    return range(first, end)


def _quartiles(values: list[float]) -> list[float]:
    ordered = sorted(values)
    last = len(ordered) - 1
    return [ordered[round(last * share)] for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
