"""``gensynth audit``: what has to be known of data before a figure on them is trusted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gensynth.cli.app import Overrides, app
from gensynth.cli.terminal import say
from gensynth.errors import UserError

if TYPE_CHECKING:
    from gensynth.data import Dataset
    from gensynth.data.audit import Audit
    from gensynth.experiment import Experiment, Folds

EXAMPLES = 5
EPOCHS = 12


@app.command()
def audit(
    overrides: Overrides = None,
    *,
    network: Annotated[
        str | None,
        typer.Option(
            metavar="PROTOTYPE",
            help="Train this network under folds by image and by subject: by how much the first "
            "flatter is a figure of the data.",
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of those trainings.")] = EPOCHS,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look for leaks between parts, duplicates, wrong labels and broken files in a data set."""
    from gensynth import config
    from gensynth.data.audit import audit as look
    from gensynth.data.audit import broken
    from gensynth.data.folders import OnDiskConfig
    from gensynth.experiment import Experiment

    chosen = [*(overrides or ()), *([f"prototype={network}"] if network else [])]
    experiment = config.load(Experiment, chosen)
    data = experiment.data
    files = broken(data.folder()) if isinstance(data, OnDiskConfig) else ()
    figures: dict[str, Any] = {"broken": [str(path) for path in files]}
    lines = [f"broken file: {path}" for path in files]
    try:
        dataset = experiment.load()
    except UserError as error:
        if not files:
            raise
        figures["error"] = str(error)
        lines.append(f"the data cannot be loaded: {error}")
    else:
        split = _split(dataset, experiment.folds)
        found = look(dataset, split.lay(dataset))
        figures |= {"data": dataset.name, "folds": split.by, **found.figures()}
        figures["examples"] = _examples(dataset, found)
        lines = [*_lines(dataset, found, split), *lines]
        if network is not None:
            inflation = _inflation(experiment, dataset, network, epochs)
            figures["inflation"] = inflation
            lines += _inflated(inflation)
    for line in [json.dumps(figures)] if as_json else lines:
        say(line)


def _split(dataset: Dataset, folds: Folds) -> Folds:
    """The folds that were asked for, or those that the data can have."""
    if folds.by != "subject" or dataset.subjects is not None:
        return folds
    by = "image" if dataset.splits is None else "official"
    return folds.model_copy(update={"by": by})


def _lines(dataset: Dataset, found: Audit, split: Folds) -> Iterator[str]:
    figures = found.figures()
    yield dataset.summary
    classes = ", ".join(f"{name} {count}" for name, count in found.classes.items())
    yield f"  classes            {classes} (1 to {found.balance:.1f})"
    if found.people is None:
        yield "  people             unknown: one may be trained on and tested on"
    else:
        names = f": {_some(found.across)}" if found.across else ""
        yield f"  in several parts   {len(found.across)} of {found.people} people{names}"
    yield (
        f"  duplicates         {figures['duplicates']} pairs, "
        f"{figures['duplicates_in_one_sequence']} within a sequence"
    )
    yield (
        f"  across parts       {figures['duplicates_across_parts']} of them "
        f"({figures['mirrored_across_parts']} mirrored), folds by {split.by}"
    )
    yield f"  labels disagree    {figures['labels_disagree']} of them"
    for example in _examples(dataset, found):
        yield f"    {example}"
    shown = ", ".join(f"{name} {value:.2f}" for name, value in found.sharpness.items())
    warning = ": parts were treated differently" if found.unlike_parts else ""
    yield f"  sharpness          {shown} gray levels between neighbours{warning}"


def _examples(dataset: Dataset, found: Audit) -> list[str]:
    """A few of the worst pairs, in words."""
    worst = sorted(
        (one for one in found.duplicates if one.across or one.disagree),
        key=lambda one: (-one.across - one.disagree, one.first),
    )
    return [
        f"{dataset.sequences[one.first]} ({dataset.classes[dataset.labels[one.first]]}) = "
        f"{dataset.sequences[one.second]} ({dataset.classes[dataset.labels[one.second]]})"
        f"{', mirrored' if one.mirrored else ''}"
        for one in worst[:EXAMPLES]
    ]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - EXAMPLES} more" if len(names) > EXAMPLES else ""
    return ", ".join(names[:EXAMPLES]) + more


def _inflation(
    experiment: Experiment, dataset: Dataset, network: str, epochs: int
) -> dict[str, Any]:
    """One network by folds of images and of subjects."""
    if dataset.subjects is None:
        raise UserError(
            "nobody is known, so folds by subject cannot be laid",
            where=dataset.name,
            remedy="leave --network out",
        )
    from gensynth import prototype
    from gensynth.cost import cost
    from gensynth.evaluation import evaluate_network

    genome = prototype.expand(experiment.prototype, dataset.task.outputs, image=dataset.image_shape)
    told: dict[str, Any] = {"network": network, "params": cost(genome).params, "epochs": epochs}
    for by in ("image", "subject"):
        folds = experiment.folds.model_copy(update={"by": by})
        one = evaluate_network(
            genome, experiment.model_copy(update={"folds": folds}), epochs=epochs, seeds=1
        )
        headline = dataset.task.headline
        told[by] = {headline.name: one[headline.name], "interval": one["interval"]}
        told.setdefault("words", []).append(f"by {by} {dataset.task.stated(one)}")
    return told


def _inflated(told: dict[str, Any]) -> Iterator[str]:
    yield f"  {told['network']}, {told['params']} parameters, {told['epochs']} epochs:"
    for words in told["words"]:
        yield f"    {words}"
