"""Several objectives: which networks are good."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gensynth.dominance import nondominated
from gensynth.generator.history import Observation

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


def objective_matrix(past: Sequence[Observation]) -> Matrix:
    """Objectives, greater better, NaN where not measured, (observations, objectives)."""
    width = max((len(one.objectives) for one in past if one.objectives), default=1)
    rows = [one.objectives or (np.nan,) * width for one in past]
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), width)


def front_order(past: Sequence[Observation], ranked: int) -> list[int]:
    """Indices, best first: feasible by non-domination rank, then the others by violation.

    Inside a rank the lonelier comes first (the crowding distance of NSGA-II, Deb et al. 2002).

    Args:
        past: Finished trials.
        ranked: How many are worth ranking; what is left of the feasible follows as it came.
    """
    objectives = objective_matrix(past)
    violation = np.asarray([one.violation for one in past])
    usable = np.flatnonzero(~np.isnan(objectives).any(axis=1) & (violation <= 0))
    order: list[int] = []
    remaining = usable
    while remaining.size and len(order) < ranked:
        values = objectives[remaining]
        best = nondominated(values)
        front = remaining[best]
        order += front[np.argsort(-_crowding(objectives[front]), kind="stable")].tolist()
        remaining = remaining[~best]
    rest = np.setdiff1d(np.arange(len(past)), order)
    order += rest[np.argsort(violation[rest], kind="stable")].tolist()
    return order


def _crowding(values: Matrix) -> Vector:
    distance = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        span = column[order[-1]] - column[order[0]] or 1.0
        distance[order[[0, -1]]] = np.inf
        distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / span
    return distance
