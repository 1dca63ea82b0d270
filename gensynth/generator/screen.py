"""What is known of a network before it is trained."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from optuna.distributions import BaseDistribution

from gensynth.generator.tracing import Define, Trace, trace

Metrics = Callable[[Any], Mapping[str, float]]
Key = Callable[[Any], Hashable]


@dataclass(frozen=True)
class Screen:
    """How to know a network without training it.

    Attributes:
        define: The space; None when only the study's own trials show it.
        violations: Exact static violations of what ``define`` returns, signed, <= 0 when met.
        key: Identity of what ``define`` returns; its decisions where there is none.
        costs: Exact metrics of what ``define`` returns, for the inquisitor to learn from.
    """

    define: Define[Any] | None = None
    violations: Metrics | None = None
    key: Key | None = None
    costs: Metrics | None = None

    def examine(self, outcome: Any) -> dict[str, float]:
        """Static violations of an outcome; empty without ``violations``."""
        return dict(self.violations(outcome)) if self.violations else {}

    def weigh(self, outcome: Any, static: Mapping[str, float]) -> Mapping[str, float]:
        """What tells networks apart beside their decisions: costs, or else static violations."""
        return dict(self.costs(outcome)) if self.costs else static

    def draft(self, found: Trace[Any]) -> Draft:
        """What is known of one run of the space."""
        static = self.examine(found.outcome)
        costs = self.weigh(found.outcome, static)
        decisions, distributions, outcome = found.decisions, found.distributions, found.outcome
        return Draft(decisions, distributions, static, costs, outcome, self.key)

    def known(self, decisions: Mapping[str, Any]) -> Draft:
        """What is known of recorded decisions; nothing more where the space has no such point."""
        if self.define is None:
            return Draft(decisions)
        try:
            found = trace(self.define, lambda name, distribution: decisions[name])
        except (KeyError, ValueError):
            return Draft(decisions)
        return self.draft(found)


@dataclass(frozen=True, eq=False)
class Draft:
    """A network that is not trained yet.

    Attributes:
        decisions: Name and value of every decision.
        distributions: What they could have been.
        static: Exact static violations.
        costs: What the inquisitor is told beside the decisions.
        outcome: What the space returned.
        key_of: What gives its identity; its decisions are it otherwise.
    """

    decisions: Mapping[str, Any]
    distributions: Mapping[str, BaseDistribution] = field(default_factory=dict)
    static: Mapping[str, float] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    outcome: Any = None
    key_of: Key | None = None

    @cached_property
    def key(self) -> Hashable:
        """Identity, which may take longer than all the rest and is found when it is asked for."""
        return written(self.decisions) if self.key_of is None else self.key_of(self.outcome)

    @property
    def excess(self) -> float:
        """Total static violation."""
        return sum(max(value, 0.0) for value in self.static.values())


def written(decisions: Mapping[str, Any]) -> Hashable:
    """Decisions as one hashable value, whatever their order."""
    return tuple(sorted((name, type(value).__name__, value) for name, value in decisions.items()))
