"""The indicator function 1_r as data: a conjunction of bounds on named metrics.

A bound is known to hold, or not, from a number: its *violation*, signed and relative to the bound,
so that the violations of different metrics can be compared and added. ``params: {max: 136000}`` is
violated by 0.5 at 204 000 parameters and by -0.5 at 68 000. A bound of 0 has no scale of its own:
its violation is the plain difference, in the metric's unit.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from gensynth.cost import STATIC_METRICS
from gensynth.errors import UserError
from gensynth.measured import MEASURED, deployed
from gensynth.task import Metric, Task
from gensynth.validation import alternatives

MOST = 1e9
"""Violations are cut off here, so that they stay finite in JSON; NaN is violated by as much."""

_COST = Metric(name="cost", label="cost", direction="minimize")

MetricName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.\- ]*$")]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Bound(BaseModel):
    """What a metric may be.

    Attributes:
        min: The least allowed value, or None.
        max: The greatest allowed value, or None.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min: Finite | None = None
    max: Finite | None = None

    @model_validator(mode="after")
    def _bounds_something(self) -> Bound:
        if self.min is None and self.max is None:
            raise ValueError("a bound needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is greater than max {self.max:g}")
        return self

    def violations(self, value: float) -> dict[str, float]:
        """How far a value is outside each end, by ``"min"`` and ``"max"``; at most 0 is inside."""
        found = {}
        if self.min is not None:
            found["min"] = _relative(self.min - value, self.min)
        if self.max is not None:
            found["max"] = _relative(value - self.max, self.max)
        return found


class Indicator(BaseModel):
    """1_r: 1 for a network whose metrics are all within their bounds, else 0.

    Attributes:
        name: A label for people.
        bounds: Bound of each metric. Without any, every network is feasible.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=256)]
    bounds: dict[MetricName, Bound]

    @field_validator("bounds", mode="before")
    @classmethod
    def _dots_in_names(cls, bounds: Any) -> Any:
        """Joins what the command line takes apart: ``bounds.<metric>.<part>.min=0.8``."""
        if not isinstance(bounds, Mapping):
            return bounds
        joined: dict[str, Any] = {}
        for name, bound in bounds.items():
            inner = bound.values() if isinstance(bound, Mapping) else ()
            if any(isinstance(value, Mapping) for value in inner):
                joined |= {f"{name}.{part}": value for part, value in bound.items()}
            else:
                joined[name] = bound
        return joined

    @property
    def keys(self) -> tuple[str, ...]:
        """Every single bound (``"params.max"``), in the order written, min before max."""
        return tuple(
            f"{metric}.{end}"
            for metric, bound in self.bounds.items()
            for end in ("min", "max")
            if getattr(bound, end) is not None
        )

    @property
    def static(self) -> Indicator:
        """The bounds on what is known before training."""
        return self._subset([name for name in self.bounds if name in STATIC_METRICS])

    @property
    def trained(self) -> Indicator:
        """The bounds on what is known only after training."""
        known = [name for name in self.bounds if name in STATIC_METRICS or name in MEASURED]
        return self._subset(self.bounds.keys() - set(known))

    @property
    def measured(self) -> Indicator:
        """The bounds on what is measured before training."""
        return self._subset([name for name in self.bounds if name in MEASURED])

    def tightened(self, margin: float, task: Task) -> Indicator:
        """The same bounds, but for those that ask a network to be good: they ask for more.

        Shares that have to be at least something rise by the margin, and errors that may be at most
        something fall by that share of it.

        Args:
            margin: By how much, a share; a negative one asks for less. No share leaves 0 to 1.
            task: Whose metrics they are.
        """
        bounds = {
            name: bound if metric is None else _tightened(bound, metric, margin)
            for name, bound in self.bounds.items()
            for metric in (None if name in STATIC_METRICS else task.metric(name),)
        }
        return self.model_copy(update={"bounds": bounds})

    def violations(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """How far a network is outside each bound.

        Args:
            metrics: Its metrics by name, all or some.

        Returns:
            Signed violation by bound (``"params.max"``), relative to the bound (see the module), in
            the order of :attr:`keys`; at most 0 is satisfied. Bounds on metrics that are absent are
            left out; those on metrics that are NaN are violated by :data:`MOST`.
        """
        return {
            f"{name}.{end}": violation
            for name, bound in self.bounds.items()
            if name in metrics
            for end, violation in bound.violations(metrics[name]).items()
        }

    def total_violation(self, metrics: Mapping[str, float]) -> float:
        """The sum of the positive violations; 0 where no bound on a known metric is violated."""
        return sum(max(violation, 0.0) for violation in self.violations(metrics).values())

    def feasible(self, metrics: Mapping[str, float]) -> bool:
        """Whether a network is known to satisfy 1_r: a missing metric does not."""
        return metrics.keys() >= self.bounds.keys() and self.total_violation(metrics) == 0

    def check(self, task: Task) -> None:
        """Refuses bounds that name no metric or that no metric's value can ever meet.

        Args:
            task: What networks are asked; about certain data, or about any.

        Raises:
            UserError: One line with the key: an unknown metric, or a bound outside of what the
                metric can be (a share above 1, a negative count).
        """
        for _, error in self.mistakes(task):
            raise error

    def mistakes(self, task: Task) -> Iterator[tuple[tuple[str, ...], UserError]]:
        """Yields what :meth:`check` refuses, and the keys under ``bounds`` where it is."""
        for name, bound in self.bounds.items():
            yield from _mistakes(name, bound, task)

    def _subset(self, names: Collection[str]) -> Indicator:
        bounds = {name: bound for name, bound in self.bounds.items() if name in names}
        return self.model_copy(update={"bounds": bounds})


def _relative(excess: float, bound: float) -> float:
    if math.isnan(excess):
        return MOST
    relative = excess / abs(bound) if bound else excess
    return min(max(relative, -MOST), MOST)


def _names_of(name: str, known: Collection[str]) -> str:
    near = alternatives(name, known)
    listed = f"use one of {', '.join(sorted(known))}"
    return listed if near == listed else f"{near} the metrics are {', '.join(sorted(known))}"


def _tightened(bound: Bound, metric: Metric, margin: float) -> Bound:
    if metric.share and bound.min is not None:
        return bound.model_copy(update={"min": min(1.0, max(0.0, bound.min + margin))})
    if metric.direction == "minimize" and bound.max is not None:
        return bound.model_copy(update={"max": bound.max * (1 - margin)})
    return bound


def _mistakes(name: str, bound: Bound, task: Task) -> Iterator[tuple[tuple[str, ...], UserError]]:
    metric = _COST if name in STATIC_METRICS else task.metric(name) or deployed(name, task)
    if metric is None:
        remedy = _names_of(name, (*STATIC_METRICS, *MEASURED, *task.known_as))
        yield (name,), UserError("unknown metric", where=f"bounds.{name}", remedy=remedy)
        return
    if bound.min is not None and bound.min > metric.high:
        yield _unmet(name, "min", bound.min, metric.range, f"write at most {metric.high:g}")
    if bound.max is not None and bound.max < metric.low:
        yield _unmet(name, "max", bound.max, metric.range, f"write at least {metric.low:g}")


def _unmet(
    name: str, end: str, value: float, kind: str, remedy: str
) -> tuple[tuple[str, str], UserError]:
    problem = f"no network can meet {value:g}: {name} is {kind}"
    return (name, end), UserError(problem, where=f"bounds.{name}.{end}", remedy=remedy)
