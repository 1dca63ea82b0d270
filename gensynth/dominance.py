"""Which points no other one beats: the one rule of every front of networks in this package."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def dominates(one: ArrayLike, other: ArrayLike) -> NDArray[np.bool_]:
    """Whether points dominate others: nowhere less, and greater in something (Pareto).

    So of equal points neither dominates the other. One that holds a NaN neither dominates nor is
    dominated.

    Args:
        one: Objectives, greater is better, (..., objectives).
        other: The same, of a shape that broadcasts.

    Returns:
        Of the shape that both broadcast to, without the last axis.
    """
    mine, theirs = np.asarray(one), np.asarray(other)
    return np.asarray((mine >= theirs).all(axis=-1) & (mine > theirs).any(axis=-1))


def nondominated(points: ArrayLike) -> NDArray[np.bool_]:
    """Marks the points that no other one dominates; of equal ones all or none.

    What one point dominates is not looked at again, since whatever it would dominate that point
    dominates too: n comparisons of all points that are left, so O(n · front · objectives) where
    the front is small and O(n² · objectives) at worst.

    Args:
        points: Objectives, greater is better, (points, objectives).

    Returns:
        (points,)
    """
    values = np.asarray(points, dtype=np.float64)
    left = np.arange(len(values))
    position = 0
    while position < len(left):
        kept = ~dominates(values[left[position]], values[left])
        position = 1 + int(kept[:position].sum())
        left = left[kept]
    marked = np.zeros(len(values), dtype=bool)
    marked[left] = True
    return marked
