"""Processor time an ask takes as a study grows, beside Optuna's samplers.

``python -m benchmarks.sampler.asking`` prints the median of a few asks in studies of 10 to 10 000
finished trials in memory: NAS-Bench-201's space where it is large enough, and the towers, 41
decisions some of which depend on others. The finished trials are what G₀ draws. A method that took
longer than ``PATIENT`` seconds for an ask is not asked in larger studies.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import optuna
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import create_trial

from benchmarks.markdown import markdown
from benchmarks.sampler.methods.ours import sampler
from benchmarks.sampler.problem import Problem
from benchmarks.sampler.problems import PROBLEMS

SIZES = (10, 100, 1_000, 10_000)
PATIENT = 20.0

SAMPLERS: dict[str, Callable[[Problem], BaseSampler]] = {
    "gensynth": lambda problem: sampler(problem, 0),
    "Optuna random": lambda _: RandomSampler(seed=0),
    "Optuna NSGA-II": lambda _: NSGAIISampler(seed=0),
    "Optuna TPE": lambda _: TPESampler(seed=0, multivariate=True, group=True),
    "Optuna GP": lambda _: GPSampler(seed=0, deterministic_objective=True),
}


def filled(problem: Problem, trials: int, sampler: BaseSampler) -> optuna.Study:
    """A study with so many finished trials."""
    study = optuna.create_study(sampler=sampler, directions=list(problem.directions))
    for _, plan in zip(range(trials), problem.beginnings(0), strict=False):
        found = problem.evaluate(plan.outcome, plan.decisions)
        constraints = {"constraints": [found.violation]} if problem.bounded else {}
        study.add_trial(
            create_trial(
                params=dict(plan.decisions),
                distributions=dict(plan.distributions),
                values=list(found.objectives),
                system_attrs=constraints,
            )
        )
    return study


def seconds(problem: Problem, study: optuna.Study, asks: int) -> list[float]:
    """Processor time of each ask; every network is told at once what it gave."""
    found = []
    for _ in range(asks):
        began = time.process_time()
        trial = study.ask()
        network = problem.define(trial)
        found.append(time.process_time() - began)
        evaluation = problem.evaluate(network, trial.params)
        if problem.bounded:
            trial.set_constraint("trained", evaluation.violation)
        study.tell(trial, list(evaluation.objectives))
    return found


def rows(
    problem: Problem, sizes: Sequence[int], methods: Sequence[str], asks: int
) -> list[list[str]]:
    """Milliseconds: the first ask, which reads the study, and the median of those after it."""
    lines = []
    for method in methods:
        cells: list[str] = []
        for size in sizes:
            study = filled(problem, size, SAMPLERS[method](problem))
            first, *rest = seconds(problem, study, asks + 1)
            cells.append(f"{1000 * float(np.median(rest)):.1f} (first {1000 * first:.0f})")
            if max(first, *rest) > PATIENT:
                break
        lines.append([method, *cells, *["not tried"] * (len(sizes) - len(cells))])
    return lines


def main() -> None:
    """Asks and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--problems", nargs="*", default=["towers", "cifar10-size"])
    parser.add_argument("--methods", nargs="*", default=list(SAMPLERS), choices=list(SAMPLERS))
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--asks", type=int, default=10)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    for name in options.problems:
        problem = PROBLEMS[name]()
        heads = [f"{problem.name}: ms an ask", *(f"{size:,} trials" for size in options.sizes)]
        print(markdown(heads, rows(problem, options.sizes, options.methods, options.asks)))
        print(flush=True)


if __name__ == "__main__":
    main()
