"""``gensynth export``: a network of a run as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gensynth.cli.app import app
from gensynth.cli.sources import read_genome, run_directory
from gensynth.errors import UserError


@app.command("export")
def export_network(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN|GENOME]",
            help="A run directory, the newest under runs/ when not given, or a genome.",
            show_default=False,
        ),
    ] = None,
    *,
    trial: Annotated[
        int | None,
        typer.Option(
            help="Number of the trial; the best confirmed network when not given.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[str, typer.Option(help="The format; genome is gensynth's own.")] = "genome",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PATH", help="The file or folder.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write a network of a run, or a genome, in another format."""
    from gensynth.export import Run, export

    if source is None or source.is_dir():
        genome = Run(run_directory(source)).trial_genome(trial)
    elif trial is not None:
        raise UserError("--trial needs a run directory", where=str(source))
    else:
        genome = read_genome(str(source))
    path = export(genome, format, output)
    if as_json:
        facts = {"path": str(path), "format": format, "name": genome.name, "hash": genome.hash}
        typer.echo(json.dumps(facts))
    else:
        typer.echo(f"{path}: {genome.name}, hash {genome.hash[:16]}")
