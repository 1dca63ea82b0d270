"""What a run is worth after so many evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from optuna._hypervolume import compute_hypervolume

from benchmarks.sampler.problem import Evaluation, Problem

NOTHING = -100.0


def curve(
    problem: Problem, evaluations: Sequence[Evaluation], marks: Sequence[int]
) -> NDArray[np.float64]:
    """The measure of a problem after each number of evaluations.

    Args:
        problem: Problem.
        evaluations: One a trained network, in their order.
        marks: Numbers of evaluations.

    Returns:
        (marks,): the regret where the best value is known (less is better), or else the best
        feasible value, ``NOTHING`` where there is none; with several objectives the hypervolume
        of the feasible networks (:func:`hypervolume`) as a share of the true front's. NaN where
        there were fewer evaluations.
    """
    reached = [mark for mark in marks if mark <= len(evaluations)]
    beyond = np.full(len(marks) - len(reached), np.nan)
    return np.concatenate([_reached(problem, evaluations, reached), beyond])


def _reached(
    problem: Problem, evaluations: Sequence[Evaluation], marks: Sequence[int]
) -> NDArray[np.float64]:
    if not problem.single:
        return np.asarray([share(problem, evaluations[:mark]) for mark in marks])
    sign = problem.signs[0]
    values = [sign * one.objectives[0] if one.violation <= 0 else NOTHING for one in evaluations]
    best = np.maximum.accumulate(np.asarray(values))[np.asarray(marks) - 1]
    return np.asarray(best if problem.best is None else sign * problem.best - best)


def greater_is_better(problem: Problem) -> bool:
    """Whether a greater measure is the better one."""
    return not (problem.single and problem.best is not None)


def share(problem: Problem, evaluations: Sequence[Evaluation]) -> float:
    """Hypervolume of the feasible networks, by that of the true front, or by the whole box."""
    feasible = tuple(one.objectives for one in evaluations if one.violation <= 0)
    whole = hypervolume(problem.front, problem.corners) if problem.front else 1.0
    return hypervolume(feasible, problem.corners) / whole


@cache
def hypervolume(
    points: tuple[tuple[float, ...], ...],
    corners: tuple[tuple[float, ...], tuple[float, ...]],
) -> float:
    """Share of the box between an ideal and a worst corner that the points dominate.

    Every objective is scaled to 0 in the ideal corner and 1 in the worst one, the reference point;
    what is worse than that does not count.
    """
    ideal, worst = np.asarray(corners)
    if not points:
        return 0.0
    losses = np.clip((np.asarray(points) - ideal) / (worst - ideal), 0.0, None)
    inside = losses[(losses < 1).all(axis=1)]
    return float(compute_hypervolume(inside, np.ones(len(ideal)))) if len(inside) else 0.0
