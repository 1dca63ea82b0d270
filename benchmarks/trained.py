"""Our own residual space where all networks are trained: problems on :mod:`benchmarks.table`."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from optuna.study._multi_objective import _is_pareto_front

from benchmarks import table
from benchmarks.problem import Direction, Evaluation, Problem

PARAMS = 12_000
COSTS = ("params", "macs", "peak_memory")


@cache
def _table() -> table.Table:
    return table.load()


def accuracy() -> Problem:
    """Accuracy in %, with at most ``PARAMS`` parameters."""
    known = _table()
    found = [known.metrics(entry) for entry in known.entries]
    return Problem(
        name=f"Residual table, accuracy, at most {PARAMS:,} parameters",
        define=known.define,
        directions=("maximize",),
        evaluate=lambda entry, _: Evaluation((100 * known.metrics(entry)["accuracy"],), 0.0),
        start=known.start,
        static=lambda entry: {"params.max": known.metrics(entry)["params"] / PARAMS - 1},
        costs=_costs,
        key=known.key,
        unit="regret in points of accuracy",
        best=max(100 * one["accuracy"] for one in found if one["params"] <= PARAMS),
        widths=frozenset(name for name in known.start if name.endswith(".width")),
    )


def front(*costs: str) -> Problem:
    """Accuracy in % against static costs."""
    known = _table()
    less: Direction = "minimize"
    directions: tuple[Direction, ...] = ("maximize", *[less] * len(costs))
    signs = np.asarray([1.0] + [-1.0] * len(costs))

    def measured(entry: Any) -> tuple[float, ...]:
        metrics = known.metrics(entry)
        return 100 * metrics["accuracy"], *(metrics[cost] for cost in costs)

    values = np.asarray([measured(entry) for entry in known.entries]) * signs
    ideal, worst = values.max(axis=0) * signs, values.min(axis=0) * signs
    undominated = values[_is_pareto_front(-values, assume_unique_lexsorted=False)] * signs
    return Problem(
        name=f"Residual table, accuracy against {' and '.join(costs)}",
        define=known.define,
        directions=directions,
        evaluate=lambda entry, _: Evaluation(measured(entry), 0.0),
        start=known.start,
        costs=_costs,
        key=known.key,
        unit="hypervolume",
        corners=(tuple(ideal.tolist()), tuple(worst.tolist())),
        front=tuple(tuple(row) for row in undominated.tolist()),
        widths=frozenset(name for name in known.start if name.endswith(".width")),
    )


def _costs(entry: table.Entry) -> dict[str, float]:
    return {name: entry.costs[name] for name in COSTS}
