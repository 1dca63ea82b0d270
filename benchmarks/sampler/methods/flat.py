"""A define-by-run space as a fixed list of parameters, for peers that want one.

They are given every decision that the space is seen to ask for; what a network does not ask for is
ignored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from benchmarks.sampler.problem import Evaluation, Problem
from gensynth.generator import Generator
from gensynth.generator.tracing import Trace

SIGHTINGS = 500
PENALTY = 1e3


@dataclass(frozen=True)
class Axis:
    """One parameter: an index into choices, or a number on the scale where steps are even.

    Attributes:
        low: Least value.
        high: Greatest value, included.
        whole: Whether it is an integer.
        choices: What an index stands for; None for a number.
        logarithmic: Whether the number is the logarithm of the decision.
        integer: Whether the decision is an integer.
        origin: The number at position 0.
        step: Between the numbers of neighbouring whole positions.
    """

    low: float
    high: float
    whole: bool
    choices: tuple[Any, ...] | None = None
    logarithmic: bool = False
    integer: bool = False
    origin: float = 0
    step: float = 1

    def value(self, position: float) -> Any:
        """The decision at a position."""
        if self.choices is not None:
            return self.choices[int(position)]
        found = math.exp(position) if self.logarithmic else self.origin + self.step * position
        return round(found) if self.integer else float(found)

    def position(self, value: Any) -> float:
        """Where a decision is."""
        if self.choices is not None:
            typed = [(type(one), one) for one in self.choices]
            return typed.index((type(value), value))
        found = math.log(value) if self.logarithmic else (value - self.origin) / self.step
        return min(max(round(found) if self.whole else found, self.low), self.high)


def axis(distribution: BaseDistribution) -> Axis:
    """The parameter of one decision."""
    if isinstance(distribution, CategoricalDistribution):
        choices = tuple(distribution.choices)
        return Axis(0, len(choices) - 1, whole=True, choices=choices)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    integer = isinstance(distribution, IntDistribution)
    low, high = distribution.low, distribution.high
    if distribution.log:
        ends = round(math.log(low), 9), round(math.log(high), 9)
        return Axis(*ends, whole=False, logarithmic=True, integer=integer)
    if distribution.step is not None and distribution.step != 1:
        steps = round((high - low) / distribution.step)
        return Axis(0, steps, whole=True, integer=integer, origin=low, step=distribution.step)
    return Axis(low, high, whole=integer, integer=integer)


def axes(problem: Problem) -> dict[str, Axis]:
    """Every decision that the space asks for in many draws of a uniform generator, and in φ."""
    found = dict(problem.completed({}, 0).distributions)
    for seed in range(SIGHTINGS):
        found.update(Generator().sample(seed, problem.define).distributions)
    return {name: axis(one) for name, one in sorted(found.items()) if not one.single()}


def network(problem: Problem, all_axes: Mapping[str, Axis], at: Mapping[str, Any]) -> Trace[Any]:
    """The network at some positions."""
    decisions = {name: one.value(at[name]) for name, one in all_axes.items()}
    return problem.completed(decisions, 0)


def positions(problem: Problem, all_axes: Mapping[str, Axis], plan: Trace[Any]) -> dict[str, float]:
    """Where a network is; what it does not decide is φ's, or in the middle."""
    known = {**problem.start, **plan.decisions}
    return {
        name: one.position(known[name]) if name in known else _middle(one)
        for name, one in all_axes.items()
    }


def loss(problem: Problem, found: Evaluation) -> list[float]:
    """Objectives to be minimised, for peers that know no constraints: a violation is a penalty."""
    penalty = PENALTY * (1 + found.violation) if found.violation > 0 else 0.0
    values = zip(found.objectives, problem.signs, strict=True)
    return [penalty - sign * value for value, sign in values]


def _middle(one: Axis) -> float:
    middle = (one.low + one.high) / 2
    return int(middle) if one.whole else middle
