"""``gensynth show`` and ``gensynth runs``: what searches found, looked at and left as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gensynth.cli.app import app
from gensynth.cli.found import WIDTH, print_results, verdict_on
from gensynth.cli.sources import run_directory
from gensynth.cli.terminal import say
from gensynth.errors import UserError

if TYPE_CHECKING:
    from gensynth.export import Run

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def show(
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN]",
            help="A run directory; the newest under runs/ when not given.",
            show_default=False,
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Print what a finished search found, once more."""
    from gensynth.export import Run

    found = Run(run_directory(run))
    if as_json:
        typer.echo(found.results.model_dump_json())
        return
    print_results(found.results)
    say(f"run directory: {found.path}")


@app.command()
def runs(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="A folder of run directories.")
    ] = Path("runs"),
    *,
    as_json: AsJson = False,
) -> None:
    """List the runs of a folder, the newest first, each with its best network."""
    from gensynth.export import Run, run_directories

    facts = [_facts(Run(path)) for path in run_directories(folder)]
    if as_json:
        typer.echo(json.dumps(facts))
        return
    from rich.table import Table

    from gensynth.cli.terminal import Terminal

    table = Table(box=None, header_style="bold")
    for name in HEADS:
        table.add_column(name.replace("_", " "))
    for one in facts:
        table.add_row(*(str(one[name]) for name in HEADS))
    console = Terminal()
    console.width = max(console.width, WIDTH)
    console.print(table)


HEADS = ("run", "data", "constraint", "satisfied", "parameters", "best", "minutes")


def _facts(run: Run) -> dict[str, Any]:
    """A run in a row. One that cannot be read says why and hides no other."""
    facts: dict[str, Any] = dict.fromkeys(HEADS, "")
    facts["run"] = run.path.name
    try:
        facts["data"] = dict(run.config.get("data") or {}).get("kind", "")
        facts["constraint"] = run.constraint.name
        if not run.finished:
            return {**facts, "satisfied": "not finished"}
        results = run.results
    except UserError as error:
        return {**facts, "satisfied": f"cannot be read: {error.problem}"}
    facts["minutes"] = round(results.seconds.get("total", 0.0) / 60, 1)
    if not results.networks:
        return {**facts, "satisfied": "nothing found"}
    best, metric = results.networks[0], results.task.headline
    figure = best.confirmed or best.search
    value = metric.shown(figure.value(metric)) if figure else ""
    return {
        **facts,
        "satisfied": verdict_on(best),
        "parameters": best.params,
        "best": f"{value} {'confirmed' if best.confirmed else 'in search'}" if figure else "",
    }
