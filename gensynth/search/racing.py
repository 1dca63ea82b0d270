"""When a candidate is not worth another fold: pure functions.

Two independent rules. A candidate is *out of reach* when 1_r can no longer be met at the full
search fidelity, whatever the remaining folds bring (exactly), or with a stated risk of being wrong
(statistically). And a candidate is *not promoted* to the next rung of fidelity when it is not among
the best of those that finished the rung so far (asynchronous successive halving: Li et al. 2020,
in its stopping form: nobody waits for others to arrive).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import betabinom

from gensynth.data import Dataset, Fold
from gensynth.indicator import Indicator
from gensynth.training import FoldResult, metrics

SHARES = ("accuracy", "recall.")


@dataclass(frozen=True)
class OutOfReach:
    """Why a candidate was stopped.

    Attributes:
        bound: The bound that it cannot meet, such as ``"accuracy.min"``.
        chance: Probability that it would have met it; 0 when that is certain.
    """

    bound: str
    chance: float


def best_case(
    results: Sequence[FoldResult],
    remaining: Sequence[Fold],
    dataset: Dataset,
    folds: Sequence[Fold],
) -> dict[str, float]:
    """Figures of a candidate whose remaining folds all come out perfect.

    Every accuracy and recall is at most that: each rises or stays when a wrong prediction becomes
    right, whatever the others are.

    Args:
        results: The folds that are trained.
        remaining: Those that are not.
        dataset: The data behind them.
        folds: All folds, which the results refer to by index.
    """
    perfect = [_answered(fold, dataset, dataset.labels[fold.test]) for fold in remaining]
    return metrics([*results, *perfect], dataset, folds)


def worst_case(
    results: Sequence[FoldResult],
    remaining: Sequence[Fold],
    dataset: Dataset,
    folds: Sequence[Fold],
) -> dict[str, float]:
    """Figures of a candidate whose remaining folds all come out wrong."""
    classes = len(dataset.classes)
    wrong = [
        _answered(fold, dataset, (dataset.labels[fold.test] + 1) % classes) for fold in remaining
    ]
    return metrics([*results, *wrong], dataset, folds)


def out_of_reach(
    indicator: Indicator,
    results: Sequence[FoldResult],
    remaining: Sequence[Fold],
    dataset: Dataset,
    folds: Sequence[Fold],
    *,
    risk: float = 0.0,
) -> OutOfReach | None:
    """Whether 1_r can no longer be met at full fidelity.

    Args:
        indicator: The indicator function; only its bounds on accuracies and recalls are looked at.
        results: Folds trained for the epochs of the full fidelity.
        remaining: Folds of the full fidelity that are not trained yet.
        dataset: The data.
        folds: All folds, by index.
        risk: Probability of wrongly stopping a candidate, for each bound and each time it is
            asked; 0 stops only what is certain.

    Returns:
        The first bound out of reach, or None.
    """
    if not results:
        return None
    certain = _certainly_broken(indicator, results, remaining, dataset, folds)
    if certain is not None:
        return OutOfReach(certain, 0.0)
    if risk <= 0 or not remaining:
        return None
    for name, bound in indicator.bounds.items():
        if bound.min is None or not name.startswith(SHARES):
            continue
        chance = _chance(name, bound.min, results, remaining, dataset, folds)
        if chance < risk:
            return OutOfReach(f"{name}.min", chance)
    return None


def chance_of(correct: float, seen: float, remaining: float, needed: float) -> float:
    """Probability of at least ``needed`` more successes among ``remaining`` trials.

    The beta-binomial predictive distribution after ``correct`` successes in ``seen`` trials, from a
    uniform prior on the share. Counts need not be whole; they are rounded in the candidate's
    favour.
    """
    successes, failures = math.ceil(correct), math.floor(seen - correct)
    trials, least = math.ceil(remaining), math.floor(needed)
    if least <= 0:
        return 1.0
    if least > trials:
        return 0.0
    return float(betabinom.sf(least - 1, trials, successes + 1, failures + 1))


def promoted(
    score: tuple[float, ...], others: Sequence[tuple[float, ...]], reduction: float | None
) -> bool:
    """Whether a candidate goes on to the next rung.

    Args:
        score: Of the candidate; greater is better, compared in order.
        others: Of those that finished the same rung before it.
        reduction: η: one in so many goes on, rounded up; None lets everybody go on.
    """
    if reduction is None or reduction <= 1:
        return True
    rank = 1 + sum(other > score for other in others)
    return rank <= math.ceil((len(others) + 1) / reduction)


def _certainly_broken(
    indicator: Indicator,
    results: Sequence[FoldResult],
    remaining: Sequence[Fold],
    dataset: Dataset,
    folds: Sequence[Fold],
) -> str | None:
    extremes = (
        (".min", best_case(results, remaining, dataset, folds)),
        (".max", worst_case(results, remaining, dataset, folds)),
    )
    for side, figures in extremes:
        for name, violation in indicator.violations(figures).items():
            if name.endswith(side) and violation > 0:
                return name
    return None


def _chance(
    name: str,
    least: float,
    results: Sequence[FoldResult],
    remaining: Sequence[Fold],
    dataset: Dataset,
    folds: Sequence[Fold],
) -> float:
    """Probability that a share is at least ``least`` in the end, counted in sequences.

    The frames of one sequence are nearly one image, so that images are weighed by the number of
    sequences behind them. The mean over folds and the vote of sequences are taken for the share of
    images here; ``recall.min`` is met only if every class's recall is.
    """
    by_index = {fold.index: fold for fold in folds}
    seen = np.concatenate([by_index[result.fold].test for result in results])
    right = np.concatenate([np.asarray(result.predictions) for result in results])
    correct = right == dataset.labels[seen]
    ahead = np.concatenate([fold.test for fold in remaining])
    chances = []
    for label in _labels(name, dataset):
        mine = _of_class(label, dataset.labels[seen])
        theirs = _of_class(label, dataset.labels[ahead])
        weight = _sequences_an_image(dataset, seen[mine], ahead[theirs])
        hits, total, more = correct[mine].sum(), mine.sum(), theirs.sum()
        needed = least * (total + more) - hits
        chances.append(chance_of(hits * weight, total * weight, more * weight, needed * weight))
    return min(chances, default=1.0)


def _labels(name: str, dataset: Dataset) -> tuple[int | None, ...]:
    if name.startswith("accuracy"):
        return (None,)
    if name == "recall.min":
        return tuple(range(len(dataset.classes)))
    wanted = name.removeprefix("recall.")
    return tuple(index for index, known in enumerate(dataset.classes) if known == wanted)


def _of_class(label: int | None, labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.ones(len(labels), dtype=bool) if label is None else labels == label


def _sequences_an_image(
    dataset: Dataset, seen: NDArray[np.int64], ahead: NDArray[np.int64]
) -> float:
    images = np.concatenate([seen, ahead])
    return len(np.unique(dataset.sequences[images])) / len(images) if len(images) else 1.0


def _answered(fold: Fold, dataset: Dataset, answers: NDArray[np.int64]) -> FoldResult:
    return FoldResult(
        fold=fold.index,
        epochs=1,
        seed=0,
        predictions=tuple(answers.tolist()),
        correct=int((answers == dataset.labels[fold.test]).sum()),
        total=len(fold.test),
        seconds=0.0,
        loss=None,
    )
