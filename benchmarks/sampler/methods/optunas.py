"""Optuna's samplers as peers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler, GPSampler, NSGAIIISampler, NSGAIISampler, TPESampler
from optuna.trial import Trial, TrialState

from benchmarks.sampler.record import PATIENCE, Record
from gensynth.generator.tracing import Trace

INITIAL = 10
POPULATION = 20
STUBBORN = 10


def search(
    record: Record, *, make: Callable[[int], BaseSampler], initial: int, taught: bool = False
) -> None:
    """One sampler, begun with what G₀ draws.

    What is refused is told FAIL and asked again.

    Args:
        record: The run.
        make: Makes the sampler, given a seed.
        initial: Networks drawn from G₀ first, by the queue.
        taught: For a sampler that proposes the same again when it learns nothing: what violates a
            static bound is told as bad as the worst network so far.
    """
    _Run(record, make(record.seed), taught=taught).go(initial)


class _Run:
    def __init__(self, record: Record, sampler: BaseSampler, *, taught: bool) -> None:
        self.record = record
        self.problem = record.problem
        self.taught = taught
        self.study = optuna.create_study(sampler=sampler, directions=list(self.problem.directions))
        self.asked: tuple[Trial, Trace[Any]] | None = None

    def go(self, initial: int) -> None:
        record = self.record
        while not record.full:
            with record.asking():
                young = len(record.evaluations) < initial
                patience = STUBBORN if self.taught else PATIENCE
                plan = (
                    record.beginning() if young else record.admissible(self.ask, patience=patience)
                )
                if self.asked is None or self.asked[1] is not plan:
                    self.refuse()
                    self.study.enqueue_trial(dict(plan.decisions))
                    plan = self.ask(0)
            found = record.train(plan.outcome, plan.decisions)
            with record.asking():
                self.tell(found.objectives, found.violation)

    def ask(self, _: int) -> Trace[Any]:
        self.refuse()
        trial = self.study.ask()
        network = self.problem.define(trial)
        plan = Trace(trial.params, trial.distributions, network)
        self.asked = (trial, plan)
        return plan

    def refuse(self) -> None:
        """What was asked last was refused."""
        if self.asked is None:
            return
        trial, plan = self.asked
        violated = max(self.problem.static(plan.outcome).values(), default=0.0) > 0
        if self.taught and violated:
            signs = np.asarray(self.problem.signs)
            past = np.asarray([one.objectives for one in self.record.evaluations])
            self.tell(((past * signs).min(axis=0) * signs).tolist(), None)
        else:
            self.study.tell(trial, state=TrialState.FAIL)
            self.asked = None

    def tell(self, objectives: Sequence[float], violation: float | None) -> None:
        """Tells the result of what was asked last; without a violation it was not trained."""
        assert self.asked is not None
        trial, self.asked = self.asked[0], None
        if self.problem.bounded:
            trial.set_constraint("trained", 0.0 if violation is None else violation)
        self.study.tell(trial, list(objectives))


def _tpe(seed: int) -> BaseSampler:
    return TPESampler(seed=seed, multivariate=True, group=True, n_startup_trials=INITIAL)


def _gp(seed: int) -> BaseSampler:
    return GPSampler(seed=seed, n_startup_trials=INITIAL, deterministic_objective=True)


def _nsga2(seed: int) -> BaseSampler:
    return NSGAIISampler(seed=seed, population_size=POPULATION)


def _nsga3(seed: int) -> BaseSampler:
    return NSGAIIISampler(seed=seed, population_size=POPULATION)


METHODS: dict[str, Callable[[Record], None]] = {
    "Optuna NSGA-II": partial(search, make=_nsga2, initial=POPULATION),
    "Optuna NSGA-III": partial(search, make=_nsga3, initial=POPULATION),
    "Optuna TPE": partial(search, make=_tpe, initial=INITIAL),
    "Optuna GP": partial(search, make=_gp, initial=INITIAL, taught=True),
}
