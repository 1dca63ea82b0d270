"""Table 1 of the EmotionNet Nano paper: published and measured side by side.

Every network with a published accuracy on CK+, and those of ``genomes/``, each beside the prototype
of its search thinned to its parameters and to its multiply-accumulates, are trained by one protocol
and one recipe: ten folds by subject, several training seeds, the recipe and the epochs of
``experiments/ck48_nano_b.yaml``, fewer for the dearest. All other prototypes have rows where
``--rows`` names them. What is trained is kept, fold by fold, and the same command goes on.

    python -m benchmarks.paper.table1 --data-root DIR
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.options import INTERRUPTED, add_data, overridden, positive, selected
from benchmarks.paper.table1_printing import Line, printed
from benchmarks.paper.thinning import control
from gensynth import config, prototype
from gensynth import genome as genomes
from gensynth.cli.progress import Display
from gensynth.cost import cost
from gensynth.errors import UserError
from gensynth.evaluation import SEEDS, EvaluationDirectory, evaluate_network
from gensynth.experiment import Experiment
from gensynth.genome import Genome
from gensynth.report import write_evaluation
from gensynth.task.published import OTHERS, TABLE_1, Published

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "table1"
FOUND = ROOT / "genomes"
BASE = "experiment=ck48_nano_b"
INTERFACE = "resnet20"
EQUAL = ("params", "macs")
"""In what a network's controls are equal to it."""
GENTLER = 0.1
"""Share of the recipe's learning rate for networks without normalisation, chosen by training loss.

Loss of the 20th epoch on the training part of fold 0 of CK+48, seed 1, at the whole rate and at the
tenth: ``lenet5_improved`` 1.85 (it learns nothing) and 1.11, ``emotionnet_nano_b`` 1.35 and 1.09,
``micro_expnet`` 1.10 and 1.04. Gray levels, without drawn faces (before commit 36b12b7, which no
command shows), and not looked at again since.
"""
FEWER = {
    "mobilenet_v1": 20,
    "efficientnet_b0": 20,
    "resnet20": 20,
    "resnet50": 6,
    "affect_alexnet": 6,
    "affect_vgg": 6,
}
"""Epochs of published networks of which 40 take long.

docs/results/table1.md has the times of three; the others were judged by their operations.
"""


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        name: How ``--rows`` calls it.
        published: What is published of the network.
        genome: The network; None where its layers are not published.
        extra: Whether it is shown only where it is named: neither found nor published of CK+.
    """

    name: str
    published: Published | None
    genome: Genome | None
    extra: bool = False


def rows(experiment: Experiment, found: Path = FOUND) -> list[Row]:
    """All rows that there are: networks by rising multiply-accumulates, then what is not published.

    A prototype reads gray or colour images as the data are, at the size that it is made for. What
    was found for other channels or another number of classes has no row.

    Args:
        experiment: For the data's classes and channels.
        found: Folder of genomes that searches have found; it need not exist.

    Raises:
        UserError: For a folder of any classes.
    """
    known = [*TABLE_1, *OTHERS]
    published = {one.prototype: one for one in known if one.prototype}
    compared = {name for name, one in published.items() if one.accuracy is not None}
    made = [
        Row(name, published.get(name), _fitted(name, experiment), extra=name not in compared)
        for name in config.options("prototype")
    ]
    whole = _fitted(INTERFACE, experiment)
    for file in sorted(found.glob("*.json")):
        genome = genomes.load(file)
        if _interface(genome) != _interface(whole):
            continue
        made.append(Row(file.stem, None, genome))
        made += _controls(file.stem, genome, experiment)
    unpublished = [Row(one.name, one, None) for one in known if one.prototype is None]
    return sorted(made, key=_macs) + unpublished


def measure(
    row: Row, overrides: Sequence[str], folder: Path, *, seeds: int, epochs: int | None
) -> None:
    """Trains what a row lacks.

    Args:
        row: One with a network.
        overrides: Of the experiment.
        folder: Where the row is kept.
        seeds: Cross-validations wanted; where there are more already, those are kept.
        epochs: Passes over each training part; None takes those of the experiment.

    Raises:
        UserError: As :func:`evaluate_network`.
    """
    assert row.genome is not None
    experiment = _suited(row.genome, overrides)
    before = _read(folder)
    known = len(before["seeds"]) if before else 0
    wanted = max(known, seeds)
    with Display() as display:
        figures = evaluate_network(
            row.genome, experiment, seeds=wanted, epochs=epochs, output=folder, watcher=display
        )
    write_evaluation(figures, EvaluationDirectory(folder).drawing)


def _controls(name: str, genome: Genome, experiment: Experiment) -> Iterator[Row]:
    """φ of a network's search as small as the network is; none where its file names no φ."""
    known = genome.provenance.get("prototype")
    if known not in config.options("prototype"):
        return
    start = _fitted(str(known), experiment)
    for metric in EQUAL:
        with suppress(ValueError):  # smaller than any thinning
            yield Row(f"{name}-control-{metric}", None, control(start, genome, metric))


