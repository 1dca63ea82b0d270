"""``gensynth export``: a network as a file, for gensynth or for other runtimes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gensynth.cli.app import Overrides, app
from gensynth.cli.sources import GENOME, read_genome, run_directory
from gensynth.cli.terminal import say
from gensynth.errors import UserError

if TYPE_CHECKING:
    from gensynth.device import Exported
    from gensynth.genome import Genome


@app.command("export")
def export_network(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN|GENOME|MODEL]",
            help="A run directory, the newest under runs/ when not given, a genome, or a model "
            "folder of gensynth train.",
            show_default=False,
        ),
    ] = None,
    overrides: Overrides = None,
    *,
    trial: Annotated[
        int | None,
        typer.Option(
            help="Number of the trial; the best confirmed network when not given.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        str,
        typer.Option(help="The format; genome is gensynth's own, the others need a model."),
    ] = "genome",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PATH", help="The file or folder.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write a network in another format: a genome without weights, or a model that runs anywhere.

    A model's file takes an image as it is and gives probabilities. It is compared with PyTorch in
    its own runtime. KEY=VALUE names the data that a quantised format is calibrated by.
    """
    from gensynth.export import FORMATS, export

    if format not in FORMATS:
        exported = _deployed(source, format, output, overrides or ())
        typer.echo(json.dumps(exported[1]) if as_json else exported[0])
        return
    if overrides:
        raise UserError(f"{format} takes no settings", where=overrides[0])
    genome = _genome(source, trial)
    path = export(genome, format, output)
    if as_json:
        facts = {"path": str(path), "format": format, "name": genome.name, "hash": genome.hash}
        typer.echo(json.dumps(facts))
    else:
        say(f"{path}: {genome.name}, hash {genome.hash[:16]}")


def _genome(source: Path | None, trial: int | None) -> Genome:
    from gensynth.export import Run

    if source is None or (source.is_dir() and not (source / GENOME).is_file()):
        run = Run(run_directory(source))
        genome = run.trial_genome(trial)
        verdict = run.verdict(genome)
        if not verdict.satisfied:
            say(f"warning: {genome.name} ({run.constraint.name}): {verdict.words}", err=True)
        return genome
    if trial is not None:
        raise UserError("--trial needs a run directory", where=str(source))
    return read_genome(str(source))


def _deployed(
    source: Path | None, format: str, output: Path | None, overrides: list[str] | tuple[()]
) -> tuple[str, dict[str, Any]]:
    from gensynth.device import EXPORTERS, deploy, is_model, load_model
    from gensynth.export import FORMATS
    from gensynth.validation import alternatives

    if format not in EXPORTERS:
        remedy = alternatives(format, [*FORMATS, *EXPORTERS])
        raise UserError(f"no such format: {format}", remedy=remedy)
    if source is None or not is_model(source):
        raise UserError(
            f"has no weights, which {format} needs",
            where=str(source or "export"),
            remedy=f"train it first: gensynth train {source or 'RUN'} -o MODEL",
        )
    model = load_model(source)
    images = None
    if EXPORTERS[format].calibrated:
        from gensynth import config
        from gensynth.device import calibration_images
        from gensynth.experiment import Experiment

        images = calibration_images(model, config.load(Experiment, list(overrides)))
    elif overrides:
        raise UserError(f"{format} takes no settings", where=overrides[0])
    exported = deploy(model, format, output, images)
    facts = {
        "path": str(exported.path),
        "golden": str(exported.golden),
        "format": format,
        "name": model.genome.name,
        "hash": model.genome.hash,
        "bytes": exported.bytes,
        "images": exported.images,
        "difference": exported.difference,
        "tolerance": exported.tolerance,
    }
    return _line(model.genome.name, exported), facts


def _line(name: str, exported: Exported) -> str:
    allowed = "" if exported.tolerance is None else f" (at most {exported.tolerance:g} allowed)"
    return (
        f"{exported.path}: {name}, {exported.bytes} bytes; differs from PyTorch by at most "
        f"{exported.difference:.1e}{allowed} on the {exported.images} images of {exported.golden}"
    )
