"""Runs a define-by-run space with answers of our own, and keeps what it asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

OutcomeT = TypeVar("OutcomeT")
OutcomeT_co = TypeVar("OutcomeT_co", covariant=True)

REMEMBERED = 4096
"""Distributions kept for reuse; a space has fewer, so asking does not make them anew."""

_TUPLES: dict[int, tuple[Sequence[Any], CategoricalDistribution]] = {}

Choose = Callable[[str, BaseDistribution], Any]
Define = Callable[[Any], OutcomeT]


@dataclass(frozen=True)
class Trace(Generic[OutcomeT_co]):
    """One run of a space.

    Attributes:
        decisions: Name and value of every decision, in the order asked.
        distributions: What each could have been.
        outcome: What the space returned.
    """

    decisions: Mapping[str, Any]
    distributions: Mapping[str, BaseDistribution]
    outcome: OutcomeT_co


class Tracer:
    """Answers as :class:`optuna.Trial` does, each name once."""

    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        self.decisions: dict[str, Any] = {}
        self.distributions: dict[str, BaseDistribution] = {}

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """Decides an integer from ``low`` to ``high``, both included."""
        return int(self.decide(name, _integers(low, high, log, step)))

    def suggest_float(
        self,
        name: str,
        low: float,
        high: float,
        *,
        step: float | None = None,
        log: bool = False,
    ) -> float:
        """Decides a float from ``low`` to ``high``, both included."""
        return float(self.decide(name, _floats(low, high, log, step)))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Decides for one of ``choices``."""
        return self.decide(name, _categorical(choices))

    def decide(self, name: str, distribution: BaseDistribution) -> Any:
        """Decides by the distribution itself; a name that was decided keeps its value."""
        if name not in self.decisions:
            self.decisions[name] = self._choose(name, distribution)
            self.distributions[name] = distribution
        return self.decisions[name]


def trace(define: Define[OutcomeT], choose: Choose) -> Trace[OutcomeT]:
    """Runs a space.

    Args:
        define: The space: any function that asks its argument for decisions by
            ``suggest_int``, ``suggest_float`` and ``suggest_categorical``.
        choose: Gives the value of a named decision.

    Returns:
        What was decided, and what came out.
    """
    tracer = Tracer(choose)
    outcome = define(tracer)
    return Trace(tracer.decisions, tracer.distributions, outcome)


@lru_cache(maxsize=REMEMBERED)
def _integers(low: int, high: int, log: bool, step: int) -> IntDistribution:
    return IntDistribution(low, high, log=log, step=step)


@lru_cache(maxsize=REMEMBERED)
def _floats(low: float, high: float, log: bool, step: float | None) -> FloatDistribution:
    return FloatDistribution(low, high, log=log, step=step)


def _categorical(choices: Sequence[Any]) -> CategoricalDistribution:
    """The distribution over choices; of one tuple always the same."""
    met = _TUPLES.get(id(choices))
    if met is not None and met[0] is choices:
        return met[1]
    try:
        distribution = _choices(tuple((type(choice), choice) for choice in choices))
    except TypeError:
        distribution = CategoricalDistribution(choices)
    if isinstance(choices, tuple):
        if len(_TUPLES) >= REMEMBERED:
            _TUPLES.clear()
        _TUPLES[id(choices)] = (choices, distribution)
    return distribution


@lru_cache(maxsize=REMEMBERED)
def _choices(typed: tuple[tuple[type, Any], ...]) -> CategoricalDistribution:
    return CategoricalDistribution([choice for _, choice in typed])
