"""Jobs, who makes them, and who gives them to workers.

Nothing here knows of Ray: an engine asks a :class:`Dispatcher` for jobs whenever a worker is free
and hands it every result.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from gensynth.errors import UserError
from gensynth.execution.journal import Entry, Journal
from gensynth.execution.units import Phase, Unit
from gensynth.genome import Genome
from gensynth.training import FoldResult

logger = logging.getLogger(__name__)

RETRIES = 1
FIRST, LEAST, TIMES = 3600.0, 300.0, 10
"""Seconds after which a fold hangs: while none has been trained, at least, and how many times the
slowest epoch so far."""


class EverythingFails(UserError):
    """One training after the other failed, so that going on makes no sense."""


@dataclass(frozen=True)
class Job:
    """Folds of one network, to be trained in order by one worker.

    Attributes:
        phase: What they are for.
        genome: The network.
        units: The folds.
        trial: Number of the trial, if the job belongs to one.
        attempt: How often in a row it was given to a worker that failed.
    """

    phase: Phase
    genome: Genome
    units: tuple[Unit, ...]
    trial: int | None = None
    attempt: int = 0


class JobSource(Protocol):
    """A source of jobs: the search, the confirmation, an evaluation."""

    def next(self) -> Job | None:
        """The next job, or None if there is none now."""

    def exhausted(self) -> bool:
        """Whether no job will come any more, whatever the results of those under way."""

    def overtime(self) -> bool:
        """Whether the next source may begin although jobs of this one are under way."""

    def result(self, job: Job, result: FoldResult) -> bool:
        """Takes a result; returns whether the rest of the job is still wanted."""

    def failed(self, job: Job, reason: str) -> None:
        """Takes note that a job could not be done."""

    def idle(self) -> None:
        """Keeps the books while all workers are busy."""

    def close(self) -> None:
        """Ends the source: no job of it will come back."""


@dataclass
class Dispatcher:
    """Gives out the jobs of some sources, one source after the other.

    A fold that the journal knows is never trained again: the source gets its result at once.

    Args:
        sources: In order.
        journal: Where every new result goes first.
        workers: Number of workers, for judging failures.
        watch: Called whenever something has happened.

    Attributes:
        error: Why the run has to end early, if it has to.
    """

    sources: Sequence[JobSource]
    journal: Journal
    workers: int = 1
    watch: Callable[[], None] = lambda: None
    error: BaseException | None = None
    _position: int = 0
    _again: deque[tuple[JobSource, Job]] = field(default_factory=deque)
    _live: dict[int, tuple[JobSource, Job]] = field(default_factory=dict)
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
        return self._position >= len(self.sources) and not self._live and not self._again

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
            source, job = found
            remaining = self._from_journal(source, job)
            if remaining:
                self._behind = True
                self._count += 1
                self._live[self._count] = (source, replace(job, units=remaining))
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
        source, job = self._live[key]
        unit = Unit(fold=result.fold, epochs=result.epochs, seed=result.seed)
        self._failures = 0
        if self.journal.find(job.genome.hash, unit) is None:
            self.journal.append(Entry.of(job.phase, job.trial, job.genome.hash, result))
        remaining = tuple(other for other in job.units if other != unit)
        job = replace(job, units=remaining, attempt=0)
        wanted = source.result(job, result) and bool(remaining)
        if wanted:
            self._live[key] = (source, job)
        else:
            del self._live[key]
        self.watch()
        return wanted

    def failed(self, key: int, reason: str) -> None:
        """Takes note that a worker failed; the job is tried once more by another."""
        source, job = self._live.pop(key)
        self._failures += 1
        logger.warning("a worker failed on %s: %s", job.genome.hash[:12], reason)
        if job.attempt < RETRIES:
            self._again.append((source, replace(job, attempt=job.attempt + 1)))
        else:
            source.failed(job, reason)
        if self._failures >= (1 + RETRIES) * max(3, self.workers + 1):
            self.error = EverythingFails(
                f"{self._failures} trainings in a row failed, the last with: {reason}"
            )
        self.watch()

    def patience(self, job: Job) -> float:
        """Seconds after which a fold of a job is taken to hang."""
        slowest = max((one.seconds / one.epochs for one in self.journal), default=None)
        if slowest is None:
            return FIRST
        return max(LEAST, TIMES * slowest * max(unit.epochs for unit in job.units))

    def idle(self) -> None:
        """Lets the current source keep its books; called when all workers are busy.

        It always happens between handing a job out and the next result, so that what a source knows
        when it makes its next job does not depend on which of the two is quicker.
        """
        self._behind = False
        for source in self.sources[: self._position + 1]:
            source.idle()

    def close(self) -> None:
        """Ends all sources that have begun, in order."""
        for source in self.sources[: self._position + 1]:
            source.close()

    def _take(self) -> tuple[JobSource, Job] | None:
        if self._again:
            return self._again.popleft()
        while self._position < len(self.sources):
            source = self.sources[self._position]
            job = source.next()
            if job is not None:
                return source, job
            if not source.exhausted() or (self._live and not source.overtime()):
                return None
            source.idle()
            self._position += 1
        return None

    def _from_journal(self, source: JobSource, job: Job) -> tuple[Unit, ...]:
        """Hands what the journal knows to the source; returns what is left to train."""
        units = job.units
        while units:
            known = self.journal.find(job.genome.hash, units[0])
            if known is None:
                return units
            units = units[1:]
            if not source.result(replace(job, units=units), known.result):
                return ()
        return ()
