"""Nevergrad (Rapin and Teytaud 2018): NGOpt, which chooses its algorithm by problem and budget."""

from __future__ import annotations

from typing import Any

from benchmarks.sampler.methods.flat import Axis, axes, network, positions
from benchmarks.sampler.record import Record
from gensynth.generator.tracing import Trace

INITIAL = 10


def search(record: Record) -> None:
    """One run; what is refused is told nothing, and asked again."""
    import nevergrad as ng

    problem = record.problem
    all_axes = axes(problem)
    space = ng.p.Dict(**{name: _parameter(one, ng) for name, one in all_axes.items()})
    space.random_state.seed(record.seed)
    optimizer = ng.optimizers.NGOpt(parametrization=space, budget=record.budget)
    asked: tuple[Any, Trace[Any]] | None = None

    def ask(_: int) -> Trace[Any]:
        nonlocal asked
        candidate = optimizer.ask()
        asked = (candidate, network(problem, all_axes, candidate.value))
        return asked[1]

    while not record.full:
        with record.asking():
            young = len(record.evaluations) < INITIAL
            plan = record.beginning() if young else record.admissible(ask)
        found = record.train(plan.outcome, plan.decisions)
        with record.asking():
            if asked is not None and asked[1] is plan:
                candidate = asked[0]
            else:
                candidate = space.spawn_child(positions(problem, all_axes, plan))
            values = [
                -sign * one for one, sign in zip(found.objectives, problem.signs, strict=True)
            ]
            violation = [max(found.violation, 0.0)] if problem.bounded else None
            optimizer.tell(candidate, values[0] if problem.single else values, violation)


def _parameter(one: Axis, ng: Any) -> Any:
    if one.choices is not None:
        return ng.p.Choice(list(range(len(one.choices))))
    scalar = ng.p.Scalar(lower=one.low, upper=one.high)
    return scalar.set_integer_casting() if one.whole else scalar
