"""What the generator alone has learned: G_K against G₀, frozen, on 200 held-out seeds a run.

``python -m benchmarks.sampler.generators`` prints it of the runs that ``python -m
benchmarks.sampler.generator`` has kept. Nothing is screened, refused or ranked. A run that was told
unrelated values (shuffled U) must have taught nothing but the static bounds.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from benchmarks.markdown import markdown, probability
from benchmarks.sampler.generator import BUDGET
from benchmarks.sampler.methods import ABLATIONS, OURS
from benchmarks.sampler.problem import Problem
from benchmarks.sampler.problems import PROBLEMS
from benchmarks.sampler.runs import DEFAULT, Results, made
from benchmarks.sampler.samples import Sampled, sampled
from benchmarks.sampler.statistics import paired, quartiles

FIELDS = {
    "static": "meet static bounds, %",
    "feasible": "meet all bounds, %",
    "median": "median value",
    "unique": "different, %",
}


def table(problem: Problem, found: Mapping[str, Mapping[int, Sampled]], budget: int) -> str:
    """Figures of each method's generators, and p against G₀ over the same seeds.

    Args:
        problem: Problem.
        found: By method and seed.
        budget: Evaluations of the runs, for the heading.
    """
    seeds = sorted({seed for one in found.values() for seed in one})
    before = {seed: sampled(problem, problem.prior, seed) for seed in seeds}
    heads = [f"{problem.name}, after {budget}"]
    heads += [head for label in FIELDS.values() for head in (label, "p")]
    rows = [["G_0", *_cells(before, before)]]
    for method, one in found.items():
        if one:
            rows.append([f"G_K, {method} ({len(one)} seeds)", *_cells(one, before)])
    return markdown(heads, rows)


def _cells(after: Mapping[int, Sampled], before: Mapping[int, Sampled]) -> list[str]:
    cells = []
    for field in FIELDS:
        values = [getattr(one, field) for one in after.values()]
        first = [getattr(before[seed], field) for seed in after]
        scale = 1 if field == "median" else 100
        low, middle, high = (scale * value for value in quartiles(values))
        cells.append(f"{middle:.1f} [{low:.1f}, {high:.1f}]")
        cells.append("" if after is before else probability(paired(values, first)))
    return cells


def main() -> None:
    """Prints a table for each problem that has runs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--problems", nargs="*", default=list(PROBLEMS), choices=list(PROBLEMS))
    parser.add_argument("--budget", type=int, default=BUDGET)
    parser.add_argument("--results", type=Path, default=DEFAULT)
    options = parser.parse_args()
    results = Results(options.results)
    for name in options.problems:
        problem = PROBLEMS[name]()
        found = {
            method: {
                seed: run.generator
                for seed, run in results.of(
                    name, method, made(method, problem), options.budget
                ).items()
                if run.generator is not None
            }
            for method in (OURS, *ABLATIONS)
        }
        if any(found.values()):
            print(table(problem, found, options.budget) + "\n", flush=True)


if __name__ == "__main__":
    main()
