"""From the results of folds to what their task makes of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gensynth.data import Dataset, Fold
from gensynth.task import Answers, Evaluation, Truth
from gensynth.training.fold import FoldResult


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
    return evaluate_all([results], dataset, folds)


def evaluate_all(
    repetitions: Sequence[Sequence[FoldResult]], dataset: Dataset, folds: Sequence[Fold]
) -> Evaluation:
    """Judges several cross-validations of the same folds with other training seeds.

    Args:
        repetitions: The results of each; the others as for :func:`evaluate`.
        dataset: The data that the folds index.
        folds: The folds that the results refer to by index.

    Raises:
        ValueError: As :func:`evaluate`, and if they are not of the same folds.
    """
    return dataset.task.evaluate(*(answers(part, dataset, folds) for part in repetitions))


def metrics(
    results: Sequence[FoldResult], dataset: Dataset, folds: Sequence[Fold]
) -> dict[str, float]:
    """Figures of the folds trained so far by the names that bounds use.

    Args:
        results: As for :func:`evaluate`.
        dataset: As for :func:`evaluate`.
        folds: As for :func:`evaluate`.

    Raises:
        ValueError: As :func:`evaluate`.
    """
    return evaluate(results, dataset, folds).metrics()


def answers(results: Sequence[FoldResult], dataset: Dataset, folds: Sequence[Fold]) -> Answers:
    """What a network says of the test images of some folds; arguments as for :func:`evaluate`."""
    ordered = _by_fold(results, folds)
    kept = {name for _, result in ordered for name in result.scores}
    return Answers(
        truth=truth([fold for fold, _ in ordered], dataset),
        predictions=np.concatenate([np.asarray(result.predictions) for _, result in ordered]),
        scores={name: tuple(result.scores.get(name) for _, result in ordered) for name in kept},
    )


def truth(folds: Sequence[Fold], dataset: Dataset) -> Truth:
    """What is true of the test images of at least one fold, in order."""
    images = np.concatenate([fold.test for fold in folds])
    return Truth(
        images=images,
        folds=np.repeat([fold.index for fold in folds], [len(fold.test) for fold in folds]),
        targets=dataset.targets[images],
        sequences=dataset.sequences[images],
        subjects=None if dataset.subjects is None else dataset.subjects[images],
    )


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
