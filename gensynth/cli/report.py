"""``gensynth report``: a run as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gensynth.cli.app import app
from gensynth.cli.sources import run_directory
from gensynth.cli.terminal import say


@app.command()
def report(
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN]",
            help="A run directory; the newest under runs/ when not given.",
            show_default=False,
        ),
    ] = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The page; report.html in the run directory when not given.",
            show_default=False,
        ),
    ] = None,
    front: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the figure of the front, .png or .svg."),
    ] = None,
) -> None:
    """Write the report of a run: constraint, front, networks, counts and times."""
    from gensynth.export import Run
    from gensynth.report import figure_format, write_front, write_report

    found = Run(run_directory(run))
    if front is not None:
        figure_format(front)
    say(write_report(found, output))
    if front is not None:
        write_front(found, front)
        say(front)
