"""Peers that need no library: random around φ, evolution, local search, thinning."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from benchmarks.sampler.problem import Evaluation, Problem
from benchmarks.sampler.record import Record
from gensynth.dominance import dominates
from gensynth.generator.tracing import Trace

STEP = 0.1
WIDENING = 20


def random(record: Record) -> None:
    """What G₀ draws, nothing learned."""
    while not record.full:
        with record.asking():
            plan = record.beginning()
        record.train(plan.outcome, plan.decisions)


def evolution(record: Record, *, initial: int, population: int, tournament: int) -> None:
    """Regularised evolution (Real et al. 2019): the oldest dies, one decision is mutated.

    Parents are compared by how many of the living dominate them, feasible before infeasible. Where
    nobody dies and everybody fights, it is local search around the best.

    Args:
        record: The run.
        initial: Networks drawn from G₀ first.
        population: Living networks.
        tournament: Those drawn to compete for being the parent.
    """
    rng = np.random.default_rng(record.seed)
    alive: list[tuple[Evaluation, Trace[Any]]] = []

    def child(attempt: int) -> Trace[Any]:
        rivals = rng.choice(len(alive), size=min(tournament, len(alive)), replace=False)
        beaten = domination([alive[index][0] for index in rivals], record.problem)
        winners = rivals[beaten == beaten.min()]
        parent = alive[int(rng.choice(winners))][1]
        return mutated(record.problem, parent, 1 + attempt // WIDENING, rng)

    while not record.full:
        with record.asking():
            young = len(record.evaluations) < initial
            plan = record.beginning() if young else record.admissible(child)
        alive.append((record.train(plan.outcome, plan.decisions), plan))
        alive = alive[-population:]


def thinning(record: Record) -> None:
    """φ with all widths scaled by one factor, from a sixteenth to twice, evenly in its logarithm.

    The control without any search: the factors are a van der Corput sequence with a random offset.
    """
    problem = record.problem
    offset = np.random.default_rng(record.seed).random()
    number = 0

    def thinned(_: int) -> Trace[Any]:
        nonlocal number
        share = (_radical_inverse(number) + offset) % 1
        number += 1
        factor = 2.0 ** (1 - 5 * share)
        wanted = {name: problem.start[name] * factor for name in problem.widths}
        return scaled(problem, wanted)

    while not record.full:
        with record.asking():
            plan = record.admissible(thinned)
        record.train(plan.outcome, plan.decisions)


def scaled(problem: Problem, wanted: Mapping[str, float]) -> Trace[Any]:
    """φ with some whole numbers changed, as near to what is wanted as the space allows."""
    plan = problem.completed({}, 0)
    decisions = dict(plan.decisions)
    for name, value in wanted.items():
        if name in decisions:
            low, high = _ends(plan.distributions[name])
            step = getattr(plan.distributions[name], "step", 1)
            nearest = low + step * round((value - low) / step)
            decisions[name] = int(min(max(nearest, low), high))
    return problem.completed(decisions, 0)


def domination(evaluations: list[Evaluation], problem: Problem) -> NDArray[np.int64]:
    """How many of the others beat each: by less violation, or else in every objective."""
    values = np.asarray([one.objectives for one in evaluations]) * problem.signs
    violation = np.maximum([one.violation for one in evaluations], 0.0)
    same = violation[:, None] == violation
    beats = (violation[:, None] < violation) | (same & dominates(values[:, None], values))
    return np.asarray(beats.sum(axis=0))


def mutated(
    problem: Problem, parent: Trace[Any], changes: int, rng: np.random.Generator
) -> Trace[Any]:
    """The parent with some of its decisions changed, each to another value."""
    open_to_change = [name for name, one in parent.distributions.items() if not one.single()]
    count = min(changes, len(open_to_change))
    decisions = dict(parent.decisions)
    for name in rng.choice(open_to_change, size=count, replace=False):
        decisions[name] = other(parent.distributions[name], decisions[name], rng)
    return problem.completed(decisions, int(rng.integers(2**31)))


def other(distribution: BaseDistribution, value: Any, rng: np.random.Generator) -> Any:
    """Another value: any other choice, or a number a normal step away on its scale."""
    if isinstance(distribution, CategoricalDistribution):
        rest = [choice for choice in distribution.choices if choice != value]
        return rest[int(rng.integers(len(rest)))]
    low, high = _ends(distribution)
    logarithmic = bool(getattr(distribution, "log", False))
    ends = (math.log(low), math.log(high)) if logarithmic else (low, high)
    here = math.log(value) if logarithmic else value
    while True:
        there = here + rng.normal(0, STEP * (ends[1] - ends[0]))
        found = math.exp(there) if logarithmic else there
        if isinstance(value, int):
            step = getattr(distribution, "step", 1)
            found = low + step * round((found - low) / step)
        if low <= found <= high and found != value:
            return type(value)(found)
        if isinstance(value, int) and rng.random() < 0.5:
            near = value + int(rng.choice([-1, 1])) * getattr(distribution, "step", 1)
            if low <= near <= high:
                return int(near)


def _ends(distribution: BaseDistribution) -> tuple[float, float]:
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    return distribution.low, distribution.high


def _radical_inverse(number: int) -> float:
    return int(f"{number:032b}"[::-1], 2) / 2**32
