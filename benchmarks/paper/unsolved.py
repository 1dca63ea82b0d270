"""Sequences that hardly any training gets right, by their names.

    python -m benchmarks.paper.unsolved --data-root DIR EVALUATION …

Each EVALUATION is a directory of ``gensynth evaluate -o``; they count by training, so one of three
seeds counts three times. Images stay where they are: what is printed are names.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.markdown import markdown
from benchmarks.paper.compare import read
from benchmarks.paper.table1 import BASE
from gensynth import config
from gensynth.data import Dataset, Fold, load
from gensynth.errors import UserError
from gensynth.experiment import Experiment

HEADS = ("sequence", "fold", "class", "taken for", "right images", "of")
AT_MOST = 0.1


@dataclass(frozen=True)
class Hard:
    """A sequence and what trainings say of it.

    Attributes:
        sequence: Its name.
        fold: Which tests it.
        truth: Its class.
        taken_for: The class that its images are most often given.
        right: Right answers to its images.
        answers: Answers to its images, over all trainings.
    """

    sequence: str
    fold: int
    truth: str
    taken_for: str
    right: int
    answers: int


def unsolved(
    evaluations: Sequence[Mapping[str, Any]],
    dataset: Dataset,
    folds: Sequence[Fold],
    *,
    at_most: float = AT_MOST,
) -> list[Hard]:
    """The sequences that are right in at most a share of the answers, those of fewest first.

    Args:
        evaluations: What each ``evaluation.json`` holds.
        dataset: What they were made on.
        folds: All of its folds.
        at_most: Greatest share of right answers.

    Raises:
        UserError: If an evaluation is of other images.
    """
    given: dict[str, Counter[int]] = {}
    for figures in evaluations:
        for part in figures["folds"]:
            test = folds[part["fold"]].test
            _check(figures["name"], part["truth"], dataset.labels[test])
            for sequence, answer in zip(dataset.sequences[test], part["predictions"], strict=True):
                given.setdefault(str(sequence), Counter())[answer] += 1
    tested = {
        str(dataset.sequences[image]): (fold.index, int(dataset.labels[image]))
        for fold in folds
        for image in fold.test
    }
    found = []
    for sequence, answers in given.items():
        fold, truth = tested[sequence]
        if answers[truth] <= at_most * answers.total():
            (often, _), *_ = answers.most_common()
            names = dataset.classes
            found.append(
                Hard(sequence, fold, names[truth], names[often], answers[truth], answers.total())
            )
    return sorted(found, key=lambda one: (one.right / one.answers, one.sequence))


def _check(name: str, truth: Sequence[int], labels: NDArray[np.int64]) -> None:
    if list(truth) != labels.tolist():
        raise UserError(f"{name} was evaluated on other images", remedy="give its data and folds")


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.paper.unsolved", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--data-root", type=Path, metavar="DIR", help="folder of CK+48")
    parser.add_argument("--at-most", type=float, default=AT_MOST, help="share of right answers")
    parser.add_argument("evaluations", type=Path, nargs="+", help="directories of evaluations")
    options = parser.parse_args(arguments)
    root = [] if options.data_root is None else [f"data.root={json.dumps(str(options.data_root))}"]
    try:
        evaluations = [read(folder) for folder in options.evaluations]
        experiment = config.load(Experiment, [BASE, *root])
        dataset = load(experiment.data)
        folds = experiment.folds.lay(dataset)
        found = unsolved(evaluations, dataset, folds, at_most=options.at_most)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    rows = [
        [one.sequence, str(one.fold), one.truth, one.taken_for, str(one.right), str(one.answers)]
        for one in found
    ]
    print(markdown(HEADS, rows))
    trainings = sum(len(figures["seeds"]) for figures in evaluations)
    never = sum(one.right == 0 for one in found)
    print(
        f"\n{trainings} cross-validations; {never} sequences have no right answer in any of them."
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
