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

from gensynth.generator.screen import Draft, Screen

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
"""States of trials that teach."""
STOPPED_FIDELITY = 0.5
"""Fidelity of a pruned trial that does not say how much of a training it had: a guess."""
LARGEST = 1e9
"""Violations beyond it, infinite ones too, count as this one."""
KEY = "gensynth:key"
"""System attribute of a trial: the identity of its network."""
PLAN = "gensynth:plan"
"""System attribute of a trial: the decisions planned for it."""
REFUSED = "gensynth:refused"
"""System attribute of a trial: networks that were refused before its own was found, by bound."""


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
    def draft(self) -> Draft:
        """What was known before training; the network is built for it, so only when needed."""
        return self.screen.known(self.decisions)

    @property
    def static(self) -> Mapping[str, float]:
        """Exact violations, known before training."""
        return self.draft.static

    @property
    def costs(self) -> Mapping[str, float]:
        """Exact metrics, known before training."""
        return self.draft.costs

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
    return screen.known(trial.params).key if noted is None else noted


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
    return min(max(float(value), -LARGEST), LARGEST)
