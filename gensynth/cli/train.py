"""``gensynth train``: a network to keep, with its weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gensynth.cli.app import Overrides, app
from gensynth.cli.sources import confirmed, naming, protocol, read_genome
from gensynth.cli.terminal import say
from gensynth.errors import UserError

if TYPE_CHECKING:
    from gensynth.device import Model
    from gensynth.genome import Genome
    from gensynth.task import Task


@app.command("train")
def train_network(
    source: Annotated[
        str,
        typer.Argument(
            metavar="RUN|GENOME",
            help="A run directory (its best network), a genome (.json), the folder of an "
            "evaluation, or a prototype.",
        ),
    ],
    overrides: Overrides = None,
    *,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="MODEL", help="The model folder to write."),
    ],
    trial: Annotated[
        int | None,
        typer.Option(help="Number of the run's trial; the best one when not given."),
    ] = None,
    split: Annotated[
        str,
        typer.Option(
            help="all; fold-N, the training part of that fold, the rest unseen; or train, that "
            "of an official split."
        ),
    ] = "all",
    folds: Annotated[
        bool,
        typer.Option(
            "--folds", help="Train one network without each fold, and distil them into one."
        ),
    ] = False,
    calibration_folds: Annotated[
        int,
        typer.Option(min=0, help="Folds held out in turn to calibrate by; --folds takes all."),
    ] = 3,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs; those of the confirmation when not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train a network on all images and write it with its weights, to predict and to export.

    Its probabilities are calibrated on folds that were held out. The data and the recipe of a run
    directory are those of its search, unless overridden.
    """
    from gensynth import config
    from gensynth.device import is_model, train
    from gensynth.experiment import Experiment

    if output.exists() and not is_model(output) and any(output.iterdir()):
        raise UserError(
            "is no model but is not empty", where=str(output), remedy="give --output another folder"
        )
    chosen = naming(source, overrides or ())
    genome = _of_trial(source, trial) if trial is not None else read_genome(source, chosen)
    experiment = config.load(Experiment, chosen, base=protocol(Path(source)))
    model = train(
        genome,
        experiment,
        split=split,
        epochs=epochs,
        ensemble=folds,
        calibration_folds=calibration_folds,
        confirmed=confirmed(Path(source), genome),
        tell=lambda line: say(line, err=True),
    )
    path = model.save(output)
    if as_json:
        typer.echo(json.dumps({"path": str(path), "card": model.card}))
        return
    for line in _lines(model, experiment.task, path):
        say(line)


def _of_trial(source: str, trial: int) -> Genome:
    from gensynth.export import Run

    return Run(source).trial_genome(trial)


def _lines(model: Model, task: Task, path: Path) -> Iterator[str]:
    card = model.card
    drawn = " (SYNTHETIC faces)" if card["synthetic"] else ""
    yield (
        f"{path}: {card['name']}, {card['params']} parameters, trained on {card['images']} images "
        f"of {card['data']}{drawn}"
    )
    if card["confirmed"] is not None and task.headline.name in card["confirmed"]:
        found = card["confirmed"]
        on = f" of {found['data']}" if found.get("data") else ""
        yield f"  by {found['by']}{on}: {task.headline.label} {task.stated(found)}"
    if card["held_out"] is not None:
        found = card["held_out"]
        many = f"{len(found['folds'])} folds"
        yield f"  held out, {many:<7} {task.headline.label} {task.stated(found)}"
    for name, one in card["calibration"].items():
        if one:
            yield (
                f"  {name:<17} temperature {one['temperature']:.2f}, cross-entropy "
                f"{one['cross_entropy_before']:.3f} to {one['cross_entropy']:.3f} nats, "
                f"calibration error {100 * one['calibration_error_before']:.1f} to "
                f"{100 * one['calibration_error']:.1f} %, on images that were held out"
            )
