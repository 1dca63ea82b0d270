"""Jobs, who makes them, and who keeps the books while workers do them.

Nothing here knows about Ray: an executor asks a :class:`Conductor` for jobs whenever a worker is
free and hands it every result.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from gensynth.errors import UserError
from gensynth.genome import Genome
from gensynth.search.journal import Entry, Journal
from gensynth.search.plan import Phase, Unit
from gensynth.training import FoldResult

logger = logging.getLogger(__name__)

RETRIES = 1


class EverythingFails(UserError):
    """One training after the other failed, so that going on makes no sense."""


@dataclass(frozen=True)
class Job:
    """Folds of one network, to be trained in order by one worker.

    Attributes:
        phase: What they are for.
        genome: The network.
        units: The folds.
        trial: Number of the Optuna trial, if the job belongs to one.
        attempt: How often in a row it was given to a worker that failed.
    """

    phase: Phase
    genome: Genome
    units: tuple[Unit, ...]
    trial: int | None = None
    attempt: int = 0


class Stage(Protocol):
    """A source of jobs: the search, the confirmation, an evaluation."""

    def next(self) -> Job | None:
        """The next job, or None if there is none now."""

    def exhausted(self) -> bool:
        """Whether no job will come any more, whatever the results of those under way."""

    def overtime(self) -> bool:
        """Whether the next stage may begin although jobs of this one are under way."""

    def result(self, job: Job, result: FoldResult) -> bool:
        """Takes a result; returns whether the rest of the job is still wanted."""

    def failed(self, job: Job, reason: str) -> None:
        """Takes note that a job could not be done."""

    def idle(self) -> None:
        """Keeps the books while all workers are busy."""

    def close(self) -> None:
        """Ends the stage: no job of it will come back."""


@dataclass
class Conductor:
    """Gives out the jobs of some stages, one stage after the other.

    A fold that the journal knows is never trained again: its result is handed to the stage at once.

    Args:
        stages: In order.
        journal: Where every new result goes first.
        workers: Number of workers, for judging failures.
        watch: Called whenever something has happened.

    Attributes:
        error: Why the run has to end early, if it has to.
    """

    stages: Sequence[Stage]
    journal: Journal
    workers: int = 1
    watch: Callable[[], None] = lambda: None
    error: BaseException | None = None
    _position: int = 0
    _again: deque[tuple[Stage, Job]] = field(default_factory=deque)
    _live: dict[int, tuple[Stage, Job]] = field(default_factory=dict)
    _count: int = 0
    _failures: int = 0
    _behind: bool = False
    _held: tuple[int, Job] | None = None

    @property
    def running(self) -> int:
        """Number of jobs that workers have."""
        return len(self._live)

    @property
    def held(self) -> bool:
        """Whether :meth:`peek` has a job ready."""
        return self._held is not None

    @property
    def finished(self) -> bool:
        """Whether everything is done, or cannot go on."""
        if self.error is not None:
            return True
        return self._position >= len(self.stages) and not self._live and not self._again

    def next(self) -> tuple[int, Job] | None:
        """A job for a free worker, with its key; None if there is none now.

        Once :attr:`finished` holds, none will come.
        """
        if self._held is not None:
            held, self._held = self._held, None
            return held
        while not self.finished:
            found = self._take()
            if found is None:
                return None
            stage, job = found
            remaining = self._recall(stage, job)
            if remaining:
                self._behind = True
                self._count += 1
                self._live[self._count] = (stage, replace(job, units=remaining))
                self.watch()
                return self._count, self._live[self._count][1]
        return None

    def peek(self) -> None:
        """Gets the first job ready, so that :attr:`finished` says whether there is any."""
        if self._held is None:
            self._held = self.next()

    def result(self, key: int, result: FoldResult) -> bool:
        """Takes the result of a job's next unit; returns whether the worker is to go on."""
        if self._behind:
            self.idle()
        stage, job = self._live[key]
        unit = Unit(fold=result.fold, epochs=result.epochs, seed=result.seed)
        self._failures = 0
        if self.journal.find(job.genome.hash, unit) is None:
            self.journal.append(Entry.of(job.phase, job.trial, job.genome.hash, result))
        remaining = tuple(other for other in job.units if other != unit)
        job = replace(job, units=remaining, attempt=0)
        wanted = stage.result(job, result) and bool(remaining)
        if wanted:
            self._live[key] = (stage, job)
        else:
            del self._live[key]
        self.watch()
        return wanted

    def failed(self, key: int, reason: str) -> None:
        """Takes note that a worker failed; the job is tried once more by another."""
        stage, job = self._live.pop(key)
        self._failures += 1
        logger.warning("a worker failed on %s: %s", job.genome.hash[:12], reason)
        if job.attempt < RETRIES:
            self._again.append((stage, replace(job, attempt=job.attempt + 1)))
        else:
            stage.failed(job, reason)
        if self._failures >= (1 + RETRIES) * max(3, self.workers + 1):
            self.error = EverythingFails(
                f"{self._failures} trainings in a row failed, the last with: {reason}"
            )
        self.watch()

    def idle(self) -> None:
        """Lets the current stage keep its books; called when all workers are busy.

        It always happens between handing a job out and the next result, so that what a stage knows
        when it makes its next job does not depend on which of the two is quicker.
        """
        self._behind = False
        for stage in self.stages[: self._position + 1]:
            stage.idle()

    def close(self) -> None:
        """Ends all stages that have begun, in order."""
        for stage in self.stages[: self._position + 1]:
            stage.close()

    def _take(self) -> tuple[Stage, Job] | None:
        if self._again:
            return self._again.popleft()
        while self._position < len(self.stages):
            stage = self.stages[self._position]
            job = stage.next()
            if job is not None:
                return stage, job
            if not stage.exhausted() or (self._live and not stage.overtime()):
                return None
            stage.idle()
            self._position += 1
        return None

    def _recall(self, stage: Stage, job: Job) -> tuple[Unit, ...]:
        """Hands what the journal knows to the stage; returns what is left to train."""
        units = job.units
        while units:
            known = self.journal.find(job.genome.hash, units[0])
            if known is None:
                return units
            units = units[1:]
            if not stage.result(replace(job, units=units), known.result):
                return ()
        return ()


@dataclass
class Clock:
    """Time that a run has used, over all its sessions.

    Args:
        limit: Seconds that it may use; None for no limit.
        before: Seconds that earlier sessions used.
    """

    limit: float | None
    before: float = 0.0
    _started: float = field(default_factory=time.monotonic)

    @property
    def session(self) -> float:
        """Seconds of this session."""
        return time.monotonic() - self._started

    @property
    def used(self) -> float:
        """Seconds of the whole run."""
        return self.before + self.session

    @property
    def left(self) -> float | None:
        """Seconds that are left; None without a limit."""
        return None if self.limit is None else max(0.0, self.limit - self.used)

    def within(self, seconds: float = 0.0) -> bool:
        """Whether at least so many seconds are left."""
        return self.limit is None or self.used + seconds < self.limit
