"""What a study has seen, as the inquisitor reads it."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from gensynth.generator.tracing import Define, Plan, trace

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
STOPPED_FIDELITY = 0.5
KEY = "gensynth:key"
PLAN = "gensynth:plan"

Violations = Callable[[Any], Mapping[str, float]]
Key = Callable[[Any], Hashable]


@dataclass(frozen=True)
class Screen:
    """What is known of a network before it is trained.

    Attributes:
        define: The space; None when only the study's own trials show it.
        violations: Exact static violations of what ``define`` returns, signed, <= 0 when met.
        key: Identity of what ``define`` returns; its decisions where there is none.
        costs: Exact metrics of what ``define`` returns, for the inquisitor to learn from.
    """

    define: Define[Any] | None = None
    violations: Violations | None = None
    key: Key | None = None
    costs: Violations | None = None

    def examine(self, outcome: Any) -> dict[str, float]:
        """Static violations of an outcome; empty without ``violations``."""
        return dict(self.violations(outcome)) if self.violations else {}

    def weigh(self, outcome: Any, static: Mapping[str, float]) -> Mapping[str, float]:
        """What tells networks apart beside their decisions: costs, or else static violations."""
        return dict(self.costs(outcome)) if self.costs else static

    def identify(self, decisions: Mapping[str, Any], outcome: Any) -> Hashable:
        """The identity of a network."""
        if self.key is not None:
            return self.key(outcome)
        return written(decisions)


def written(decisions: Mapping[str, Any]) -> Hashable:
    """Decisions as one hashable value, whatever their order."""
    return tuple(sorted((name, type(value).__name__, value) for name, value in decisions.items()))


@dataclass(frozen=True)
class Known:
    """What is known of a network before it is trained."""

    decisions: Mapping[str, Any]
    static: Mapping[str, float]
    costs: Mapping[str, float]
    key: Hashable


@dataclass(frozen=True)
class Observation:
    """One finished trial.

    Attributes:
        number: The trial's.
        decisions: Its parameters.
        distributions: What they could have been.
        measured: Violations that were measured, by constraint.
        utility: U, greater is better; None when it was not measured.
        objectives: Objectives, turned so that greater is better; None when not measured.
        fidelity: Share of the full training that it had.
        screen: What can be known without training.
    """

    number: int
    decisions: Mapping[str, Any]
    distributions: Mapping[str, BaseDistribution]
    measured: Mapping[str, float]
    utility: float | None
    objectives: tuple[float, ...] | None
    fidelity: float
    screen: Screen

    @cached_property
    def known(self) -> Known:
        """What was known before training; the network is built for it, so only when needed."""
        return recall(self.decisions, self.screen)

    @property
    def static(self) -> Mapping[str, float]:
        """Exact violations, known before training."""
        return self.known.static

    @property
    def costs(self) -> Mapping[str, float]:
        """Exact metrics, known before training."""
        return self.known.costs

    @cached_property
    def violation(self) -> float:
        """Total violation, 0 when everything known is met."""
        return sum(max(value, 0.0) for value in (self.measured or self.static).values())


def observe(
    trial: FrozenTrial,
    directions: Sequence[StudyDirection],
    screen: Screen,
    performance: Callable[[FrozenTrial], float | None] | None,
) -> Observation:
    """Reads a finished trial.

    Args:
        trial: A complete or pruned trial.
        directions: The study's.
        screen: What can be known without training.
        performance: U of a trial; without it, a single objective is U.
    """
    objectives = _objectives(trial, directions)
    if performance is not None:
        utility = _finite(performance(trial))
    else:
        utility = objectives[0] if objectives and len(objectives) == 1 else None
    complete = 1.0 if trial.state == TrialState.COMPLETE else STOPPED_FIDELITY
    fidelity = _finite(trial.user_attrs.get("fidelity"))
    return Observation(
        number=trial.number,
        decisions=trial.params,
        distributions=trial.distributions,
        measured={name: _bounded(value) for name, value in trial.constraints.items()},
        utility=utility,
        objectives=objectives,
        fidelity=complete if fidelity is None else min(max(fidelity, 0.0), 1.0),
        screen=screen,
    )


def identity(trial: FrozenTrial, screen: Screen) -> Hashable:
    """The identity of a trial's network: as it was noted when it was proposed, or found again."""
    noted = trial.system_attrs.get(KEY)
    return recall(trial.params, screen).key if noted is None else noted


def recall(params: Mapping[str, Any], screen: Screen) -> Known:
    """What is known of recorded parameters; nothing but them where the space has no such point."""
    if screen.define is None:
        return Known(params, {}, {}, written(params))
    try:
        plan = trace(screen.define, lambda name, distribution: params[name])
    except (KeyError, ValueError):
        return Known(params, {}, {}, written(params))
    return recognise(plan, screen)


def recognise(plan: Plan[Any], screen: Screen) -> Known:
    """What is known of one run of the space."""
    static = screen.examine(plan.outcome)
    return Known(
        decisions=plan.decisions,
        static=static,
        costs=screen.weigh(plan.outcome, static),
        key=screen.identify(plan.decisions, plan.outcome),
    )


def _objectives(
    trial: FrozenTrial, directions: Sequence[StudyDirection]
) -> tuple[float, ...] | None:
    if trial.values is None or len(trial.values) != len(directions):
        return None
    signs = [1.0 if direction == StudyDirection.MAXIMIZE else -1.0 for direction in directions]
    values = tuple(sign * value for sign, value in zip(signs, trial.values, strict=True))
    return None if any(math.isnan(value) for value in values) else values


def _finite(value: Any) -> float | None:
    if not isinstance(value, int | float) or math.isnan(value):
        return None
    return float(value)


def _bounded(value: float) -> float:
    return min(max(float(value), -1e9), 1e9)
