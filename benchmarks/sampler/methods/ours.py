"""The project's sampler, and what is left of it when a part is taken away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import optuna

from benchmarks.sampler.problem import Evaluation, Problem, nothing
from benchmarks.sampler.record import Record
from gensynth.generator import GenerativeSynthesisSampler, Generator


def sampler(problem: Problem, seed: int, **options: Any) -> GenerativeSynthesisSampler:
    """The sampler with what is known of a problem; the same options for every problem."""
    return GenerativeSynthesisSampler(
        problem.define,
        violations=problem.static,
        key=problem.key,
        costs=problem.costs,
        start=problem.start,
        seed=seed,
        **options,
    )


def search(
    record: Record, *, costs: bool = True, shuffled: bool = False, **options: Any
) -> Generator:
    """One run.

    Args:
        record: The run.
        costs: Whether the inquisitor is told the metrics known before training.
        shuffled: Whether it is told what an unrelated network gave, so that nothing can be learned.
        options: Of the sampler.

    Returns:
        The generator that the run leaves.

    Raises:
        ValueError: If the sampler proposes what has to be refused.
    """
    problem = record.problem if costs else replace(record.problem, costs=nothing)
    proposing = sampler(problem, record.seed, **options)
    study = optuna.create_study(sampler=proposing, directions=list(problem.directions))
    told = _unrelated(record) if shuffled else None
    while not record.full:
        with record.asking():
            trial = study.ask()
            network = problem.define(trial)
        found = record.train(network, trial.params)
        found = next(told) if told is not None else found
        if problem.bounded:
            trial.set_constraint("trained", found.violation)
        study.tell(trial, list(found.objectives))
    return proposing.generator(study)


def _unrelated(record: Record) -> Iterator[Evaluation]:
    """What random networks gave, in the order of their own run."""
    other = Record(record.problem, record.seed, record.budget)
    while True:
        plan = other.beginning()
        yield other.train(plan.outcome, plan.decisions)
