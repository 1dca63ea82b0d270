"""``gensynth evaluate``: the whole cross-validation of one network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gensynth.cli.app import Overrides, app
from gensynth.cli.sources import naming, protocol, read_genome
from gensynth.cli.terminal import say
from gensynth.errors import UserError

if TYPE_CHECKING:
    from gensynth.experiment import Experiment
    from gensynth.genome import Genome
    from gensynth.task import Task


@app.command()
def evaluate(
    genome: Annotated[
        str,
        typer.Argument(
            metavar="GENOME",
            help="A genome (.json), a prototype by name or YAML file, or a run directory.",
        ),
    ],
    overrides: Overrides = None,
    *,
    fold: Annotated[int | None, typer.Option(min=0, help="Only this fold.")] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Base seed as in results.json (fold i is trained with seed + i); with --fold the "
            "training seed itself, as in journal.jsonl.",
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Training seeds: whole cross-validations, of which the figures are the mean. 3 "
            "when not given, or confirm.seeds if that is more.",
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs; those of the confirmation when not given.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Write evaluation.json (figures, predictions) and evaluation.svg there, and every "
            "trained fold as it comes: the same command goes on where it was stopped.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            help="Test each fold's network as a file of this format too (onnx-int8), in its own "
            "runtime: one cross-validation.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train and test one network on all folds; the figures come with their interval.

    The data and the recipe of a run directory are those of its search, unless overridden.
    """
    if seed is not None and seeds is not None:
        raise UserError("--seed is of one cross-validation", remedy="leave --seeds out")
    from gensynth import config
    from gensynth.cli.progress import Display
    from gensynth.evaluation import evaluate_network
    from gensynth.experiment import Experiment

    chosen = naming(genome, overrides or ())
    network = read_genome(genome, chosen)
    experiment = config.load(Experiment, chosen, base=protocol(Path(genome)))
    if format is not None:
        if output is not None or fold is not None or seed is not None or seeds is not None:
            raise UserError("--format takes --epochs alone", where="evaluate")
        _evaluate_exported(network, experiment, format, epochs, as_json=as_json)
        return
    try:
        with Display() as display:
            figures = evaluate_network(
                network,
                experiment,
                fold=fold,
                seed=seed,
                seeds=seeds,
                epochs=epochs,
                output=output,
                watcher=display,
            )
    except KeyboardInterrupt:
        say(_kept(output), err=True)
        raise
    if output is not None:
        _draw(figures, output)
    if as_json:
        typer.echo(json.dumps(figures))
        return
    for line in _lines(figures, experiment.task):
        say(line)
    if output is not None:
        typer.echo(f"  written to {output}: evaluation.json, evaluation.svg")


def _evaluate_exported(
    network: Genome, experiment: Experiment, format: str, epochs: int | None, *, as_json: bool
) -> None:
    from gensynth.device import exported_figures

    figures = exported_figures(
        network, experiment, format, epochs=epochs, tell=lambda line: say(line, err=True)
    )
    if as_json:
        typer.echo(json.dumps(figures))
        return
    task = experiment.load().task
    drawn = " (SYNTHETIC faces)" if figures["synthetic"] else ""
    say(f"{figures['name']} on {figures['data']}{drawn}, {figures['epochs']} epochs")
    for name, label in (("pytorch", "PyTorch"), ("exported", format)):
        say(f"  {label:<12} {task.headline.label} {task.stated(figures[name])}")
    say(f"  {figures['changed']} of {figures['images']} answers differ")
    say(f"  {figures['bytes']} bytes a file")


def _kept(output: Path | None) -> str:
    if output is None:
        return "interrupted, nothing is kept; with --output DIR it is"
    return (
        "interrupted; of folds under way nothing, of the others everything is kept; "
        "the same command goes on"
    )


def _draw(figures: dict[str, Any], output: Path) -> None:
    from gensynth.evaluation import EvaluationDirectory
    from gensynth.report import write_evaluation

    write_evaluation(figures, EvaluationDirectory(output).drawing)


def _lines(figures: dict[str, Any], task: Task) -> Iterator[str]:
    drawn = " (SYNTHETIC faces)" if figures["synthetic"] else ""
    seeds = ", ".join(map(str, figures["seeds"]))
    spread = figures["spread"]
    metric = task.headline
    values = ", ".join(metric.shown(one, 2) for one in figures["per_seed"])
    unit = " points" if metric.share else metric.unit
    deviation = "" if spread is None else f" (standard deviation {metric.scale * spread:.2f}{unit})"
    yield (
        f"{figures['name']} on {figures['data']}{drawn}: "
        f"{figures['params']} parameters, {figures['macs'] / 1e6:.1f} M MACs"
    )
    yield f"  {metric.label:<18} {_stated(figures, task)}"
    yield f"  {'by training seed':<18} {values}{deviation}"
    yield f"  {figures['epochs']} epochs, seeds {seeds}"
    yield from task.lines(figures)
    for chosen in figures["chosen"]:
        yield f"  {chosen['words']}"
        if chosen["seen"]:
            yield f"    on the other folds: {_unseen(chosen['unseen'], task)}"
    yield f"  satisfies {figures['constraint']}: {'yes' if figures['feasible'] else 'no'}"


def _stated(figures: dict[str, Any], task: Task) -> str:
    metric, (low, high) = task.headline, map(task.headline.shown, figures["interval"])
    word = "of" if metric.share else "on"
    return (
        f"{metric.shown(figures[metric.name], 2)} {word} {figures['images']} images "
        f"(95 % interval {low} to {high}, {task.evidence(figures)})"
    )


def _unseen(figures: dict[str, Any] | None, task: Task) -> str:
    return "there are none" if figures is None else _stated(figures, task)
