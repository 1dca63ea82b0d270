"""pymoo (Blank and Deb 2020): its genetic algorithm for mixed variables, ranked as NSGA-II does."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.sampler.methods.flat import Axis, axes, network, positions
from benchmarks.sampler.problem import Evaluation
from benchmarks.sampler.record import Record
from gensynth.generator.tracing import Trace

POPULATION = 20
STALE = 50


def search(record: Record) -> None:
    """One run; static violations are inequality constraints, and a duplicate has its old values."""
    from pymoo.core.evaluator import Evaluator
    from pymoo.core.mixed import MixedVariableGA
    from pymoo.core.population import Population
    from pymoo.core.problem import Problem
    from pymoo.core.termination import NoTermination
    from pymoo.operators.survival.rank_and_crowding import RankAndCrowding
    from pymoo.problems.static import StaticProblem

    problem = record.problem
    all_axes = axes(problem)
    known: dict[Any, Evaluation] = {}
    bounds = list(problem.static(problem.completed({}, 0).outcome))

    def trained(plan: Trace[Any]) -> Evaluation | None:
        """What a network gave, trained if it may be; None where that is not to be known."""
        identity = problem.key(plan.outcome)
        if not record.refuses(plan.outcome) and not record.full:
            known[identity] = record.train(plan.outcome, plan.decisions)
        return known.get(identity)

    task = Problem(
        vars={name: _variable(one) for name, one in all_axes.items()},
        n_obj=len(problem.directions),
        n_ieq_constr=len(bounds) + 1,
    )
    first = []
    for _ in range(min(POPULATION, record.budget)):
        plan = record.beginning()
        known[problem.key(plan.outcome)] = record.train(plan.outcome, plan.decisions)
        first.append(positions(problem, all_axes, plan))
    several = {} if problem.single else {"survival": RankAndCrowding()}
    algorithm = MixedVariableGA(
        pop_size=POPULATION, sampling=Population.new(X=np.asarray(first)), **several
    )
    algorithm.setup(task, termination=NoTermination(), seed=record.seed)
    stale = 0
    while not record.full:
        with record.asking():
            infills = algorithm.ask()
        before = len(record.evaluations)
        values, violations = [], []
        for individual in infills:
            plan = network(problem, all_axes, individual.X)
            found = trained(plan)
            static = [problem.static(plan.outcome)[name] for name in bounds]
            values.append(
                [1e9] * len(problem.directions) if found is None else _loss(found, problem)
            )
            violations.append([*static, 0.0 if found is None else found.violation])
        with record.asking():
            Evaluator().eval(
                StaticProblem(task, F=np.asarray(values), G=np.asarray(violations)), infills
            )
            algorithm.tell(infills=infills)
        stale = stale + 1 if len(record.evaluations) == before else 0
        if stale >= STALE and not record.full:
            plan = record.beginning()
            known[problem.key(plan.outcome)] = record.train(plan.outcome, plan.decisions)


def _loss(found: Evaluation, problem: Any) -> list[float]:
    return [-sign * value for value, sign in zip(found.objectives, problem.signs, strict=True)]


def _variable(one: Axis) -> Any:
    from pymoo.core.variable import Choice, Integer, Real

    if one.choices is not None:
        return Choice(options=list(range(len(one.choices))))
    return (Integer if one.whole else Real)(bounds=(one.low, one.high))
