"""When a candidate is not worth another fold: pure functions.

Two independent rules. A candidate is *out of reach* when 1_r can no longer be met at the full
search fidelity, whatever the remaining folds bring (exactly), or with a stated risk of being wrong
(statistically). And a candidate is *not promoted* to the next rung of fidelity when it is not among
the best of those that finished the rung so far (asynchronous successive halving: Li et al. 2020,
in its stopping form: nobody waits for others to arrive).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gensynth.data import Dataset, Fold
from gensynth.indicator import Indicator
from gensynth.training import FoldResult, answers, truth


@dataclass(frozen=True)
class OutOfReach:
    """Why a candidate was stopped.

    Attributes:
        bound: The bound that it cannot meet, a metric's name and ``.min`` or ``.max``.
        chance: Probability that it would have met it; 0 when that is certain.
    """

    bound: str
    chance: float


def reach(
    parts: Sequence[tuple[Sequence[FoldResult], Sequence[Fold]]],
    dataset: Dataset,
    folds: Sequence[Fold],
) -> dict[str, tuple[float, float]]:
    """What figures of a network may still become: least and greatest value by name.

    Args:
        parts: For each cross-validation the results of at least one fold, and what folds remain.
        dataset: The data behind them.
        folds: All folds, which the results refer to by index.
    """
    return dataset.task.reach(
        [
            (answers(results, dataset, folds), truth(remaining, dataset) if remaining else None)
            for results, remaining in parts
        ]
    )


def broken(indicator: Indicator, limits: Mapping[str, tuple[float, float]]) -> str | None:
    """The first bound that is certainly broken, such as ``"<metric>.min"``; None if none is.

    Args:
        indicator: The indicator function.
        limits: What each metric may still become; a bound on any other may still be met.
    """
    for end, side in ((".min", 1), (".max", 0)):
        extreme = {name: ends[side] for name, ends in limits.items()}
        for name, violation in indicator.violations(extreme).items():
            if name.endswith(end) and violation > 0:
                return name
    return None


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
        indicator: The indicator function; only its bounds on what training tells are looked at.
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
    certain = broken(indicator, reach([(results, remaining)], dataset, folds))
    if certain is not None:
        return OutOfReach(certain, 0.0)
    if risk <= 0 or not remaining:
        return None
    known, ahead = answers(results, dataset, folds), truth(remaining, dataset)
    for name, bound in indicator.bounds.items():
        for end, limit in (("min", bound.min), ("max", bound.max)):
            if limit is None:
                continue
            chance = dataset.task.chance(name, end, limit, known, ahead)
            if chance is not None and chance < risk:
                return OutOfReach(f"{name}.{end}", chance)
    return None


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
