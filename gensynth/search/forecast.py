"""The time of a run: what is left of it, and what a confirmation would take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil
from typing import NamedTuple

from gensynth.data import reported
from gensynth.execution import Clock, Entry
from gensynth.search.outcome import Outcome, ranking
from gensynth.search.preparation import Setting
from gensynth.search.study import SearchStudy

SHARE_OF_ALL = 0.4
SHARE_OF_FIRST = 0.6
MARGIN = 1.15
"""For the folds that are under way when the search ends, and for the last ones that leave a worker
without work."""


class Pace(NamedTuple):
    """How long a network trains, 0 where nothing is known of it.

    Attributes:
        epoch: Seconds that an epoch of one fold takes.
        start: Seconds that its pretraining takes.
    """

    epoch: float
    start: float


@dataclass
class Forecast:
    """Says whether there is time: to search on, to begin a confirmation, to go on with one.

    Args:
        setting: The experiment.
        study: What is known of its candidates.
        trained: Every fold that was trained, with its seconds: the journal.
        clock: The time of the run.
        workers: Number of workers.
    """

    setting: Setting
    study: SearchStudy
    trained: Iterable[Entry]
    clock: Clock
    workers: int
    _reserved: tuple[int, float] = field(default=(-1, 0.0), init=False)

    @property
    def searching(self) -> bool:
        """Whether there is time to search on, and then to confirm what would be chosen now."""
        return self.clock.within(self.reserve())

    @property
    def confirming(self) -> bool:
        """Whether any time is left."""
        return self.clock.within()

    def affordable(self, outcome: Outcome) -> bool:
        """Whether there is time to confirm a candidate."""
        return self.clock.within(self.seconds(outcome))

    def reserve(self) -> float:
        """Seconds to keep for confirming the finalists that would be chosen now."""
        if self.clock.limit is None:
            return 0.0
        count = len(self.study.outcomes)
        if self._reserved[0] != count:
            wanted = self.setting.experiment.confirm.finalists
            chosen = ranking(
                tuple(self.study.outcomes.values()), self.setting.dataset.task.headline
            )[:wanted]
            needed = [MARGIN * self.seconds(outcome) for outcome in chosen]
            self._reserved = (
                count,
                max(
                    min(sum(needed), SHARE_OF_ALL * self.clock.limit),
                    min(sum(needed[:1]), SHARE_OF_FIRST * self.clock.limit),
                ),
            )
        return self._reserved[1]

    def seconds(self, outcome: Outcome) -> float:
        """Estimated time to confirm a candidate with all workers.

        Every worker that has folds of a cross-validation makes its pretraining.
        """
        seeds = self.setting.experiment.confirm.seeds
        trainings = seeds * len(reported(self.setting.folds))
        pace = self.pace(outcome.genome)
        starts = min(seeds, ceil(trainings / self.workers))
        epochs = trainings * self.setting.experiment.confirm_epochs
        return starts * pace.start + pace.epoch * epochs / self.workers

    def pace(self, genome: str) -> Pace:
        """How long a network trained so far, by its canonical hash."""
        entries = [entry for entry in self.trained if entry.genome == genome]
        epochs = sum(entry.epochs for entry in entries)
        return Pace(
            epoch=sum(entry.seconds for entry in entries) / epochs if epochs else 0.0,
            start=max((entry.pretraining for entry in entries), default=0.0),
        )
