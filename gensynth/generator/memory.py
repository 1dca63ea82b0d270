"""One study's past, and the generators and inquisitors that follow from it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from gensynth.generator.front import front_order
from gensynth.generator.generator import Generator
from gensynth.generator.history import (
    FINISHED,
    KEY,
    PLAN,
    Known,
    Observation,
    Screen,
    identity,
    observe,
    recall,
    written,
)
from gensynth.generator.inquisitor import Inquisitor
from gensynth.generator.proposal import Pool, drawing
from gensynth.generator.recollection import Recollection
from gensynth.generator.surrogate import Shape
from gensynth.generator.targets import strongest, utilities
from gensynth.generator.tracing import Define
from gensynth.generator.update import rank_weights, step

PERIOD = 4
GROWTH = 5
REFIT = 50
RESHAPE = 10
MOST = 300
FEW = 120
ELITES = 0.25
FEWEST_ELITES = 8
PROBES = 32
PLAIN = (bool, int, float, str, type(None))


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
    _count: int = 0
    _open: list[int] = field(default_factory=list)
    _shown: list[FrozenTrial] = field(default_factory=list)
    _moments: list[tuple[float, int]] = field(default_factory=list)
    _recollections: dict[int, Recollection] = field(default_factory=dict)
    _generators: list[tuple[int, Generator]] = field(default_factory=list)
    _chain: list[tuple[int, dict[str, Shape]]] = field(default_factory=list)
    _inquisitors: dict[int, Inquisitor] = field(default_factory=dict)
    _shapes: dict[int, dict[str, Shape]] = field(default_factory=dict)

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
            self._shapes.clear()

    def _notice(self, trial: FrozenTrial) -> None:
        """Counts a network of another asker, as far as it is known."""
        known = self.plans.get(trial.number)
        shown = max(trial.params, trial.system_attrs.get(PLAN, {}), key=len)
        if shown and (known is None or dict(known.decisions) != dict(shown)):
            known = recall(shown, self.learning.screen)
            self.plans[trial.number] = known
            self.claim(shown, known.key)

    def announce(self, trial: FrozenTrial, known: Known) -> None:
        """Plans a network for a trial, and lets other processes know."""
        self.plans[trial.number] = known
        storage = self.study._storage
        if isinstance(known.key, str):
            storage.set_trial_system_attr(trial._trial_id, KEY, known.key)
        if all(isinstance(value, PLAIN) for value in known.decisions.values()):
            storage.set_trial_system_attr(trial._trial_id, PLAN, dict(known.decisions))

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
        size = _rounded(len(self._shown), RESHAPE)
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

        Every four trials and later every fifth of them more, so that the number of updates grows
        with the logarithm of the trials.
        """
        if not self._generators:
            return max(self.learning.startup, 1)
        last = self._generators[-1][0]
        return last + max(PERIOD, last // GROWTH)

    def generators(self) -> list[Generator]:
        """G₀ and all that followed."""
        return [self.learning.initial, *(generator for _, generator in self._generators)]

    def _next(self, size: int) -> Generator:
        before = self._generators[-1][1] if self._generators else self.learning.initial
        past = _chosen(self.past[:size], FEW)
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
        if np.isnan(utilities(past)).all():
            return [past[index].decisions for index in front_order(past)]
        if not self._chain or size >= 2 * self._chain[-1][0]:
            inquisitor = Inquisitor(past, before.theta, self.learning.screen)
            self._chain.append((size, inquisitor.shapes))
        else:
            shapes = self._chain[-1][1]
            inquisitor = Inquisitor(past, before.theta, self.learning.screen, shapes)
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

    def inquisitor(self) -> Inquisitor:
        """What has been learned of the networks.

        Everything is learned anew when the trials have grown by a fiftieth, hyperparameters when
        they have grown by a tenth.
        """
        size = _rounded(len(self.past), REFIT)
        if size not in self._inquisitors:
            fitted = _rounded(len(self.past), RESHAPE)
            if fitted not in self._shapes:
                self._shapes = {fitted: self._learned(fitted, None, most=FEW).shapes}
            self._inquisitors = {size: self._learned(size, self._shapes[fitted])}
        return self._inquisitors[size]

    def _learned(
        self, size: int, shapes: dict[str, Shape] | None, *, most: int = MOST
    ) -> Inquisitor:
        past = _chosen(self.past[:size], most)
        met = {key: kind for one in past for key, kind in one.distributions.items()}
        theta = self.generator().meeting(met).theta
        return Inquisitor(past, theta, self.learning.screen, shapes)


def _chosen(past: Sequence[Observation], most: int) -> list[Observation]:
    return [past[index] for index in strongest(past, most)]


def _rounded(count: int, parts: int) -> int:
    """The last multiple of a growing step: at most one ``parts``-th less than ``count``."""
    return count - count % max(1, count // parts)


def _moment(trial: FrozenTrial) -> tuple[float, int]:
    finish = trial.datetime_complete
    return (finish.timestamp() if finish else 0.0, trial.number)
