"""What the inquisitor learns from: which trials, and on which scales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from optuna.study._multi_objective import _fast_non_domination_rank

from gensynth.generator.history import Observation

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

MAX_LEARNED_CONSTRAINTS = 16
FEWEST = 3
WORST = 1e12


def utilities(past: Sequence[Observation]) -> Vector:
    """U of every observation, NaN where there is none, (observations,)."""
    return np.asarray([np.nan if one.utility is None else one.utility for one in past])


def several(past: Sequence[Observation]) -> Matrix:
    """Objectives where there are several, NaN where not measured, (observations, objectives)."""
    width = max((len(one.objectives) for one in past if one.objectives), default=0)
    if width < 2:
        return np.empty((len(past), 0))
    missing = (np.nan,) * width
    return np.asarray([one.objectives or missing for one in past], dtype=np.float64)


def strongest(past: Sequence[Observation], most: int) -> NDArray[np.int64]:
    """At most ``most`` observations, in order: the best half as many, and the latest others.

    The best are feasible ones by U or by non-domination, then the others by violation.
    """
    if len(past) <= most:
        return np.arange(len(past))
    violation = np.asarray([one.violation for one in past])
    targets = utilities(past)
    if np.isnan(targets).all():
        losses = np.nan_to_num(-several(past), nan=WORST, posinf=WORST, neginf=-WORST)
        merit = _fast_non_domination_rank(losses, penalty=violation, n_below=most // 2)
        order = np.argsort(merit, kind="stable")
    else:
        order = np.lexsort((-np.nan_to_num(targets, nan=-np.inf), violation))
    best = order[: most // 2]
    others = np.setdiff1d(np.arange(len(past)), best)
    return np.sort(np.concatenate([best, others[-(most - len(best)) :]]))


def measured(past: Sequence[Observation]) -> dict[str, Vector]:
    """Measured violations by constraint, on a scale for a model; those known exactly left out."""
    names = sorted(set().union(*(one.measured.keys() for one in past)))
    found = {}
    for name in names[:MAX_LEARNED_CONSTRAINTS]:
        if not _is_static(name, past):
            values = np.asarray([one.measured.get(name, np.nan) for one in past])
            found[name] = _compressed(values)
    return found


def known(values: Vector, costs: Sequence[Mapping[str, float]]) -> tuple[str, float] | None:
    """The exact cost that an objective equals in every trial, and its sign; None if none does."""
    present = np.isfinite(values)
    if present.sum() < FEWEST:
        return None
    names = set.intersection(*(set(one) for one in costs))
    for name in sorted(names):
        column = np.asarray([one[name] for one in costs])
        for sign in (-1.0, 1.0):
            if np.allclose(values[present], sign * column[present], rtol=1e-9, atol=0.0):
                return name, sign
    return None


def winsorised(targets: Vector) -> Vector:
    """Targets with the far bad tail and infinities drawn in, so that the good end is resolved."""
    finite = targets[np.isfinite(targets)]
    if len(finite) == 0:
        return np.full_like(targets, np.nan)
    low, middle, high = np.quantile(finite, [0.25, 0.5, 1.0])
    floor = middle - 5 * max(middle - low, 1e-12) if len(finite) > 3 else finite.min()
    return np.where(np.isnan(targets), np.nan, np.clip(targets, max(floor, finite.min()), high))


def _is_static(name: str, past: Sequence[Observation]) -> bool:
    """Whether a constraint is one of the static ones, which are known without a model."""
    having = [one for one in past if name in one.measured]
    candidates = set.intersection(*(set(one.static) for one in having)) if having else set()
    return name in candidates or any(
        all(abs(one.measured[name] - one.static[other]) < 1e-9 for one in having)
        for other in candidates
    )


def _compressed(values: Vector) -> Vector:
    """Violations on a scale where the far ones do not drown the bound; the sign stays."""
    scale = np.nanmedian(np.abs(values)) if np.isfinite(values).any() else 0.0
    return np.asarray(np.arcsinh(values / (scale or 1.0)))
