"""``gensynth search``: the whole search in one command."""

from __future__ import annotations

import json
import shlex
from typing import Annotated, Any

import typer

from gensynth.cli.app import Overrides, app
from gensynth.cli.found import print_results
from gensynth.cli.terminal import say


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
    print_results(run.results)
    say(f"run directory: {run.path}\nreport: {page}")
