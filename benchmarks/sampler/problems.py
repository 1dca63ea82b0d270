"""Every problem by a short name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.sampler import hpolib, nasbench, trained
from benchmarks.sampler.landscapes import Landscape, residual_landscape, tower_landscape
from benchmarks.sampler.problem import Evaluation, Problem


def closed_form(make: Callable[[], Landscape], label: str) -> Problem:
    """A problem in closed form: U, with a bound on accuracy that training shows."""
    landscape = make()

    def evaluate(network: Any, decisions: Any) -> Evaluation:
        violation, score = landscape.measured(network, decisions)
        return Evaluation((score,), violation)

    widths = (
        name
        for name in landscape.start
        if ".width" in name or (".inner" in name and not name.endswith(".kernel"))
    )
    return Problem(
        name=label,
        define=landscape.define,
        directions=("maximize",),
        evaluate=evaluate,
        start=landscape.start,
        static=landscape.static,
        costs=landscape.costs,
        key=landscape.key,
        bounded=True,
        widths=frozenset(widths),
    )


PROBLEMS: dict[str, Callable[[], Problem]] = {
    **{f"{data}": partial(nasbench.accuracy, data) for data in nasbench.SETS},
    **{f"{data}-size": partial(nasbench.front, data, latency=False) for data in nasbench.SETS},
    **{f"{data}-latency": partial(nasbench.front, data, latency=True) for data in nasbench.SETS},
    **{f"hpolib-{data}": partial(hpolib.loss, data) for data in hpolib.SETS},
    **{f"hpolib-{data}-size": partial(hpolib.front, data) for data in hpolib.SETS},
    "table": partial(trained.accuracy, fitted=False),
    "table-size": partial(trained.front, "params", fitted=False),
    "table-macs": partial(trained.front, "params", "macs", fitted=False),
    "fitted": partial(trained.accuracy, fitted=True),
    "fitted-size": partial(trained.front, "params", fitted=True),
    "fitted-macs": partial(trained.front, "params", "macs", fitted=True),
    "towers": partial(closed_form, tower_landscape, "Towers, U, accuracy >= 0.7, <= 60 000"),
    "residual": partial(
        closed_form, residual_landscape, "Residual space, invented accuracy >= 0.92, <= 136 000"
    ),
}
