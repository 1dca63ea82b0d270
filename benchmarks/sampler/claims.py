"""Fewer trained networks for the same front: ours after so many, the best peer after more.

``python -m benchmarks.sampler.claims`` compares, in the runs that ``python -m
benchmarks.sampler.generator`` has kept, gensynth with the best peer of each problem and with
regularised evolution. The best peer is the one whose mean is best after as many evaluations as it
is compared at, over the runs that got there, of those with at least twenty; picking it after the
fact favours the peers.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from benchmarks.markdown import markdown, probability
from benchmarks.sampler.measures import curve, greater_is_better
from benchmarks.sampler.methods import CONTROLS, OURS, PEERS
from benchmarks.sampler.printing import Vector
from benchmarks.sampler.problem import Problem
from benchmarks.sampler.problems import PROBLEMS
from benchmarks.sampler.runs import DEFAULT, Results, made
from benchmarks.sampler.statistics import Alternative, paired

MARKS = (50, 100, 150)
SHORTEST = 100
FEWEST = 20
PAIRS = ((50, 100), (100, 100), (100, 150))
EVOLUTION = "regularised evolution"


def compared(
    problem: Problem,
    curves: Mapping[str, Mapping[int, Vector]],
    mine: int,
    other: int,
    rival: str | None,
) -> list[str] | None:
    """Cells: our mean, the rival's name and mean, p of ours being better and worse, seeds.

    Args:
        problem: Problem.
        curves: The measure at every mark, by method and seed.
        mine: Index of our mark.
        other: Index of the rival's.
        rival: The peer; the best one when None.

    Returns:
        The cells; None where runs are missing.
    """
    sign = 1 if greater_is_better(problem) else -1
    reached = {
        method: {seed: one[other] for seed, one in found.items() if np.isfinite(one[other])}
        for method, found in curves.items()
        if method != OURS
    }
    means = {
        method: float(np.mean([*found.values()]))
        for method, found in reached.items()
        if len(found) >= FEWEST
    }
    if not means:
        return None
    name = rival if rival is not None else max(means, key=lambda one: sign * means[one])
    if name not in means:
        return None
    mines = {seed: one[mine] for seed, one in curves[OURS].items() if np.isfinite(one[mine])}
    seeds = sorted(set(mines) & set(reached[name]))
    if not seeds:
        return None
    ours = np.asarray([mines[seed] for seed in seeds])
    theirs = np.asarray([reached[name][seed] for seed in seeds])
    scale = 1 if problem.single else 100
    better: Alternative = "greater" if sign > 0 else "less"
    worse: Alternative = "less" if sign > 0 else "greater"
    return [
        f"{scale * ours.mean():.3f}",
        name,
        f"{scale * theirs.mean():.3f}",
        probability(paired(ours, theirs, better)),
        probability(paired(ours, theirs, worse)),
        str(len(seeds)),
    ]


def lines(results: Results, names: list[str], rival: str | None) -> Iterator[list[str]]:
    """A row for each problem and pair of marks."""
    for name in names:
        problem = PROBLEMS[name]()
        curves: dict[str, dict[int, Vector]] = {}
        for method in (OURS, *CONTROLS, *PEERS):
            runs = results.of(name, method, made(method, problem), SHORTEST)
            curves[method] = {
                seed: curve(problem, run.evaluations, MARKS) for seed, run in runs.items()
            }
        for mine, theirs in PAIRS:
            cells = compared(problem, curves, MARKS.index(mine), MARKS.index(theirs), rival)
            if cells is not None:
                yield [problem.name, f"{mine} against {theirs}", *cells]


def main() -> None:
    """Prints two tables: against the best peer, and against regularised evolution."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--problems", nargs="*", default=list(PROBLEMS), choices=list(PROBLEMS))
    parser.add_argument("--results", type=Path, default=DEFAULT)
    options = parser.parse_args()
    heads = ["problem", "after", "gensynth, mean", "peer", "peer, mean", "p better", "p worse"]
    for rival in (None, EVOLUTION):
        rows = list(lines(Results(options.results), options.problems, rival))
        print(markdown([*heads, "seeds"], rows) + "\n", flush=True)


if __name__ == "__main__":
    main()
