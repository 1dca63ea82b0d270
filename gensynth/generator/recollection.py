"""A space that nobody wrote down, as a study's trials have shown it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from gensynth.generator.tracing import Tracer

LATEST = 300
"""Trials that are looked at, so that an ask costs the same in a long study."""


@dataclass(frozen=True)
class Condition:
    """When a decision is asked.

    Attributes:
        parent: The decision that it depends on.
        asked: For each value that the parent had, whether the decision was asked.
    """

    parent: str
    asked: Mapping[Hashable, bool]

    def holds(self, value: Any) -> bool:
        """Whether the decision is asked; for a number never seen, as for the nearest one."""
        known = self.asked.get(_typed(value))
        if known is not None:
            return known
        numbers = [key[1] for key in self.asked if isinstance(key, tuple) and _is_number(key[1])]
        if not numbers or not _is_number(value):
            return True
        nearest = min(numbers, key=lambda number: abs(number - value))
        return self.asked[_typed(nearest)]


class Recollection:
    """A define-by-run space that asks what past trials asked.

    A decision that only some trials have is asked where the value of another one says so, if there
    is one whose values have always said so; otherwise always.

    Args:
        trials: Trials with parameters; the latest are looked at.
    """

    def __init__(self, trials: Sequence[FrozenTrial]) -> None:
        latest = trials[-LATEST:]
        self._distributions: dict[str, BaseDistribution] = {}
        for trial in latest:
            self._distributions |= trial.distributions
        self._conditions = _conditions([trial.params for trial in latest], self._distributions)

    def __call__(self, tracer: Tracer) -> None:
        """Asks for decisions, each after the one that it depends on."""
        for name in self._distributions:
            self._ask(tracer, name)

    def _ask(self, tracer: Tracer, name: str) -> None:
        condition = self._conditions.get(name)
        if condition is not None:
            self._ask(tracer, condition.parent)
            decided = tracer.decisions
            if condition.parent not in decided or not condition.holds(decided[condition.parent]):
                return
        tracer.decide(name, self._distributions[name])


def _conditions(
    rows: Sequence[Mapping[str, Any]], names: Mapping[str, BaseDistribution]
) -> dict[str, Condition]:
    presence = {name: np.asarray([name in row for row in rows]) for name in names}
    found = {}
    for name, there in presence.items():
        if there.all():
            continue
        parents = [
            condition
            for other, having in presence.items()
            if having.sum() > there.sum()
            and not (there & ~having).any()
            and (condition := _condition(name, other, rows)) is not None
        ]
        if parents:
            found[name] = min(parents, key=lambda condition: len(condition.asked))
    return found


def _condition(name: str, parent: str, rows: Sequence[Mapping[str, Any]]) -> Condition | None:
    """The condition under which a decision is asked, if the parent's value always settles it."""
    asked: dict[Hashable, bool] = {}
    for row in rows:
        if parent in row and asked.setdefault(_typed(row[parent]), name in row) != (name in row):
            return None
    return Condition(parent, asked)


def _typed(value: Any) -> Hashable:
    return (isinstance(value, bool), value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
