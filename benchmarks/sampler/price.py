"""What knowing the price of training is worth to a search whose budget is time.

``python -m benchmarks.sampler.price`` prints, for the residual space with an invented accuracy
(:mod:`benchmarks.sampler.landscapes`: nothing is trained), the median and quartiles over paired
seeds of the best feasible U once so much training was paid for. A network's price is the time of an
epoch as ``benchmarks/speed/training.py`` measured it: its multiply-accumulates and five million
more.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import optuna

from benchmarks.sampler.landscapes import residual_landscape, sampler
from gensynth.cost import cost
from gensynth.genome import Genome

MARKS = (100e6, 200e6, 400e6, 800e6)
NOTHING = -100.0


def price(genome: Genome) -> float:
    """Time of an epoch, in multiply-accumulates."""
    return cost(genome).macs + 5e6


METHODS: dict[str, Callable[[Genome], float] | None] = {"price known": price, "unknown": None}


def run(task: tuple[str, int]) -> list[float]:
    """Best feasible U by the time each mark is paid for."""
    method, seed = task
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    landscape = residual_landscape()
    proposing = sampler(landscape, seed, price=METHODS[method])
    study = optuna.create_study(sampler=proposing, direction="maximize")
    found: list[tuple[float, float]] = [(0.0, NOTHING)]
    while found[-1][0] < MARKS[-1]:
        trial = study.ask()
        genome: Any = landscape.define(trial)
        violation, score = landscape.measured(genome, trial.params)
        trial.set_user_attr("performance", score)
        trial.set_constraint("accuracy.min", violation)
        study.tell(trial, score)
        spent, best = found[-1]
        found.append((spent + price(genome), max(best, score if violation <= 0 else NOTHING)))
    return [max(best for spent, best in found if spent <= mark) for mark in MARKS]


def main() -> None:
    """Runs all seeds and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    tasks = [(method, seed) for method in METHODS for seed in range(options.seeds)]
    with ProcessPoolExecutor(options.processes) as pool:
        results = dict(zip(tasks, pool.map(run, tasks), strict=True))
    heads = "".join(f"{f'after {mark / 1e6:.0f} M':>24}" for mark in MARKS)
    print(
        f"best feasible U in dB, median [quartiles] over {options.seeds} seeds; "
        f"{NOTHING:.0f}: none found"
    )
    print(f"{'':<14}{heads}")
    for method in METHODS:
        found = np.asarray([results[method, seed] for seed in range(options.seeds)])
        cells = ""
        for column in found.T:
            low, middle, high = np.quantile(column, [0.25, 0.5, 0.75])
            cells += f"{f'{middle:.1f} [{low:.1f}, {high:.1f}]':>24}"
        print(f"{method:<14}{cells}")


if __name__ == "__main__":
    main()
