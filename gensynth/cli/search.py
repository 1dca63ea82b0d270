"""``gensynth search``: the whole search in one command."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gensynth.cli.app import Overrides, app
from gensynth.cli.terminal import say

if TYPE_CHECKING:
    from rich.table import Table

    from gensynth.search.results import FoundNetwork, Results

WIDTH = 120
_VERDICTS = {
    "confirmed": "yes",
    "searched": "not confirmed",
    "refuted": "refuted",
    "violated": "no",
    "diverged": "diverged",
}


@app.command()
def search(
    overrides: Overrides = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print results.json, and nothing else, on stdout.")
    ] = False,
) -> None:
    """Search for networks that satisfy a constraint; the same command goes on where it stopped."""
    from gensynth import config
    from gensynth.cli.progress import Display
    from gensynth.experiment import Experiment

    words = list(overrides or [])
    experiment = config.load(Experiment, words)
    from gensynth.search import search as run_search

    command = shlex.join(["gensynth", "search", *map(_shown, words)])
    try:
        with Display() as display:
            results = run_search(experiment, watcher=display, command=command)
    except KeyboardInterrupt:
        say(f"interrupted, everything is kept; go on with: {command}", err=True)
        raise
    _report(results, as_json=as_json)


def _shown(word: str) -> str:
    """A word of the command line without a password."""
    key, equals, url = word.partition("=")
    if key.lstrip("+") != "storage" or not equals:
        return word
    from gensynth.storage_url import public

    return f"{key}={public(url)}"


def _report(results: dict[str, Any], *, as_json: bool) -> None:
    from gensynth.export import Run
    from gensynth.report import write_report

    run = Run(results["run"])
    page = write_report(run, None)
    if as_json:
        typer.echo(json.dumps(results))
        return
    _print(run.results)
    say(f"run directory: {run.path}\nreport: {page}")


def _print(results: Results) -> None:
    from gensynth.cli.terminal import Terminal

    console = Terminal()
    console.width = max(console.width, WIDTH)
    console.print(_table(results))
    counts, minutes = results.counts, results.seconds["total"] / 60
    refused = ", ".join(f"{name} {count}" for name, count in counts.refused.items())
    diverged = f" ({counts.diverged} diverged)" if counts.diverged else ""
    console.print(
        f"trained {counts.trained}, stopped {counts.stopped}{diverged}, failed {counts.failed}; "
        f"refused before training: {refused or 'none'}; {minutes:.1f} minutes"
    )
    if results.ended:
        console.print(f"ended early: {results.ended}", markup=False)
    if not counts.trained:
        console.print("no candidate was trained in full: raise budget, or lower fidelity.rungs")
    elif not any(network.verdict.satisfied for network in results.networks):
        console.print(f"no network satisfies {results.constraint.name} yet")


def _table(results: Results) -> Table:
    from rich.table import Table

    from gensynth.cli.describe import grouped

    metric = results.task.headline
    data = "SYNTHETIC faces" if results.synthetic else results.data
    table = Table(title=f"{results.name} ({data})", box=None, header_style="bold")
    table.add_column("trial", justify="right")
    table.add_column(f"satisfies {results.constraint.name}")
    for name in (
        "parameters",
        "M MACs",
        f"{metric.label} in search",
        "confirmed",
        "95 % interval",
        "U dB",
    ):
        table.add_column(name, justify="right")
    for network in results.networks:
        searched, confirmed = network.search, network.confirmed
        interval = confirmed.interval if confirmed else None
        table.add_row(
            str(network.trial),
            _verdict(network),
            grouped(network.params),
            f"{network.macs / 1e6:.2f}",
            f"{metric.shown(searched.value(metric))} ({searched.folds} folds)" if searched else "",
            metric.shown(confirmed.value(metric)) if confirmed else "",
            " to ".join(map(metric.shown, interval)) if interval else "",
            "" if network.performance is None else f"{network.performance:.1f}",
        )
    return table


def _verdict(network: FoundNetwork) -> str:
    words = _VERDICTS[network.verdict]
    return f"{words} after {network.refuted.folds} folds" if network.refuted else words
