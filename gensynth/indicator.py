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
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from gensynth.cost import STATIC_METRICS
from gensynth.errors import UserError
from gensynth.validation import alternatives

TRAINED_METRICS: tuple[str, ...] = (
    "accuracy",
    "accuracy_fold_mean",
    "accuracy_sequence",
    "recall.min",
)
"""Metrics known only after training; every class adds a ``recall.<class>``."""

RECALL = "recall."
MOST = 1e9
"""Violations are cut off here, so that they stay finite in JSON; NaN is violated by as much."""

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
        """Joins what the command line takes apart: ``bounds.recall.fear.min=0.8``."""
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

    @field_validator("bounds")
    @classmethod
    def _can_be_met(cls, bounds: dict[str, Bound]) -> dict[str, Bound]:
        """What is wrong with whatever data: only the classes are not known yet."""
        mistakes = [
            mistake
            for name, bound in bounds.items()
            for mistake in _mistakes(name, bound, (*known_metrics(), _any_recall(name)))
        ]
        if mistakes:
            raise ValidationError.from_exception_data(
                cls.__name__,
                [
                    InitErrorDetails(
                        type="value_error", loc=keys, input=bounds[keys[0]], ctx={"error": error}
                    )
                    for keys, error in mistakes
                ],
            )
        return bounds

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
        return self._subset([name for name in self.bounds if name not in STATIC_METRICS])

    def tightened(self, margin: float) -> Indicator:
        """The same bounds, but for shares that have to be at least something: those rise.

        Args:
            margin: By how much, a share; they fall by a negative one. None leaves 0 to 1.
        """
        bounds = {
            name: bound.model_copy(update={"min": min(1.0, max(0.0, bound.min + margin))})
            if name not in STATIC_METRICS and bound.min is not None
            else bound
            for name, bound in self.bounds.items()
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

    def check(self, known: Collection[str]) -> None:
        """Refuses bounds that name no metric or that no metric's value can ever meet.

        Args:
            known: Names of the metrics that the experiment produces; :func:`known_metrics` gives
                them.

        Raises:
            UserError: One line with the key: a metric unknown to the experiment, or a bound outside
                of what the metric can be (an accuracy above 1, a negative count).
        """
        for name, bound in self.bounds.items():
            for _, error in _mistakes(name, bound, known):
                raise error

    def _subset(self, names: Collection[str]) -> Indicator:
        return self.model_copy(update={"bounds": {name: self.bounds[name] for name in names}})


def known_metrics(classes: Collection[str] = ()) -> tuple[str, ...]:
    """Names of all metrics: static ones, then trained ones, then the recall of each class."""
    return (*STATIC_METRICS, *TRAINED_METRICS, *(f"{RECALL}{name}" for name in classes))


def metric_range(name: str) -> tuple[float, float]:
    """The least and greatest value that a metric can have, whatever the network."""
    return (0.0, math.inf) if name in STATIC_METRICS else (0.0, 1.0)


def _relative(excess: float, bound: float) -> float:
    if math.isnan(excess):
        return MOST
    relative = excess / abs(bound) if bound else excess
    return min(max(relative, -MOST), MOST)


def _names_of(name: str, known: Collection[str]) -> str:
    near = alternatives(name, known)
    listed = f"use one of {', '.join(sorted(known))}"
    return listed if near == listed else f"{near} the metrics are {', '.join(sorted(known))}"


def _any_recall(name: str) -> str:
    return name if name.startswith(RECALL) and name != RECALL else "recall.<class>"


def _mistakes(
    name: str, bound: Bound, known: Collection[str]
) -> Iterator[tuple[tuple[str, ...], UserError]]:
    """Yields what is wrong with a bound, and the keys under ``bounds`` where it is."""
    if name not in known:
        remedy = _names_of(name, known)
        yield (name,), UserError("unknown metric", where=f"bounds.{name}", remedy=remedy)
        return
    low, high = metric_range(name)
    kind = "a fraction between 0 and 1" if high == 1 else "never negative"
    if bound.min is not None and bound.min > high:
        yield _unmet(name, "min", bound.min, kind, f"write at most {high:g}")
    if bound.max is not None and bound.max < low:
        yield _unmet(name, "max", bound.max, kind, f"write at least {low:g}")


def _unmet(
    name: str, end: str, value: float, kind: str, remedy: str
) -> tuple[tuple[str, str], UserError]:
    problem = f"no network can meet {value:g}: {name} is {kind}"
    return (name, end), UserError(problem, where=f"bounds.{name}.{end}", remedy=remedy)
