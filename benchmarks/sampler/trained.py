"""Our own residual space where all networks are trained: problems on the table of ``table.py``.

Each comes twice. *As trained*, what a network gives is the mean of its trainings, luck included.
*Fitted*, it is what boosted trees on all decisions say of it: a training seed that the trees were
not shown is nearer to them than to the other seed (Zela et al. 2022, "Surrogate NAS Benchmarks",
ICLR, find the same), so the best networks are good ones and not lucky ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from benchmarks.sampler import table
from benchmarks.sampler.problem import Direction, Evaluation, Problem, corners_and_front
from benchmarks.sampler.table import Entry, Table

PARAMS = 12_000
COSTS = ("params", "macs", "peak_memory")


def fit(entries: Sequence[Entry], accuracies: NDArray[np.float64]) -> NDArray[np.float64]:
    """What boosted trees say of each network, from its decisions.

    Args:
        entries: Networks.
        accuracies: (networks,), what the trees are shown.

    Returns:
        (networks,).
    """
    names = sorted(set().union(*(entry.decisions for entry in entries)))
    values = {name: sorted({str(entry.decisions.get(name)) for entry in entries}) for name in names}
    rows = [
        [float(str(entry.decisions.get(name)) == value) for name in names for value in values[name]]
        for entry in entries
    ]
    trees = HistGradientBoostingRegressor(
        learning_rate=0.05, max_iter=300, max_leaf_nodes=8, l2_regularization=1.0, random_state=0
    )
    return np.asarray(trees.fit(rows, accuracies).predict(rows))


@cache
def _table(*, fitted: bool) -> Table:
    known = table.load()
    if not fitted:
        return known
    values = fit(known.entries, np.asarray([np.mean(one.accuracies) for one in known.entries]))
    pairs = zip(known.entries, values.tolist(), strict=True)
    return Table(known.specification, [replace(one, accuracies=(value,)) for one, value in pairs])


def accuracy(*, fitted: bool) -> Problem:
    """Accuracy in %, with at most ``PARAMS`` parameters."""
    known = _table(fitted=fitted)
    found = [known.metrics(entry) for entry in known.entries]
    return Problem(
        name=f"{_label(fitted)}, accuracy, at most {PARAMS:,} parameters",
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


def front(*costs: str, fitted: bool) -> Problem:
    """Accuracy in % against static costs."""
    known = _table(fitted=fitted)
    less: Direction = "minimize"
    directions: tuple[Direction, ...] = ("maximize", *[less] * len(costs))

    def measured(entry: Any) -> tuple[float, ...]:
        metrics = known.metrics(entry)
        return 100 * metrics["accuracy"], *(metrics[cost] for cost in costs)

    metrics = np.asarray([measured(entry) for entry in known.entries])
    corners, undominated = corners_and_front(metrics, directions)
    return Problem(
        name=f"{_label(fitted)}, accuracy against {' and '.join(costs)}",
        define=known.define,
        directions=directions,
        evaluate=lambda entry, _: Evaluation(measured(entry), 0.0),
        start=known.start,
        costs=_costs,
        key=known.key,
        unit="hypervolume",
        corners=corners,
        front=undominated,
        widths=frozenset(name for name in known.start if name.endswith(".width")),
    )


def _label(fitted: bool) -> str:
    return "Residual table, fitted" if fitted else "Residual table"


def _costs(entry: Entry) -> Mapping[str, float]:
    return {name: entry.costs[name] for name in COSTS}
