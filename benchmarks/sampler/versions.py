"""Whether a change of the sampler made it better or worse, seed by seed.

Run ``benchmarks.sampler.generator --results FOLDER`` in a checkout of each version, with a folder
of its own, then

    python -m benchmarks.sampler.versions BEFORE AFTER

prints, for every problem that both have, the mean of each after some evaluations, the mean
difference with its 95 % interval, and Wilcoxon's two-sided p over paired seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.markdown import markdown, probability
from benchmarks.sampler.measures import curve, greater_is_better
from benchmarks.sampler.methods import METHODS, OURS
from benchmarks.sampler.problem import Problem
from benchmarks.sampler.problems import PROBLEMS
from benchmarks.sampler.runs import Results, Run
from benchmarks.sampler.statistics import paired

MARKS = (20, 50, 100)
HEADS = ("problem", "better is", "after", "before", "now", "difference [95 %]", "p", "seeds")


def rows(
    problem: Problem, before: dict[int, Run], now: dict[int, Run], resamples: int = 5000
) -> Iterator[list[str]]:
    """Cells for each number of evaluations that both reached.

    Args:
        problem: Problem.
        before: Runs of one version by seed.
        now: Of the other; seeds that one version alone has are left out.
        resamples: Of the percentile bootstrap of the mean difference (Efron 1979).
    """
    seeds = sorted(set(before) & set(now))
    scale = 1 if problem.single else 100
    old, new = (
        scale * np.array([curve(problem, runs[seed].evaluations, MARKS) for seed in seeds])
        for runs in (before, now)
    )
    random = np.random.default_rng(0)
    for column, mark in enumerate(MARKS):
        difference = new[:, column] - old[:, column]
        if not np.isfinite(difference).all():
            continue
        drawn = difference[random.integers(0, len(seeds), (resamples, len(seeds)))].mean(axis=1)
        low, high = np.quantile(drawn, (0.025, 0.975))
        yield [
            problem.name,
            "greater" if greater_is_better(problem) else "less",
            str(mark),
            f"{old[:, column].mean():.3f}",
            f"{new[:, column].mean():.3f}",
            f"{difference.mean():+.3f} [{low:+.3f}, {high:+.3f}]",
            probability(paired(new[:, column], old[:, column])),
            str(len(seeds)),
        ]


def table(before: Results, now: Results, method: str) -> str:
    """The table of all problems that both versions have at least two seeds of."""
    cells: list[list[str]] = []
    for name, make in PROBLEMS.items():
        known = before.latest(name, method), now.latest(name, method)
        if len(set(known[0]) & set(known[1])) > 1:
            cells += rows(make(), *known)
    return markdown(HEADS, cells)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("before", type=Path, help="results of one version")
    parser.add_argument("now", type=Path, help="results of the other")
    parser.add_argument("--method", default=OURS, choices=list(METHODS))
    options = parser.parse_args()
    print(table(Results(options.before), Results(options.now), options.method))


if __name__ == "__main__":
    main()
