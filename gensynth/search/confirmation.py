"""Confirmation: finalists are trained again, on all folds, with seeds that chose nothing.

A search picks its winners by the score that it then knows, so that score flatters them. Only what
is trained afresh is honest, and 1_r is judged on it.

Finalists are taken in turn by U and by the headline metric from the candidates that were feasible
at the full search fidelity (by least violation where none was). One that certainly cannot satisfy
1_r any more is put aside, and while none satisfies it and time is left, further candidates are
confirmed, the best by that metric first. Nothing new is begun after the time is up; what is begun
is finished.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from gensynth.data import reported
from gensynth.execution.jobs import Job
from gensynth.execution.units import Unit, base_seed, cross_validation
from gensynth.genome import Genome
from gensynth.search import racing
from gensynth.search.forecast import Forecast
from gensynth.search.outcome import DIVERGED, Outcome, by_headline, ranking
from gensynth.search.preparation import Setting
from gensynth.search.proposing import Follower
from gensynth.search.study import SearchStudy
from gensynth.search.verdict import Verdict
from gensynth.space import decode
from gensynth.task import Evaluation, Metric
from gensynth.training import FoldResult, evaluate_all


@dataclass
class Finalist:
    """A network under confirmation.

    Attributes:
        outcome: What the search knows of it.
        genome: The network.
        seeds: Base seeds of its cross-validations.
        units: Everything to train.
        results: What is trained.
        refuted: The bound that it certainly breaks, if there is one, or ``"diverged"``.
    """

    outcome: Outcome
    genome: Genome
    seeds: tuple[int, ...]
    units: tuple[Unit, ...]
    results: dict[Unit, FoldResult] = field(default_factory=dict)
    refuted: str | None = None

    @property
    def complete(self) -> bool:
        """Whether everything is trained."""
        return len(self.results) == len(self.units)

    def repetitions(self) -> list[list[FoldResult]]:
        """Results of each cross-validation."""
        size = len(self.units) // len(self.seeds)
        parts = [self.units[start : start + size] for start in range(0, len(self.units), size)]
        return [[self.results[unit] for unit in part if unit in self.results] for part in parts]


@dataclass
class Confirmation:
    """The second source of jobs of a run.

    Args:
        setting: The experiment.
        study: Its study.
        follower: Has something to do while all workers are busy.
        forecast: Its time.
        begun: Canonical hashes of the networks whose confirmation an earlier session began.
    """

    setting: Setting
    study: SearchStudy
    follower: Follower
    forecast: Forecast
    begun: Sequence[str] = ()
    finalists: list[Finalist] = field(default_factory=list)
    _queue: deque[tuple[Finalist, Unit]] = field(default_factory=deque)
    _aside: deque[tuple[Finalist, Unit]] = field(default_factory=deque)
    _out: int = 0
    _started: set[int] = field(default_factory=set)
    _known: int | None = None

    def next(self) -> Job | None:
        """The next fold of a finalist."""
        if self._known != len(self.study.outcomes):
            self._choose()
        if not self.forecast.confirming:
            self._drop_unbegun()
        if not self._queue and not self._out:
            self._extend()
        if not self._queue:
            return None
        finalist, unit = self._queue.popleft()
        self._started.add(finalist.outcome.trial)
        self._out += 1
        return Job("confirm", finalist.genome, (unit,), finalist.outcome.trial)

    def exhausted(self) -> bool:
        """Whether all is confirmed that will be."""
        return not self._queue and not self._out

    def overtime(self) -> bool:
        """Nothing comes after it."""
        return False

    def result(self, job: Job, result: FoldResult) -> bool:
        """Takes a fold; a finalist that it refutes is put aside."""
        self._out -= 1
        finalist = self._finalist(job)
        finalist.results[Unit(result.fold, result.epochs, result.seed)] = result
        if result.diverged:
            finalist.refuted = DIVERGED
            self._drop(finalist)
        elif finalist.refuted is None and not finalist.complete:
            finalist.refuted = self._refuted(finalist)
            if finalist.refuted is not None:
                self._put_aside(finalist)
        verdict = self.verdict(finalist)
        if verdict is not None:
            self.study.judge(finalist.outcome.trial, verdict)
        return True

    def failed(self, job: Job, reason: str) -> None:
        """Leaves a finalist unconfirmed whose training failed."""
        self._out -= 1
        self._drop(self._finalist(job))

    def idle(self) -> None:
        """Has the generators judged meanwhile."""
        self.follower.judge()

    def close(self) -> None:
        """Has nothing to end."""

    def evaluation(self, finalist: Finalist) -> Evaluation | None:
        """The confirmed figures; None while folds are missing, or if a training diverged."""
        if not finalist.complete or finalist.refuted == DIVERGED:
            return None
        setting = self.setting
        return evaluate_all(finalist.repetitions(), setting.dataset, setting.folds)

    def verdict(self, finalist: Finalist) -> Verdict | None:
        """What its confirmation found so far; None while nothing is certain."""
        if finalist.refuted == DIVERGED:
            return Verdict.DIVERGED
        if finalist.refuted is None and not finalist.complete:
            return None
        return Verdict.CONFIRMED if self.satisfies(finalist) else Verdict.REFUTED

    def satisfies(self, finalist: Finalist) -> bool:
        """Whether the confirmed figures satisfy 1_r."""
        evaluation = self.evaluation(finalist)
        if evaluation is None:
            return False
        figures = {**finalist.outcome.metrics, **evaluation.metrics()}
        return self.setting.experiment.constraint.feasible(figures)

    def _choose(self) -> None:
        """Chooses the finalists; again when a candidate that was under way has come in.

        Finalists that nothing was trained of yet then give way to better ones.
        """
        self._known = len(self.study.outcomes)
        self.finalists = [one for one in self.finalists if one.outcome.trial in self._started]
        self._queue = deque(one for one in self._queue if one[0].outcome.trial in self._started)
        wanted = self.setting.experiment.confirm.finalists
        ranked = ranking(tuple(self.study.outcomes.values()), self._headline)
        earlier = {one.genome: one for one in ranked if one.genome in self.begun}
        chosen = [earlier[genome] for genome in self.begun if genome in earlier]
        affordable = [outcome for outcome in ranked if self.forecast.affordable(outcome)]
        best = [outcome for outcome in affordable[:wanted] if outcome not in chosen]
        new = [one for one in (*chosen, *best) if one.trial not in self._started]
        if self._started:
            new = new[: max(0, wanted - len(self.finalists))]
        elif not new:
            new = sorted(ranked[:wanted], key=self.forecast.seconds)[:1]
        for outcome in new:
            self._add(outcome)

    def _extend(self) -> None:
        """Finds more to do when everything is back."""
        if not self.finalists or not self.forecast.confirming:
            return
        if not any(self.satisfies(finalist) for finalist in self.finalists):
            taken = {finalist.outcome.trial for finalist in self.finalists}
            others = [
                outcome
                for outcome in ranking(tuple(self.study.outcomes.values()), self._headline)
                if outcome.feasible
                and outcome.trial not in taken
                and self.forecast.affordable(outcome)
            ]
            if others:
                self._add(max(others, key=partial(by_headline, headline=self._headline)))
                return
        self._queue, self._aside = self._aside, deque()

    def _add(self, outcome: Outcome) -> None:
        experiment = self.setting.experiment
        repetitions = range(experiment.confirm.seeds)
        seeds = tuple(
            base_seed(experiment.seed, outcome.genome, "confirm", number) for number in repetitions
        )
        folds = [fold.index for fold in reported(self.setting.folds)]
        epochs = experiment.confirm_epochs
        units = tuple(unit for seed in seeds for unit in cross_validation(folds, epochs, seed))
        genome = decode(self.setting.space, outcome.decisions)
        finalist = Finalist(outcome, genome, seeds, units)
        self.finalists.append(finalist)
        self._queue.extend((finalist, unit) for unit in units)

    def _drop_unbegun(self) -> None:
        begun = [one for one in self.finalists if one.results or one.outcome.genome in self.begun]
        keep = begun or self.finalists[:1]
        self._queue = deque(entry for entry in self._queue if entry[0] in keep)

    def _put_aside(self, finalist: Finalist) -> None:
        self._aside.extend(entry for entry in self._queue if entry[0] is finalist)
        self._drop(finalist)

    def _drop(self, finalist: Finalist) -> None:
        self._queue = deque(entry for entry in self._queue if entry[0] is not finalist)

    def _refuted(self, finalist: Finalist) -> str | None:
        setting, parts = self.setting, []
        for part in finalist.repetitions():
            done = {result.fold for result in part}
            ahead = [fold for fold in reported(setting.folds) if fold.index not in done]
            parts.append((part, ahead))
        if not all(part for part, _ in parts):
            return None
        limits = racing.reach(parts, setting.dataset, setting.folds)
        return racing.broken(setting.experiment.constraint.trained, limits)

    @property
    def _headline(self) -> Metric:
        return self.setting.dataset.task.headline

    def _finalist(self, job: Job) -> Finalist:
        return next(one for one in self.finalists if one.outcome.trial == job.trial)
