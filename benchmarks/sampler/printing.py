"""The measure of every method, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.markdown import markdown, probability
from benchmarks.sampler.measures import curve
from benchmarks.sampler.problem import Problem
from benchmarks.sampler.record import DUPLICATE
from benchmarks.sampler.runs import Run
from benchmarks.sampler.statistics import paired, quartiles

TESTED = (50, 100)
Vector = NDArray[np.float64]


def table(
    problem: Problem,
    runs: Mapping[str, Mapping[int, Run]],
    *,
    marks: Sequence[int],
    seeds: int,
    reference: str,
) -> str:
    """The measure of every method after some evaluations.

    Args:
        problem: Problem.
        runs: By method and seed; what a run is too short for stays empty.
        marks: Numbers of evaluations, those of ``TESTED`` among them.
        seeds: Seeds wanted; a method that lacks some says how many it has.
        reference: The method that the others are tested against, over the seeds both have.
    """
    unit = problem.unit if problem.single else "hypervolume, % of the true front's"
    heads = [f"{problem.name}: {unit}"]
    heads += [f"after {mark}" for mark in marks] + [f"mean after {mark}" for mark in TESTED]
    heads += [f"p at {mark}" for mark in TESTED] + ["duplicates", "ms an ask"]
    curves = {
        method: {seed: curve(problem, run.evaluations, marks) for seed, run in found.items()}
        for method, found in runs.items()
    }
    rows = []
    for method, found in runs.items():
        if not found:
            continue
        values = np.asarray(list(curves[method].values())) * (1 if problem.single else 100)
        label = method if len(found) >= seeds else f"{method} ({len(found)} seeds)"
        cells = [_cell(column) for column in values.T]
        tested = [marks.index(mark) for mark in TESTED]
        cells += [_number(mean) for mean in values.mean(axis=0)[tested]]
        if method == reference:
            cells += [""] * len(tested)
        else:
            cells += _tests(curves.get(reference, {}), curves[method], tested)
        counts = [run.refused.get(DUPLICATE, 0) for run in found.values()]
        asks = [1000 * run.seconds / len(run.evaluations) for run in found.values()]
        rows.append([label, *cells, f"{np.median(counts):.0f}", f"{np.median(asks):.1f}"])
    return markdown(heads, rows)


def _cell(values: Vector) -> str:
    low, middle, high = quartiles(values)
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]" if np.isfinite(middle) else ""


def _number(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else ""


def _tests(
    ours: Mapping[int, Vector], theirs: Mapping[int, Vector], columns: Sequence[int]
) -> list[str]:
    both = sorted(set(ours) & set(theirs))
    if len(both) < 2:
        return [""] * len(columns)
    first = np.asarray([ours[seed] for seed in both])
    second = np.asarray([theirs[seed] for seed in both])
    known = np.isfinite(first).all(axis=0) & np.isfinite(second).all(axis=0)
    return [
        probability(paired(first[:, column], second[:, column])) if known[column] else ""
        for column in columns
    ]
