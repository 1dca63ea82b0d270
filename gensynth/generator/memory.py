"""One study's past, and the generators and inquisitors that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from gensynth.generator.decisions import Vector
from gensynth.generator.front import front_order, leaning
from gensynth.generator.generator import Generator
from gensynth.generator.history import (
    FINISHED,
    Known,
    Observation,
    Screen,
    observe,
    recall,
    written,
)
from gensynth.generator.inquisitor import Inquisitor
from gensynth.generator.proposal import Pool, drawing
from gensynth.generator.tracing import Define, Tracer
from gensynth.generator.update import rank_weights, step

PERIOD = 4
GROWTH = 10
REFIT = 50
ELITES = 0.25
FEWEST_ELITES = 8
PROBES = 64


@dataclass(frozen=True)
class Learning:
    """How a generator follows from the past.

    Attributes:
        initial: G₀.
        screen: What can be known without training.
        performance: U of a trial; None: the objectives.
        seed: The run's seed.
        startup: Finished trials before the inquisitor is asked.
        step_limit: See :func:`gensynth.generator.update.step`.
        entropy_floor: See :func:`gensynth.generator.update.step`.
    """

    initial: Generator
    screen: Screen
    performance: Callable[[FrozenTrial], float | None] | None
    seed: int
    startup: int
    step_limit: float
    entropy_floor: float


@dataclass
class Memory:
    """What is known of one study. Everything in it follows from the study, so it can be lost.

    Attributes:
        study: The study (kept, so that its storage outlives what is remembered of it).
        learning: How to learn from it.
        past: Finished trials in the order in which they finished.
        plans: Networks of trials that are under way, by trial number.
        taken: Identities of all networks proposed so far.
    """

    study: Study
    learning: Learning
    past: list[Observation] = field(default_factory=list)
    plans: dict[int, Known] = field(default_factory=dict)
    taken: set[Hashable] = field(default_factory=set)
    _closed: set[int] = field(default_factory=set)
    _read: dict[int, Observation] = field(default_factory=dict)
    _generators: list[tuple[int, Generator]] = field(default_factory=list)
    _inquisitors: dict[tuple[int, ...], Inquisitor] = field(default_factory=dict)

    def refresh(self) -> None:
        """Reads what has happened since the last time; O(trials) without the new ones' cost."""
        trials = self.study.get_trials(deepcopy=False)
        finished = [trial for trial in trials if trial.state in FINISHED]
        for trial in trials:
            if trial.state.is_finished():
                if trial.number not in self._closed:
                    self._close(trial)
            elif trial.state == TrialState.RUNNING:
                self._notice(trial)
        if len(finished) == len(self.past):
            return
        order = sorted(finished, key=_moment)
        past = [self._read[trial.number] for trial in order]
        same = next(
            (
                index
                for index, (new, old) in enumerate(zip(past, self.past, strict=False))
                if new is not old
            ),
            min(len(past), len(self.past)),
        )
        self._generators = [entry for entry in self._generators if entry[0] <= same]
        if same < len(self.past):
            self._inquisitors.clear()
        self.past = past

    def _close(self, trial: FrozenTrial) -> None:
        learning = self.learning
        self._closed.add(trial.number)
        self.plans.pop(trial.number, None)
        if trial.state in FINISHED:
            seen = observe(trial, self.study.directions, learning.screen, learning.performance)
            self._read[trial.number] = seen
            self.claim(trial.params, seen.key)
        else:
            self.claim(trial.params, recall(trial.params, learning.screen).key)

    def _notice(self, trial: FrozenTrial) -> None:
        """Counts a network of another asker, as far as its parameters are known."""
        known = self.plans.get(trial.number)
        if trial.params and (known is None or len(known.decisions) < len(trial.params)):
            known = recall(trial.params, self.learning.screen)
            self.plans[trial.number] = known
            self.claim(trial.params, known.key)

    def under_way(self) -> tuple[list[Mapping[str, Any]], list[Mapping[str, float]]]:
        """Decisions and costs of the trials that are not finished, by number."""
        known = [self.plans[number] for number in sorted(self.plans)]
        return [one.decisions for one in known], [one.costs for one in known]

    def claim(self, decisions: Mapping[str, Any], key: Hashable) -> None:
        """Remembers that a network was proposed."""
        self.taken |= {written(decisions), key}

    def recollection(self, rng: np.random.Generator) -> Define[Any] | None:
        """Where no space is given: one that asks what one of the past trials asked, if any."""
        if not self.past:
            return None
        asked = self.past[int(rng.integers(len(self.past)))].distributions

        def define(tracer: Tracer) -> None:
            for name, distribution in asked.items():
                tracer.decide(name, distribution)

        return define

    @property
    def observed(self) -> int:
        """Number of finished trials that say how good a network is."""
        return sum(one.utility is not None or one.objectives is not None for one in self.past)

    def generator(self) -> Generator:
        """The generator that follows from the finished trials."""
        for size in _boundaries(self.learning.startup, len(self.past)):
            if not any(entry[0] == size for entry in self._generators):
                self._generators.append((size, self._next(size)))
        return self._generators[-1][1] if self._generators else self.learning.initial

    def generators(self) -> list[Generator]:
        """G₀ and all that followed."""
        return [self.learning.initial, *(generator for _, generator in self._generators)]

    def _next(self, size: int) -> Generator:
        before = self._generators[-1][1] if self._generators else self.learning.initial
        past = self.past[:size]
        met = {name: kind for one in past for name, kind in one.distributions.items()}
        before = before.meeting(met)
        order = self._probed(past, before, size)
        elites = order[: max(FEWEST_ELITES, round(ELITES * len(order)))]
        moved = step(
            before,
            elites,
            rank_weights(len(elites)),
            met=met,
            step_limit=self.learning.step_limit,
            entropy_floor=self.learning.entropy_floor,
        )
        return moved.model_copy(update={"trials": size})

    def _probed(
        self, past: Sequence[Observation], before: Generator, size: int
    ) -> list[Mapping[str, Any]]:
        """Decisions of trained networks and of fresh samples, as the inquisitor ranks them."""
        targets = utilities(past)
        if np.isnan(targets).all():
            return [past[index].decisions for index in front_order(past)]
        inquisitor = Inquisitor(past, targets, before.theta, self.learning.screen)
        rows = [(one.decisions, one.costs) for one in past if one.violation <= 0 or not one.static]
        define = self.learning.screen.define
        if define is not None:
            rng = np.random.default_rng([self.learning.seed, before.iteration, 1])
            pool = Pool(self.learning.screen, lambda key: False, PROBES * 2)
            for _ in range(PROBES):
                pool.draw(define, drawing(before, int(rng.integers(2**63))))
            rows += [(one.decisions, one.costs) for one in pool.candidates]
        rows = rows or [(one.decisions, one.costs) for one in past]
        prediction = inquisitor.predict([row[0] for row in rows], [row[1] for row in rows])
        return [rows[index][0] for index in prediction.order]

    def inquisitor(self, lean: Vector | None = None) -> Inquisitor:
        """What has been learned of the networks.

        Args:
            lean: Weights of the objectives, where they and not U are the target.
        """
        size = len(self.past) - len(self.past) % max(1, len(self.past) // REFIT)
        past = self.past[:size]
        name = (size, *(() if lean is None else tuple(lean.tolist())))
        if name not in self._inquisitors:
            targets = utilities(past) if lean is None else leaning(past, lean)
            met = {key: kind for one in past for key, kind in one.distributions.items()}
            theta = self.generator().meeting(met).theta
            self._inquisitors = {name: Inquisitor(past, targets, theta, self.learning.screen)}
        return self._inquisitors[name]


def utilities(past: Sequence[Observation]) -> Vector:
    """U of every observation, NaN where there is none, (observations,)."""
    return np.asarray([np.nan if one.utility is None else one.utility for one in past])


def _boundaries(startup: int, count: int) -> list[int]:
    """Numbers of finished trials at which the generator is updated, up to ``count``.

    Every four trials and later every tenth of them more, so that the number of updates grows with
    the logarithm of the trials.
    """
    found = []
    size = max(startup, 1)
    while size <= count:
        found.append(size)
        size += max(PERIOD, size // GROWTH)
    return found


def _moment(trial: FrozenTrial) -> tuple[float, int]:
    finish = trial.datetime_complete
    return (finish.timestamp() if finish else 0.0, trial.number)
