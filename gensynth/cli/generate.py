"""``gensynth generate``: new networks from a saved generator, without training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gensynth.cli.app import app
from gensynth.cli.sources import run_directory
from gensynth.errors import UserError

SUMMARY = "summary.json"


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
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="The folder.")
    ] = Path("generated"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make new networks with a learned generator, without training."""
    span = _span(seeds)
    from gensynth.generator.making import choose, different, make
    from gensynth.genome import save

    path, chosen = choose(run_directory(run), generator)
    networks = list(make(chosen, span, where=str(path)))
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot be made ({error.strerror})", where=str(output)) from error
    for network in networks:
        save(network.genome, output / f"network-{network.seed}.json")
    summary = {
        "generator": str(path),
        "iteration": chosen.iteration,
        "seeds": [span.start, span.stop],
        "networks": len(networks),
        "static_feasible": sum(network.feasible for network in networks) / len(networks),
        "unique": different(networks) / len(networks),
        "params": _quartiles([network.metrics["params"] for network in networks]),
        "macs": _quartiles([network.metrics["macs"] for network in networks]),
        "output": str(output),
    }
    (output / SUMMARY).write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(summary))
    else:
        typer.echo(
            f"{output}: {len(networks)} networks from {path}, "
            f"{summary['static_feasible']:.1%} within every static bound, "
            f"{summary['unique']:.1%} different"
        )


def _span(text: str) -> range:
    first, colon, end = text.partition(":")
    if not colon or not first.isdecimal() or not end.isdecimal() or int(first) >= int(end):
        raise UserError(
            f"{text!r} is no range of seeds", where="--seeds", remedy="write A:B, such as 0:1000"
        )
    return range(int(first), int(end))


def _quartiles(values: list[float]) -> list[float]:
    ordered = sorted(values)
    last = len(ordered) - 1
    return [ordered[round(last * share)] for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
