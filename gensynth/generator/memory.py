"""One study's past, and the generators and inquisitors that follow from it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from gensynth.generator.drafts import Drafts
from gensynth.generator.front import front_order
from gensynth.generator.generator import Generator
from gensynth.generator.history import FINISHED, KEY, PLAN, REFUSED, Observation, identity, observe
from gensynth.generator.inquisitor import Inquisitor
from gensynth.generator.moves import drawing
from gensynth.generator.recollection import Recollection
from gensynth.generator.screen import Draft, Screen, written
from gensynth.generator.settings import Settings
from gensynth.generator.surrogate import Hyperparameters
from gensynth.generator.targets import strongest, utilities
from gensynth.generator.tracing import Define
from gensynth.generator.update import rank_weights, step
from gensynth.seams.optuna import note_trial

PLAIN = (bool, int, float, str, type(None))
"""Kinds of values that a storage can hold in an attribute."""


@dataclass(frozen=True)
class Learning:
    """How a generator follows from the past.

    Attributes:
        initial: G₀.
        screen: What can be known without training.
        performance: U of a trial; None: the objectives.
        seed: The run's seed.
        settings: How it goes about it.
    """

    initial: Generator
    screen: Screen
    performance: Callable[[FrozenTrial], float | None] | None
    seed: int
    settings: Settings


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
    plans: dict[int, Draft] = field(default_factory=dict)
    taken: set[Hashable] = field(default_factory=set)
    _count: int = 0
    _open: list[int] = field(default_factory=list)
    _shown: list[FrozenTrial] = field(default_factory=list)
    _moments: list[tuple[float, int]] = field(default_factory=list)
    _recollections: dict[int, Recollection] = field(default_factory=dict)
    _generators: list[tuple[int, Generator]] = field(default_factory=list)
    _chain: list[tuple[int, dict[str, Hyperparameters]]] = field(default_factory=list)
    _inquisitors: dict[int, Inquisitor] = field(default_factory=dict)
    _fitted: dict[int, dict[str, Hyperparameters]] = field(default_factory=dict)

    def refresh(self) -> None:
        """Reads what has happened since the last time: O(new and unfinished trials)."""
        trials = self.study.get_trials(deepcopy=False)
        waiting = []
        for number in (*self._open, *range(self._count, len(trials))):
            trial = trials[number]
            if trial.state.is_finished():
                self._close(trial)
                continue
            waiting.append(number)
            if trial.state == TrialState.RUNNING:
                self._notice(trial)
        self._count, self._open = len(trials), waiting

    def _close(self, trial: FrozenTrial) -> None:
        learning = self.learning
        self.plans.pop(trial.number, None)
        self.claim(trial.params, identity(trial, learning.screen))
        if trial.params:
            self._shown.append(trial)
        if trial.state in FINISHED:
            seen = observe(trial, self.study.directions, learning.screen, learning.performance)
            self._enter(_moment(trial), seen)

    def _enter(self, moment: tuple[float, int], seen: Observation) -> None:
        """Puts a trial where it finished; what was learned from later ones is forgotten."""
        place = bisect_right(self._moments, moment)
        self._moments.insert(place, moment)
        self.past.insert(place, seen)
        if place < len(self.past) - 1:
            self._generators = [entry for entry in self._generators if entry[0] <= place]
            self._chain = [entry for entry in self._chain if entry[0] <= place]
            self._inquisitors.clear()
            self._fitted.clear()

    def _notice(self, trial: FrozenTrial) -> None:
        """Counts a network of another asker, as far as it is known."""
        known = self.plans.get(trial.number)
        shown = max(trial.params, trial.system_attrs.get(PLAN, {}), key=len)
        if shown and (known is None or dict(known.decisions) != dict(shown)):
            known = self.learning.screen.known(shown)
            self.plans[trial.number] = known
            self.claim(shown, known.key)

    def announce(self, trial: FrozenTrial, known: Draft) -> None:
        """Plans a network for a trial, and lets other processes know."""
        self.plans[trial.number] = known
        if isinstance(known.key, str):
            note_trial(self.study, trial, KEY, known.key)
        if all(isinstance(value, PLAIN) for value in known.decisions.values()):
            note_trial(self.study, trial, PLAN, dict(known.decisions))

    def note_refused(self, trial: FrozenTrial, refused: Mapping[str, int]) -> None:
        """Keeps what was refused for a trial with the trial, so that a crash loses no count."""
        if refused:
            note_trial(self.study, trial, REFUSED, dict(refused))

    def contested(self, number: int) -> bool:
        """Takes the network planned for a trial; whether another trial had taken it meanwhile."""
        self.refresh()
        mine = self.plans[number]
        if not mine.decisions:
            return False
        contested = bool({written(mine.decisions), mine.key} & self.taken)
        self.claim(mine.decisions, mine.key)
        return contested

    def under_way(self) -> tuple[list[Mapping[str, Any]], list[Mapping[str, float]]]:
        """Decisions and costs of the trials that are not finished, by number."""
        known = [self.plans[number] for number in sorted(self.plans)]
        return [one.decisions for one in known], [one.costs for one in known]

    def claim(self, decisions: Mapping[str, Any], key: Hashable) -> None:
        """Remembers that a network was proposed."""
        self.taken |= {written(decisions), key}

    def recollection(self) -> Define[Any] | None:
        """Where no space is given: what the trials so far have shown of it, if anything."""
        size = _rounded(len(self._shown), self.learning.settings.refit)
        if size and size not in self._recollections:
            self._recollections = {size: Recollection(self._shown[:size])}
        return self._recollections.get(size)

    @property
    def observed(self) -> int:
        """Number of finished trials that say how good a network is."""
        return sum(one.utility is not None or one.objectives is not None for one in self.past)

    def generator(self) -> Generator:
        """The generator that follows from the finished trials."""
        while (size := self._following()) <= len(self.past):
            self._generators.append((size, self._next(size)))
        return self._generators[-1][1] if self._generators else self.learning.initial

    def _following(self) -> int:
        """Number of finished trials at which the generator is updated next.

        See :class:`Settings`, ``startup``, ``period`` and ``growth``.
        """
        settings = self.learning.settings
        if not self._generators:
            return max(settings.startup, 1)
        last = self._generators[-1][0]
        return last + max(settings.period, last // settings.growth)

    def generators(self) -> list[Generator]:
        """G₀ and all that followed."""
        return [self.learning.initial, *(generator for _, generator in self._generators)]

    def _next(self, size: int) -> Generator:
        settings = self.learning.settings
        before = self._generators[-1][1] if self._generators else self.learning.initial
        past = _chosen(self.past[:size], settings.few)
        met = {name: kind for one in past for name, kind in one.distributions.items()}
        before = before.meeting(met)
        order = self._probed(past, before, size)
        elites = order[: max(settings.fewest_elites, round(settings.elites * len(order)))]
        moved = step(before, elites, rank_weights(len(elites)), met=met, settings=settings)
        return moved.model_copy(update={"trials": size})

    def _probed(
        self, past: Sequence[Observation], before: Generator, size: int
    ) -> list[Mapping[str, Any]]:
        """Decisions of trained networks and of fresh samples, as the inquisitor ranks them."""
        if np.isnan(utilities(past)).all():
            return [past[index].decisions for index in front_order(past, max(8, len(past) // 2))]
        if not self._chain or size >= 2 * self._chain[-1][0]:
            inquisitor = Inquisitor(past, before.theta, self.learning.screen)
            self._chain.append((size, inquisitor.hyperparameters))
        else:
            known = self._chain[-1][1]
            inquisitor = Inquisitor(past, before.theta, self.learning.screen, known)
        rows = [(one.decisions, one.costs) for one in past if one.violation <= 0 or not one.static]
        define = self.learning.screen.define
        if define is not None:
            rng = np.random.default_rng([self.learning.seed, before.iteration, 1])
            drafts = Drafts(self.learning.screen)
            for _ in range(self.learning.settings.probes):
                drafts.draw(define, drawing(before, int(rng.integers(2**63))))
            rows += [(one.decisions, one.costs) for one in drafts.admissible]
        rows = rows or [(one.decisions, one.costs) for one in past]
        prediction = inquisitor.predict([row[0] for row in rows], [row[1] for row in rows])
        return [rows[index][0] for index in prediction.order]

    def inquisitor(self) -> Inquisitor:
        """What has been learned of the networks.

        Everything is learned anew when the trials have grown enough for it: see :class:`Settings`,
        ``recondition`` and ``refit``.
        """
        settings = self.learning.settings
        size = _rounded(len(self.past), settings.recondition)
        if size not in self._inquisitors:
            fitted = _rounded(len(self.past), settings.refit)
            if fitted not in self._fitted:
                known = self._learned(fitted, None, settings.few).hyperparameters
                self._fitted = {fitted: known}
            self._inquisitors = {size: self._learned(size, self._fitted[fitted], settings.most)}
        return self._inquisitors[size]

    def _learned(
        self, size: int, known: dict[str, Hyperparameters] | None, most: int
    ) -> Inquisitor:
        past = _chosen(self.past[:size], most)
        met = {key: kind for one in past for key, kind in one.distributions.items()}
        theta = self.generator().meeting(met).theta
        return Inquisitor(past, theta, self.learning.screen, known)


def _chosen(past: Sequence[Observation], most: int) -> list[Observation]:
    return [past[index] for index in strongest(past, most)]


def _rounded(count: int, parts: int) -> int:
    """The last multiple of a growing step: at most one ``parts``-th less than ``count``."""
    return count - count % max(1, count // parts)


def _moment(trial: FrozenTrial) -> tuple[float, int]:
    finish = trial.datetime_complete
    return (finish.timestamp() if finish else 0.0, trial.number)
