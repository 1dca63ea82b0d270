"""The search: networks are asked for, raced, and their outcomes told."""

from __future__ import annotations

import logging
from collections import Counter, deque
from dataclasses import dataclass, field, replace

from optuna.trial import FrozenTrial, Trial

from gensynth.errors import UserError
from gensynth.execution.jobs import Job
from gensynth.execution.units import Unit, base_seed, full_epochs, ladder
from gensynth.generator import Unsatisfiable
from gensynth.search import racing
from gensynth.search.forecast import Forecast
from gensynth.search.outcome import DIVERGED, TIME, Outcome, score
from gensynth.search.preparation import Proposal, Setting
from gensynth.search.proposing import Follower, Proposer
from gensynth.search.study import SearchStudy
from gensynth.training import FoldResult, metrics

logger = logging.getLogger(__name__)

MAX_REFUSALS = 300
MAX_DIVERGED = 6
"""Trainings that diverge, and no other, before the search ends."""
HALVING = "halving"


@dataclass
class Contestant:
    """A network under way.

    Attributes:
        trial: Its Optuna trial.
        proposal: The network.
        steps: The units that each rung adds.
        results: What is trained so far.
        rungs: Its score at the end of each rung it finished.
    """

    trial: Trial
    proposal: Proposal
    steps: tuple[tuple[Unit, ...], ...]
    results: dict[Unit, FoldResult] = field(default_factory=dict)
    rungs: list[tuple[float, float]] = field(default_factory=list)

    @property
    def units(self) -> tuple[Unit, ...]:
        """Everything that full fidelity asks for, in order."""
        return tuple(unit for step in self.steps for unit in step)

    @property
    def deepest(self) -> list[FoldResult]:
        """Results at the greatest number of epochs trained so far."""
        epochs = max(unit.epochs for unit in self.results)
        return [result for unit, result in self.results.items() if unit.epochs == epochs]


