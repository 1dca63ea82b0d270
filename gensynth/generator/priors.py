"""What a decision's distribution is before anything is learned."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from gensynth.errors import UserError
from gensynth.generator.decisions import Categorical, Range, Value, Vector, with_probabilities

EXACT_VALUES = 32
"""Values of a range up to which each has a cell."""
CELLS = 16
"""Cells of a range of more; finer steps are for local moves. Both by judgement."""


def prior(
    distribution: BaseDistribution, *, start: Value = None, started: bool = False, noise: float
) -> Categorical | Range:
    """The distribution of a decision before anything is learned.

    Args:
        distribution: The values it can take.
        start: The prototype's value.
        started: Whether there is one; without it the prior is uniform on the decision's scale.
        noise: Probability that a value other than ``start``'s is drawn. Half of it is spread
            evenly, half near ``start`` where values have an order.

    Returns:
        The prior.

    Raises:
        UserError: For a choice that JSON cannot hold, or a ``start`` that is not offered.
    """
    uniform = _uniform(distribution, start if started else None)
    if not started:
        return uniform
    cell = uniform.cell(start)
    if cell is None:
        raise UserError(f"the start value {start!r} is not among {distribution}")
    spread = 0.5 * uniform.vector + 0.5 * uniform.kernel(cell)
    spread[cell] = 0.0
    if spread.sum() <= 0:
        return uniform
    spread *= noise / spread.sum()
    spread[cell] = 1 - noise
    return with_probabilities(uniform, spread)


def _uniform(distribution: BaseDistribution, start: Value) -> Categorical | Range:
    if isinstance(distribution, CategoricalDistribution):
        choices = tuple(distribution.choices)
        for choice in choices:
            if choice is not None and not isinstance(choice, bool | int | float | str):
                raise UserError(
                    f"the choice {choice!r} cannot be written to a generator file",
                    remedy="offer None, booleans, numbers or strings and look the rest up",
                )
        return Categorical(choices=choices, probabilities=_even(len(choices)))
    if not isinstance(distribution, IntDistribution | FloatDistribution):
        raise UserError(f"unknown kind of decision {type(distribution).__name__}")
    low, high, log = distribution.low, distribution.high, distribution.log
    step = float(distribution.step or 0)
    kind: Literal["int", "float"] = "int" if isinstance(distribution, IntDistribution) else "float"
    if low == high and not step:
        starts: tuple[float, ...] = (0.0,)
    elif step:
        starts = _stepped(low, high, step, log, start)
    else:
        starts = tuple((np.arange(CELLS) / CELLS).tolist())
    measure = _measure(low, high, step, log, starts)
    return Range(
        kind=kind,
        low=low,
        high=high,
        step=step,
        log=log,
        starts=starts,
        probabilities=tuple((measure / measure.sum()).tolist()),
    )


def _even(count: int) -> tuple[float, ...]:
    return (1.0 / count,) * count


def _stepped(low: float, high: float, step: float, log: bool, start: Value) -> tuple[float, ...]:
    count = math.floor((high - low) / step + 1e-9) + 1
    if count <= EXACT_VALUES:
        return tuple(float(index) for index in range(count))
    shares = np.arange(CELLS) / CELLS
    points = (low * (high / low) ** shares - low) / step if log else shares * count
    starts = {0.0, *(float(point) for point in np.floor(points))}
    if isinstance(start, int | float):
        index = float(round((start - low) / step))
        starts |= {point for point in (index, index + 1) if 0 <= point < count}
    return tuple(sorted(starts))


def _measure(low: float, high: float, step: float, log: bool, starts: tuple[float, ...]) -> Vector:
    edges = np.asarray([*starts, math.floor((high - low) / step + 1e-9) + 1 if step else 1.0])
    if step and log:
        edges = np.log(low + step * (edges - 0.5))
    return np.diff(edges)
