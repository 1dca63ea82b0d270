"""How many trained networks the generator saves, against peers with the same refusals.

    python -m benchmarks.sampler.generator                everything, from where it stopped
    python -m benchmarks.sampler.generator --problems cifar10 --methods gensynth --seeds 50
    python -m benchmarks.sampler.generator --only-print   tables of the runs there are

For every problem a table: the measure after some evaluations, median and quartiles over paired
seeds, Wilcoxon's p against gensynth, duplicates proposed, and milliseconds of processor time an
ask. Every method starts from the same φ and draws what it draws at random from the same G₀, and
static violators and networks that it has seen cost nobody an evaluation.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import optuna

from benchmarks.sampler.methods import METHODS, OURS, THINNING
from benchmarks.sampler.printing import table
from benchmarks.sampler.problem import Problem
from benchmarks.sampler.problems import PROBLEMS
from benchmarks.sampler.record import Record
from benchmarks.sampler.runs import DEFAULT, Results, Run, made

MARKS = (20, 50, 100, 150)
BUDGET = 150
Task = tuple[str, str, int, int]


def run(task: Task) -> Run:
    """One method on one problem with one seed."""
    name, method, seed, budget = task
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    problem = PROBLEMS[name]()
    record = Record(problem, seed, budget)
    generator = METHODS[method](record)
    return Run.of(record, made(method, problem), generator)


def fits(problem: Problem, method: str) -> bool:
    """Whether a method makes sense there: thinning needs a prototype with widths."""
    return bool(problem.widths) or method not in THINNING


def missing(
    results: Results, names: list[str], methods: list[str], seeds: int, budget: int
) -> Iterator[Task]:
    """The runs that are not there yet, the next seed of every method before the one after."""
    for name in names:
        problem = PROBLEMS[name]()
        fitting = [method for method in methods if fits(problem, method)]
        known = {
            method: results.of(name, method, made(method, problem), budget) for method in fitting
        }
        for method in fitting:
            yield from (
                (name, method, seed, budget) for seed in range(seeds) if seed not in known[method]
            )


def tables(
    results: Results, names: list[str], methods: list[str], seeds: int, budget: int
) -> Iterator[str]:
    """A table for each problem."""
    for name in names:
        problem = PROBLEMS[name]()
        runs = {
            method: results.of(name, method, made(method, problem), budget)
            for method in methods
            if fits(problem, method)
        }
        yield table(problem, runs, marks=MARKS, seeds=seeds, reference=OURS)


def main() -> None:
    """Runs what is missing and prints the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--problems", nargs="*", default=list(PROBLEMS), choices=list(PROBLEMS))
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--budget", type=int, default=BUDGET, help="evaluations a run, at least")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=Path, default=DEFAULT)
    parser.add_argument("--only-print", action="store_true")
    options = parser.parse_args()
    results = Results(options.results)
    what = (results, options.problems, options.methods, options.seeds, options.budget)
    if not options.only_print:
        tasks = list(missing(*what))
        with ProcessPoolExecutor(options.processes) as pool:
            for task, done in zip(tasks, pool.map(run, tasks), strict=True):
                results.add(task[0], task[1], done)
    print("\n\n".join(tables(*what)))


if __name__ == "__main__":
    main()