@dataclass
class Candidates:
    """The first source of jobs of a run.

    One candidate is asked for ahead, so that no worker waits for a proposal; every proposal is
    therefore made without knowing the outcome of the candidates under way. Asking and telling
    happen while the workers train.

    Args:
        setting: The experiment.
        study: Its study.
        proposer: Its sampler.
        follower: Who writes down what the sampler learns.
        forecast: Its time.
    """

    setting: Setting
    study: SearchStudy
    proposer: Proposer
    follower: Follower
    forecast: Forecast
    ended: str | None = None
    _ready: deque[Contestant] = field(default_factory=deque)
    _live: dict[int, Contestant] = field(default_factory=dict)
    _untold: deque[tuple[Contestant, Outcome | str]] = field(default_factory=deque)
    _queued: int = 0
    _scores: list[list[tuple[float, float]]] = field(default_factory=list)
    _known: dict[str, int] = field(default_factory=dict)
    _screened: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        rungs = self.setting.experiment.fidelity.rungs
        self._scores = [[] for _ in rungs]
        self._queued = self.study.requeue()
        for outcome in self.study.outcomes.values():
            self._known.setdefault(outcome.genome, outcome.trial)
            for scores, reached in zip(self._scores, outcome.rungs, strict=False):
                scores.append(reached)
        self._screened.update(self.study.session.refused)
        for trial in self.study.study.get_trials(deepcopy=False):
            self._screened.update(self.proposer.refused(trial))
        if not self.study.asked:
            self._queue_prototype()
        self._adopt()

    @property
    def asked(self) -> int:
        """Candidates that are trained, or will be."""
        under_way = len(self._ready) + len(self._live) + len(self._untold)
        return self.study.candidates + under_way

    def next(self) -> Job | None:
        """Hands out the candidate that is ready, or asks for one."""
        if not self._open():
            return None
        if not self._ready:
            self.idle()
        if not self._ready:
            return None
        candidate = self._ready.popleft()
        self._live[candidate.trial.number] = candidate
        return Job("search", candidate.proposal.genome, candidate.units, candidate.trial.number)

    def exhausted(self) -> bool:
        """Whether no more candidates come."""
        return not self._open() or (self._spent() and not self._ready)

    def overtime(self) -> bool:
        """Whether time has ended the search: what is under way then comes too late to matter."""
        return not self.forecast.searching

    def result(self, job: Job, result: FoldResult) -> bool:
        """Takes a fold and decides whether the candidate is worth another."""
        assert job.trial is not None
        candidate = self._live[job.trial]
        unit = Unit(result.fold, result.epochs, result.seed)
        candidate.results[unit] = result
        stopped = self._judge(candidate, unit)
        complete = stopped is None and len(candidate.results) == len(candidate.units)
        if stopped is None and not complete:
            return True
        del self._live[job.trial]
        self._untold.append((candidate, self._outcome(candidate, stopped)))
        return False

    def failed(self, job: Job, reason: str) -> None:
        """Gives a candidate up whose training failed."""
        assert job.trial is not None
        self._untold.append((self._live.pop(job.trial), reason))

    def idle(self) -> None:
        """Tells what is untold, then asks ahead."""
        if self._untold:
            while self._untold:
                self._tell(*self._untold.popleft())
            self._remember()
            self.follower.keep()
        if not self._ready and self._open() and not self._spent():
            candidate = self._ask()
            if candidate is not None:
                self._ready.append(candidate)

    def close(self) -> None:
        """Tells everything; what is under way is for another session to queue again."""
        while self._untold:
            self._tell(*self._untold.popleft())
        for candidate in (*self._live.values(), *self._ready):
            self.study.abandon(candidate.trial)
        self._live.clear()
        self._ready.clear()
        self._remember()

    @property
    def refused(self) -> Counter[str]:
        """Networks refused before training so far, by bound, and ``"duplicate"``."""
        total = self._screened + self.study.refused
        total["duplicate"] += self.study.duplicates
        return total

    def _open(self) -> bool:
        """Whether more may be asked for."""
        return self.ended is None and self.forecast.searching

    def _spent(self) -> bool:
        limit = self.setting.experiment.budget.candidates
        return limit is not None and self.asked >= limit and not self._queued

    def _queue_prototype(self) -> None:
        if self.proposer.prototype_first(self.setting):
            start = dict(self.setting.space.start)
            self.study.study.enqueue_trial(start, skip_if_exists=True)

    def _ask(self) -> Contestant | None:
        """Asks until a network is admissible, or the time of the search is up.

        A proposal may take its time, and a sampler may learn nothing from a refusal.

        Raises:
            Unsatisfiable: If the very first network cannot be found.
        """
        refusals: dict[str, int] = {}
        for _ in range(MAX_REFUSALS):
            if not self._open():
                return None
            try:
                trial = self.proposer.ask(self.study.study)
            except Unsatisfiable as error:
                refused = self._screening(self.study.study.get_trials(deepcopy=False)[-1])
                self._end(self._blaming(error.problem, refused, error.remedy))
                return None
            self._screening(self.study.frozen(trial))
            self.study.asked += 1
            self._queued = max(0, self._queued - 1)
            candidate = self._admit(trial, refusals)
            if candidate is not None:
                return candidate
        shares = ", ".join(
            f"{name} refuses {count / MAX_REFUSALS:.0%}" for name, count in refusals.items()
        )
        self._end(
            self._blaming(
                f"none of {MAX_REFUSALS} networks in a row is admissible: {shares}",
                Counter(refusals),
                "loosen the bound that refuses most, or widen the search space",
            )
        )
        return None

    def _adopt(self) -> None:
        """Makes ready what an earlier session left unfinished, under its own numbers."""
        for left in self.study.unfinished():
            new = not self.proposer.refused(left)
            trial = self.proposer.adopt(self.study.study, left)
            if new:
                self._screening(self.study.frozen(trial))
            candidate = self._admit(trial, {})
            if candidate is not None:
                self._ready.append(candidate)

    def _screening(self, trial: FrozenTrial) -> Counter[str]:
        """Counts what the sampler itself refused for a trial."""
        refused = Counter(self.proposer.refused(trial))
        self._screened.update(refused)
        return refused

    def _blaming(self, problem: str, refusals: Counter[str], remedy: str) -> Unsatisfiable:
        """The error with the bound that refuses most."""
        bounds = {name: count for name, count in refusals.items() if name != "duplicate"}
        where = "search space"
        if bounds:
            worst = max(bounds, key=lambda name: bounds[name])
            if worst != "shapes":
                where = f"constraint {self.setting.experiment.constraint.name}: bounds.{worst}"
        return Unsatisfiable(problem, where=where, remedy=remedy)

    def _admit(self, trial: Trial, refusals: dict[str, int]) -> Contestant | None:
        proposal = self.proposer.build(self.setting, trial)
        if self._refuses(trial, proposal, refusals):
            return None
        network = proposal.genome.hash
        known = self._known.get(network)
        if known is not None and known != trial.number:
            self.study.tell_duplicate(trial, known)
            refusals["duplicate"] = refusals.get("duplicate", 0) + 1
            return None
        proposal = self.setting.measured(proposal)
        if self._refuses(trial, proposal, refusals):
            return None
        self._known[network] = trial.number
        experiment = self.setting.experiment
        seed = base_seed(experiment.seed, network, "search")
        return Contestant(trial, proposal, ladder(experiment.fidelity.rungs, seed))

    def _refuses(self, trial: Trial, proposal: Proposal, refusals: dict[str, int]) -> bool:
        """Whether a bound that needs no training is broken; then the trial is told so."""
        broken = [name for name, violation in proposal.violations.items() if violation > 0]
        if broken:
            self.study.tell_refused(
                trial, proposal.genome.hash, proposal.metrics, proposal.violations
            )
        for name in broken:
            refusals[name] = refusals.get(name, 0) + 1
        return bool(broken)

    def _end(self, error: UserError) -> None:
        """Ends the search early; an error only if it has found nothing at all."""
        if self.asked == 0:
            raise error
        logger.info("the search ends early: %s", error)
        self.ended = str(error)

    def _judge(self, candidate: Contestant, unit: Unit) -> str | None:
        """Why the candidate is stopped after this unit; None to go on."""
        if candidate.results[unit].diverged:
            return DIVERGED
        experiment = self.setting.experiment
        full = experiment.fidelity.rungs[-1]
        if unit.epochs == full.epochs:
            trained = candidate.deepest
            done = {result.fold for result in trained}
            lost = racing.out_of_reach(
                experiment.searched.trained,
                trained,
                [fold for fold in self.setting.folds[: full.folds] if fold.index not in done],
                self.setting.dataset,
                self.setting.folds,
                risk=experiment.fidelity.risk,
            )
            if lost is not None and len(candidate.results) < len(candidate.units):
                return lost.bound
        position = len(candidate.rungs)
        if len(candidate.results) == sum(len(step) for step in candidate.steps[: position + 1]):
            last = position == len(candidate.steps) - 1
            if not self._climb(candidate, position) and not last:
                return HALVING
        if not self.forecast.searching and len(candidate.results) < len(candidate.units):
            return TIME
        return None

    def _climb(self, candidate: Contestant, position: int) -> bool:
        """Notes the score at the end of a rung; returns whether the next one is earned."""
        figures = self._figures(candidate)
        experiment = self.setting.experiment
        merit = score(experiment.searched.violations(figures), experiment.measured(figures))
        promoted = racing.promoted(merit, self._scores[position], experiment.fidelity.reduction)
        self._scores[position].append(merit)
        candidate.rungs.append(merit)
        return promoted

    def _figures(self, candidate: Contestant) -> dict[str, float]:
        trained = metrics(candidate.deepest, self.setting.dataset, self.setting.folds)
        return {**candidate.proposal.metrics, **trained}

    def _outcome(self, candidate: Contestant, stopped: str | None) -> Outcome:
        experiment = self.setting.experiment
        figures = self._figures(candidate)
        epochs = sum(unit.epochs for unit in candidate.results)
        complete = stopped is None
        return Outcome(
            trial=candidate.trial.number,
            decisions=candidate.trial.params,
            genome=candidate.proposal.genome.hash,
            metrics=figures,
            violations=experiment.searched.violations(figures),
            performance=experiment.measured(figures),
            fidelity=epochs / full_epochs(experiment.fidelity.rungs),
            feasible=complete and experiment.searched.feasible(figures),
            complete=complete,
            stopped=stopped,
            rungs=tuple(candidate.rungs),
        )

    def _remember(self) -> None:
        """Keeps what another session has to know besides the trials."""
        self.study.remember(seconds=self.forecast.clock.used)

    def _tell(self, candidate: Contestant, outcome: Outcome | str) -> None:
        if isinstance(outcome, str):
            self.study.tell_failed(candidate.trial, candidate.proposal.genome.hash, outcome)
            return
        self.study.tell(candidate.trial, replace(outcome, trial=candidate.trial.number))
        told = self.study.outcomes.values()
        if len(told) >= MAX_DIVERGED and all(one.stopped == DIVERGED for one in told):
            self.ended = f"all of the first {len(told)} trainings diverged"
