"""What it saves to begin with another search's generator, in the residual space.

``python -m benchmarks.sampler.warm_start`` prints, for each new problem, the median and quartiles
of the best feasible U after some evaluations, from φ and from the generator of a search of the
first problem (:func:`benchmarks.sampler.landscapes.residual_landscape` as it is), over paired
seeds, with the p value of Wilcoxon's test that the warm start is better.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import optuna
from scipy.stats import wilcoxon

from benchmarks.sampler.landscapes import Landscape, residual_landscape, sampler
from gensynth.generator import Generator

CHECKPOINTS = (10, 20, 40)
NOTHING = -100.0
PROBLEMS: dict[str, Callable[[], Landscape]] = {
    "tighter": partial(residual_landscape, params=60_000),
    "half new": partial(residual_landscape, novelty=0.5),
    "all new": partial(residual_landscape, novelty=1.0),
}
"""At most 60 000 parameters instead of 136 000; a data set of which half of every effect is new, or
all of it."""

Best = tuple[float, ...]


def search(
    landscape: Landscape, seed: int, budget: int, generator: Generator | None = None
) -> tuple[Best, Generator]:
    """One search.

    Returns:
        Best feasible U after each evaluation, and the generator that it ends with.
    """
    proposing = sampler(landscape, seed, warm_start=generator)
    study = optuna.create_study(sampler=proposing, direction="maximize")
    best: list[float] = []
    for _ in range(budget):
        trial = study.ask()
        violation, score = landscape.measured(landscape.define(trial), trial.params)
        trial.set_user_attr("performance", score)
        trial.set_constraint("accuracy.min", violation)
        study.tell(trial, score)
        best.append(max([*best[-1:], NOTHING, *([score] if violation <= 0 else [])]))
    return tuple(best), proposing.generator(study)


def compare(seed: int, before: int, problems: Sequence[str]) -> dict[str, dict[str, Best]]:
    """Searches of one seed: best feasible U by problem and way to begin."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    _, learned = search(residual_landscape(), seed, before)
    found = {}
    for problem in problems:
        begin = partial(search, PROBLEMS[problem](), 1000 + seed, CHECKPOINTS[-1])
        found[problem] = {"from φ": begin()[0], "warm start": begin(learned)[0]}
    return found


def table(problem: str, found: Mapping[str, list[Best]]) -> Iterator[str]:
    """Rows of the printed table."""
    curves = {way: np.asarray(best) for way, best in found.items()}
    yield f"{problem}: best feasible U in dB, median [quartiles] over {len(curves['from φ'])} seeds"
    yield f"{'':<14}" + "".join(f"{f'after {mark}':>24}" for mark in CHECKPOINTS)
    for way, best in curves.items():
        yield f"{way:<14}" + "".join(f"{_cell(best[:, mark - 1]):>24}" for mark in CHECKPOINTS)
    pairs = [[best[:, mark - 1] for best in curves.values()] for mark in CHECKPOINTS]
    tests = [float(wilcoxon(warm, cold, alternative="greater").pvalue) for cold, warm in pairs]
    yield f"{'p':<14}" + "".join(f"{p:>24.1e}" for p in tests)


def _cell(values: Any) -> str:
    low, middle, high = (
        f"{value:.1f}" if value > NOTHING else "none"
        for value in np.quantile(values, [0.25, 0.5, 0.75], method="nearest")
    )
    return f"{middle} [{low}, {high}]"


def main() -> None:
    """Runs everything and prints the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--problems", nargs="*", choices=list(PROBLEMS), default=list(PROBLEMS))
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--before", type=int, default=40, help="evaluations of the first search")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.processes) as pool:
        one = partial(compare, before=options.before, problems=options.problems)
        results = list(pool.map(one, range(options.seeds)))
    for problem in options.problems:
        ways = results[0][problem]
        found = {way: [result[problem][way] for result in results] for way in ways}
        print("\n".join(table(problem, found)), flush=True)


if __name__ == "__main__":
    main()