def _interface(genome: Genome) -> tuple[object, ...]:
    """Channels that a network reads, and the shapes that it gives."""
    return genome.input.channels, *(genome.shapes[node] for node in genome.outputs.values())


def _suited(genome: Genome, overrides: Sequence[str]) -> Experiment:
    """The experiment with images of a network's size, and a rate at which it learns."""
    size = genome.input.height
    experiment = config.load(Experiment, (*overrides, f"data.size={size}"))
    if any(node.op == "batch_norm" for node in genome.nodes):
        return experiment
    rate = GENTLER * experiment.training.learning_rate
    recipe = experiment.training.model_copy(update={"learning_rate": rate})
    return experiment.model_copy(update={"training": recipe})


def lines(shown: Sequence[Row], folder: Path, epochs: Mapping[str, int]) -> Iterator[Line]:
    """The rows with what is measured of them.

    Args:
        shown: Rows.
        folder: That of the data.
        epochs: Of each row; one that was not trained for so many is there with those nearest.
    """
    for row in shown:
        measured = None if row.genome is None else _nearest(folder, row.name, epochs[row.name])
        yield Line(row.name, row.published, row.genome, measured)


def _nearest(folder: Path, row: str, epochs: int) -> dict[str, Any] | None:
    found = [figures for one in folder.glob(f"*-epochs/{row}") if (figures := _read(one))]
    return min(found, key=lambda one: (abs(one["epochs"] - epochs), one["epochs"]), default=None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints the table; returns the exit status."""
    options = _options(arguments)
    overrides = [BASE, *overridden(options)]
    try:
        experiment = config.load(Experiment, overrides)
        every = rows(experiment)
        named = selected(sorted(row.name for row in every), options.rows, what="row")
        shown = [row for row in every if row.name in named and (options.rows or not row.extra)]
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    usual = options.epochs or experiment.confirm_epochs
    fewer = {} if options.epochs else FEWER
    epochs = {row.name: min(usual, fewer.get(row.name, usual)) for row in shown}
    classes = f"{experiment.data.kind}-{_classes(experiment)}-classes"
    folder = options.results / classes
    status = 0
    if not options.only_print:
        status = _measured(shown, overrides, folder, seeds=options.seeds, epochs=epochs)
    protocol = {
        "folds": {**experiment.folds.model_dump(), "tested": [*range(experiment.folds.count)]},
        "training": experiment.training.model_dump(mode="json", exclude={"tuned_on"}),
    }
    found = list(lines(shown, folder, epochs))
    print(printed(found, seeds=options.seeds, epochs=usual, protocol=protocol))
    return status


def _measured(
    shown: Sequence[Row],
    overrides: Sequence[str],
    folder: Path,
    *,
    seeds: int,
    epochs: Mapping[str, int],
) -> int:
    status = 0
    for row in shown:
        if row.genome is None:
            continue
        passes = epochs[row.name]
        kept = folder / f"{passes}-epochs" / row.name
        try:
            measure(row, overrides, kept, seeds=seeds, epochs=passes)
        except UserError as error:
            print(error, file=sys.stderr)
            status = 2
        except KeyboardInterrupt:
            print("stopped, everything is kept; the same command goes on", file=sys.stderr)
            return INTERRUPTED
    return status


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.paper.table1", description=(__doc__ or "").splitlines()[0]
    )
    add = parser.add_argument
    add_data(parser)
    add("--rows", metavar="A,B", help="these rows; what is published of CK+ or found if not given")
    add("--seeds", type=positive, default=SEEDS, help=f"training seeds of a row ({SEEDS})")
    add("--epochs", type=positive, help="of every row; if not given as confirmed, dearest fewer")
    add("--results", type=Path, default=RESULTS, help="where what is trained is kept")
    add("--only-print", action="store_true", help="train nothing")
    return parser.parse_args(arguments)


def _fitted(name: str, experiment: Experiment) -> Genome:
    file = config.find("prototype", name)
    assert file is not None
    size = prototype.load(file).input.height
    image = (experiment.data.model_dump()["channels"], size, size)
    return prototype.load(file, _classes(experiment), image=image)


def _classes(experiment: Experiment) -> int:
    if experiment.data.kind == "folder":
        raise UserError(
            "the rows of Table 1 are networks for the classes of CK+",
            where="data=folder",
            remedy="train one on a folder by: gensynth evaluate NETWORK data=folder data.root=…",
        )
    return 8 if getattr(experiment.data, "neutral", False) else 7


def _macs(row: Row) -> float:
    assert row.genome is not None
    return cost(row.genome).macs


def _read(folder: Path) -> dict[str, Any] | None:
    path = EvaluationDirectory(folder).figures
    if not path.exists():
        return None
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return figures


if __name__ == "__main__":
    raise SystemExit(main())
