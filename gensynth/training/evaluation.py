"""From the results of folds to the figures that bounds and reports name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensynth.data import Dataset, Fold
from gensynth.training.fold import FoldResult

NORMAL_95 = NormalDist().inv_cdf(0.975)


def wilson(correct: float, total: float, *, z: float = NORMAL_95) -> tuple[float, float]:
    """Score interval of a binomial proportion (Wilson 1927).

    Args:
        correct: Successes; need not be whole, so that a share of images can be judged by the
            number of sequences behind it.
        total: Trials.
        z: Quantile of the standard normal distribution; the default gives 95 %.

    Returns:
        Lower and upper end, within [0, 1]; (0, 1) without trials.

    Raises:
        ValueError: If ``correct`` is not within 0 and ``total``.
    """
    if not 0 <= correct <= total:
        raise ValueError(f"{correct} of {total} is not a proportion")
    if total == 0:
        return 0.0, 1.0
    share = correct / total
    centre = share + z**2 / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    scale = 1 + z**2 / total
    low, high = (centre - half) / scale, (centre + half) / scale
    return min(share, max(0.0, low)), max(share, min(1.0, high))


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The figures of one cross-validation, whole or partial, or of several of the same folds.

    Attributes:
        classes: Class names.
        folds: Indices of the folds that were trained, in order.
        confusion: Images by true class (rows) and predicted class (columns), int64; summed over
            repetitions.
        accuracy: Share of the test images of all these folds that are right (pooled).
        fold_mean: Mean over folds of each fold's accuracy.
        sequence_accuracy: Share of the sequences whose vote is right: the class that most frames
            were given; of tied classes the one whose last frame comes last in the data set, since
            sequences run toward the peak of the expression.
        images: Number of test images, once.
        sequences: Number of sequences among them, once.
    """

    classes: tuple[str, ...]
    folds: tuple[int, ...]
    confusion: NDArray[np.int64]
    accuracy: float
    fold_mean: float
    sequence_accuracy: float
    images: int
    sequences: int

    @property
    def recall(self) -> dict[str, float]:
        """Share of each class's images that are right; without the classes that have no images."""
        counts = self.confusion.sum(axis=1)
        return {
            name: float(self.confusion[index, index] / counts[index])
            for index, name in enumerate(self.classes)
            if counts[index]
        }

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the pooled accuracy, by the number of sequences.

        The frames of a sequence are nearly one image, and training again tests the same faces
        again: neither adds evidence.
        """
        return wilson(self.accuracy * self.sequences, self.sequences)

    def figures(self) -> dict[str, Any]:
        """What a report states of it, as plain data; shares from 0 to 1."""
        return {
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "fold_mean": self.fold_mean,
            "sequence_accuracy": self.sequence_accuracy,
            "images": self.images,
            "sequences": self.sequences,
            "recall": self.recall,
        }

    def metrics(self) -> dict[str, float]:
        """The figures by the names that bounds use."""
        recall = self.recall
        return {
            "accuracy": self.accuracy,
            "accuracy_fold_mean": self.fold_mean,
            "accuracy_sequence": self.sequence_accuracy,
            **{f"recall.{name}": value for name, value in recall.items()},
            "recall.min": min(recall.values()),
        }


def evaluate(results: Sequence[FoldResult], dataset: Dataset, folds: Sequence[Fold]) -> Evaluation:
    """Judges one cross-validation.

    Args:
        results: At least one, at most one a fold; the folds need not all be there.
        dataset: The data that the folds index.
        folds: The folds that ``results`` refer to by index.

    Raises:
        ValueError: If there are no results, two for one fold, one for an unknown fold or one whose
            predictions do not fit its fold.
    """
    ordered = _by_fold(results, folds)
    test = np.concatenate([fold.test for fold, _ in ordered])
    predicted = np.concatenate([np.array(r.predictions, dtype=np.int64) for _, r in ordered])
    truth = dataset.labels[test]
    right = predicted == truth
    votes = _votes(dataset, test, predicted)
    return Evaluation(
        classes=dataset.classes,
        folds=tuple(result.fold for _, result in ordered),
        confusion=_confusion(truth, predicted, len(dataset.classes)),
        accuracy=float(right.mean()),
        fold_mean=fmean(result.accuracy for _, result in ordered if result.total),
        sequence_accuracy=float(np.mean([voted == true for voted, true in votes])),
        images=len(test),
        sequences=len(votes),
    )


def mean_evaluation(evaluations: Sequence[Evaluation]) -> Evaluation:
    """One evaluation of several that repeat the same folds with other training seeds.

    Accuracies are means, confusion matrices are summed, and the number of sequences, and with it
    the interval, stays that of one.

    Raises:
        ValueError: If there are none or they are not of the same folds.
    """
    if len({(e.classes, e.folds, e.images, e.sequences) for e in evaluations}) != 1:
        raise ValueError("only evaluations of the same folds have a mean")
    first = evaluations[0]
    return Evaluation(
        classes=first.classes,
        folds=first.folds,
        confusion=np.sum([e.confusion for e in evaluations], axis=0),
        accuracy=fmean(e.accuracy for e in evaluations),
        fold_mean=fmean(e.fold_mean for e in evaluations),
        sequence_accuracy=fmean(e.sequence_accuracy for e in evaluations),
        images=first.images,
        sequences=first.sequences,
    )


def metrics(
    results: Sequence[FoldResult], dataset: Dataset, folds: Sequence[Fold]
) -> dict[str, float]:
    """Figures of the folds trained so far by the names that bounds use.

    Args:
        results: As for :func:`evaluate`.
        dataset: As for :func:`evaluate`.
        folds: As for :func:`evaluate`.

    Returns:
        ``accuracy``, ``accuracy_fold_mean``, ``accuracy_sequence``, ``recall.<class>`` for every
        class with test images, and ``recall.min``; all as shares from 0 to 1.

    Raises:
        ValueError: As :func:`evaluate`.
    """
    return evaluate(results, dataset, folds).metrics()


def _by_fold(results: Sequence[FoldResult], folds: Sequence[Fold]) -> list[tuple[Fold, FoldResult]]:
    known = {fold.index: fold for fold in folds}
    given = {result.fold: result for result in results}
    if not results or len(given) != len(results):
        raise ValueError("results must be of different folds, and of at least one")
    if not given.keys() <= known.keys():
        raise ValueError(f"results of unknown folds {sorted(given.keys() - known.keys())}")
    ordered = [(known[index], given[index]) for index in sorted(given)]
    for fold, result in ordered:
        if len(result.predictions) != len(fold.test):
            raise ValueError(f"{len(result.predictions)} predictions for fold {fold.index}")
    return ordered


def _confusion(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    pairs = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return pairs.reshape(classes, classes).astype(np.int64)


def _votes(
    dataset: Dataset, test: NDArray[np.int64], predicted: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """Voted and true class of each sequence."""
    frames: dict[str, list[tuple[int, int]]] = {}
    for image, voted in sorted(zip(test.tolist(), predicted.tolist(), strict=True)):
        frames.setdefault(str(dataset.sequences[image]), []).append((image, voted))
    return [
        (_majority([voted for _, voted in seen]), int(dataset.labels[seen[-1][0]]))
        for seen in frames.values()
    ]


def _majority(votes: Sequence[int]) -> int:
    """The most frequent vote; of tied ones the one that was cast last."""
    last = {vote: position for position, vote in enumerate(votes)}
    return max(last, key=lambda vote: (votes.count(vote), last[vote]))
