"""θ of one decision: a histogram over its values.

A histogram stays normalised, is closed under mixing, can be as multi-modal as what it is fitted
to, has an exact entropy, and is nothing but data. Choices and numbers of few values have a cell
for each value; wide integer ranges and floats have about sixteen cells of equal width on their
scale (linear or logarithmic) and are uniform inside a cell: finer steps are for local moves.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from pydantic import BaseModel, ConfigDict, Field, model_validator

Value = bool | int | float | str | None
Vector = NDArray[np.float64]

MAX_CELLS = 10_000
"""Of a decision that is read from a file, so that a stranger's file cannot fill the memory."""
REACH = 0.1
"""Standard deviation of what a number says of its neighbours, as a share of its range; by
judgement."""
SEPARATOR = "+"
"""Between the names of a choice that is a set."""
SET_REACH = 0.4
"""Differing names over which what a set says of others falls by a factor e; by judgement."""

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]


class _Histogram(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    probabilities: Annotated[tuple[Probability, ...], Field(min_length=1, max_length=MAX_CELLS)]

    @model_validator(mode="after")
    def _is_normalised(self) -> _Histogram:
        total = math.fsum(self.probabilities)
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the probabilities add up to {total:.6g}, not 1")
        return self

    @cached_property
    def cumulative(self) -> tuple[float, ...]:
        """Running sums of the probabilities, the last exactly 1."""
        return (*np.cumsum(self.probabilities).tolist()[:-1], 1.0)

    @property
    def vector(self) -> Vector:
        """The probabilities as an array, (cells,)."""
        return np.asarray(self.probabilities, dtype=np.float64)

    def _locate(self, u: float) -> tuple[int, float]:
        """The cell where the distribution function passes ``u``, and how far into it, in [0, 1)."""
        sums = self.cumulative
        cell = min(bisect_right(sums, u), len(sums) - 1)
        below = sums[cell - 1] if cell else 0.0
        width = sums[cell] - below
        return cell, min(max((u - below) / width, 0.0), 1 - 1e-9) if width > 0 else 0.0


class Categorical(_Histogram):
    """A categorical decision.

    Where every choice is a name or names joined by ``+``, and some are joined, a choice is the set
    of its names: sets that share most of their names are near one another.
    """

    kind: Literal["choice"] = "choice"
    choices: Annotated[tuple[Value, ...], Field(min_length=1, max_length=MAX_CELLS)]

    @model_validator(mode="after")
    def _fits(self) -> Categorical:
        if len(self.choices) != len(self.probabilities):
            raise ValueError(
                f"{len(self.choices)} choices but {len(self.probabilities)} probabilities"
            )
        return self

    @cached_property
    def _indices(self) -> dict[tuple[type, Value], int]:
        return {(type(choice), choice): cell for cell, choice in enumerate(self.choices)}

    def matches(self, distribution: BaseDistribution) -> bool:
        """Whether this is the decision that ``distribution`` offers."""
        return isinstance(distribution, CategoricalDistribution) and [
            (type(choice), choice) for choice in distribution.choices
        ] == list(self._indices)

    def quantile(self, u: float) -> Value:
        """The choice at ``u`` of the distribution function, ``u`` in [0, 1)."""
        return self.choices[self._locate(u)[0]]

    def cell(self, value: Any) -> int | None:
        """Index of a choice; None for anything else."""
        return self._indices.get((type(value), value))

    @cached_property
    def members(self) -> tuple[tuple[int, ...], ...]:
        """For choices that are sets, 1 for each name that each has, else 0; empty otherwise."""
        if not all(isinstance(choice, str) for choice in self.choices):
            return ()
        sets = [str(choice).split(SEPARATOR) for choice in self.choices]
        if max(map(len, sets)) == 1 or not all(all(names) for names in sets):
            return ()
        known = sorted({name for names in sets for name in names})
        return tuple(tuple(int(name in names) for name in known) for names in sets)

    def distances(self, cell: int) -> Vector:
        """How many names are in one of two sets only; for other choices, whether they differ."""
        if not self.members:
            return np.asarray(np.arange(len(self.choices)) != cell, dtype=np.float64)
        sets = np.asarray(self.members)
        return np.asarray(np.abs(sets - sets[cell]).sum(axis=1), dtype=np.float64)

    def kernel(self, cell: int) -> Vector:
        """Weights, adding up to 1, of the cells that an observation in ``cell`` speaks for."""
        if not self.members:
            return np.asarray(np.arange(len(self.choices)) == cell, dtype=np.float64)
        weights = np.exp(-self.distances(cell) / SET_REACH)
        return np.asarray(weights / weights.sum())


class Range(_Histogram):
    """An integer or float decision.

    Attributes:
        low: Least value.
        high: Greatest value.
        step: Distance of neighbouring values; 0 for a continuous range.
        log: Whether cells are of equal width in the logarithm.
        starts: First point of each cell: indices of values, or fractions of a continuous range.
    """

    kind: Literal["int", "float"]
    low: Finite | Whole
    high: Finite | Whole
    step: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    log: bool = False
    starts: Annotated[tuple[Finite, ...], Field(min_length=1, max_length=MAX_CELLS)]

    @model_validator(mode="after")
    def _fits(self) -> Range:
        if not self.low <= self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        span = self.high - self.low
        if math.isinf(span) or (self.step and span > self.step * 2.0**53):
            raise ValueError(f"{self.low} to {self.high} has more values than can be told apart")
        if self.log and self.low <= 0:
            raise ValueError("a logarithmic range starts above 0")
        if self.kind == "int" and not (
            self.step >= 1 and all(float(x).is_integer() for x in (self.low, self.high, self.step))
        ):
            raise ValueError("an integer range has integer bounds and an integer step")
        if len(self.starts) != len(self.probabilities):
            raise ValueError(
                f"{len(self.starts)} cells but {len(self.probabilities)} probabilities"
            )
        end = self.count if self.step else 1
        edges = [*self.starts, end]
        if edges[0] != 0 or any(a >= b for a, b in pairwise(edges)):
            raise ValueError("the cells do not follow one another through the range")
        if self.step and any(not float(start).is_integer() for start in self.starts):
            raise ValueError("cells of a stepped range start at values")
        return self

    @cached_property
    def count(self) -> int:
        """Number of values of a stepped range."""
        return math.floor((self.high - self.low) / self.step + 1e-9) + 1 if self.step else 0

    def matches(self, distribution: BaseDistribution) -> bool:
        """Whether this is the decision that ``distribution`` offers."""
        kind = {IntDistribution: "int", FloatDistribution: "float"}.get(type(distribution))
        if kind is None or not isinstance(distribution, IntDistribution | FloatDistribution):
            return False
        return (self.kind, self.low, self.high, self.step, self.log) == (
            kind,
            distribution.low,
            distribution.high,
            distribution.step or 0,
            distribution.log,
        )

    def quantile(self, u: float) -> Value:
        """The value at ``u`` of the distribution function, ``u`` in [0, 1)."""
        cell, inside = self._locate(u)
        start = self.starts[cell]
        end = self.starts[cell + 1] if cell + 1 < len(self.starts) else (self.count or 1)
        point = start + inside * (end - start)
        return self.value(math.floor(point) if self.step else point)

    def value(self, point: float) -> int | float:
        """The value of an index (stepped) or a fraction of the range (continuous)."""
        if self.kind == "int":
            return int(self.low) + int(self.step) * int(point)
        if self.step:
            return min(self.low + self.step * int(point), self.high)
        if self.log:
            value = math.exp(math.log(self.low) * (1 - point) + math.log(self.high) * point)
        else:
            value = self.low * (1 - point) + self.high * point
        return min(max(float(value), self.low), self.high)

    def unit(self, value: float) -> float:
        """Where a value lies between ``low`` (0) and ``high`` (1) on the range's scale."""
        if self.high == self.low:
            return 0.5
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def near(self, value: float, shift: float) -> int | float:
        """The value ``shift`` further on, as a share of the range, and at least one step away.

        A shift out of the range is turned back.
        """
        place = self.unit(value)
        target = place + shift
        target = place - shift if not 0 <= target <= 1 else target
        target = min(max(target, 0.0), 1.0)
        if not self.step:
            return self.value(target)
        if self.log:
            moved = self.low * (self.high / self.low) ** target
        else:
            moved = self.low + (self.high - self.low) * target
        index, here = round((moved - self.low) / self.step), round((value - self.low) / self.step)
        if index == here:
            index += 1 if shift > 0 else -1
        if not 0 <= index < self.count:
            index = here + (1 if index < 0 else -1)
        return self.value(min(max(index, 0), self.count - 1))

    def cell(self, value: Any) -> int | None:
        """Index of the cell that holds a value; None for anything outside the range."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if not self.low <= value <= self.high:
            return None
        point = round((value - self.low) / self.step) if self.step else self.unit(value)
        return bisect_right(self.starts, point) - 1

    @property
    def centres(self) -> Vector:
        """The middle of each cell between 0 and 1 on the range's scale, (cells,)."""
        ends = [*self.starts[1:], self.count or 1]
        last = 1 if self.step else 0
        return np.asarray(
            [
                self._unit_of(0.5 * (start + end - last))
                for start, end in zip(self.starts, ends, strict=True)
            ]
        )

    def _unit_of(self, point: float) -> float:
        return self.unit(self.low + self.step * point) if self.step else point

    def kernel(self, cell: int) -> Vector:
        """Weights, adding up to 1, of the cells that an observation in ``cell`` speaks for."""
        distance = (self.centres - self.centres[cell]) / REACH
        weights: Vector = np.exp(-0.5 * distance**2) + 1e-12
        return np.asarray(weights / weights.sum())


Decision = Annotated[Categorical | Range, Field(discriminator="kind")]


def with_probabilities(decision: Categorical | Range, probabilities: Vector) -> Categorical | Range:
    """The same decision under other probabilities (>= 0, any positive sum)."""
    shares = np.maximum(probabilities, 0.0)
    shares = shares / shares.sum()
    copy = decision.model_copy(update={"probabilities": tuple(shares.tolist())})
    copy.__dict__.pop("cumulative", None)
    return copy
