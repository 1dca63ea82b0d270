"""Whether a family of generators covers the front that one search on U has seen.

``python -m benchmarks.sampler.family`` searches the residual space with an invented accuracy
(:func:`benchmarks.sampler.landscapes.residual_landscape`; it can pass 1) and prints, for where the
search ended and for every member of its family, medians over the seeds of the held-out samples'
share within the budget (raw: nothing is refused), median parameters and median true accuracy, and
beside them the most accurate network that was trained within the budget.
"""

from __future__ import annotations

import argparse
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import optuna
from optuna.trial import FrozenTrial

from benchmarks.sampler.landscapes import Landscape, residual_landscape, sampler
from gensynth.generator import HELD_OUT, Generator, family
from gensynth.generator.history import observe
from gensynth.generator.screen import Screen

PARAMS = 136_000
ACCURACY = 0.92

Row = tuple[float, float, float, float, float]


def samples(
    generator: Generator, landscape: Landscape, budget: float
) -> tuple[float, float, float]:
    """Share of raw samples within the budget, median parameters, median true accuracy."""
    sizes, accuracies = [], []
    for seed in HELD_OUT:
        plan = generator.sample(seed, landscape.define)
        sizes.append(landscape.costs(plan.outcome)["params"])
        accuracies.append(reached(landscape.measured(plan.outcome, plan.decisions)[0]))
    within = float(np.mean(np.asarray(sizes) <= budget))
    return within, float(np.median(sizes)), float(np.median(accuracies))


def reached(violation: float) -> float:
    """The accuracy behind a violation of its bound."""
    return ACCURACY * (1 - violation)


def run(seed: int, trials: int) -> list[Row]:
    """One search: a row for where it ended and one for each member, with the budget in front."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    landscape = residual_landscape(PARAMS, ACCURACY)
    proposing = sampler(landscape, seed)
    study = optuna.create_study(sampler=proposing, directions=["maximize", "minimize", "minimize"])
    for _ in range(trials):
        trial = study.ask()
        genome = landscape.define(trial)
        violation, score = landscape.measured(genome, trial.params)
        trial.set_user_attr("performance", score)
        trial.set_constraint("accuracy.min", violation)
        found = landscape.costs(genome)
        study.tell(trial, [reached(violation), found["params"], found["macs"]])

    def accuracy(trial: FrozenTrial) -> float:
        return float(trial.values[0])

    screen = Screen(landscape.define, landscape.static, landscape.key, landscape.costs)
    past = [observe(trial, study.directions, screen, accuracy) for trial in study.get_trials()]
    trained = [(one.costs["params"], one.utility or 0.0) for one in past]
    last = proposing.generator(study)
    rows = [(PARAMS, last)]
    rows += [(one.budget, one.generator) for one in family(last, past, screen, seed=seed)]
    return [
        (
            budget,
            *samples(generator, landscape, budget),
            max(value for size, value in trained if size <= budget),
        )
        for budget, generator in rows
    ]


def main() -> None:
    """Runs everything and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.processes) as pool:
        found = list(pool.map(partial(run, trials=options.trials), range(options.seeds)))
    middle = np.median(np.asarray([rows for rows in found if len(rows) == 6]), axis=0)
    print(f"medians over {len(found)} searches of {options.trials} trials")
    print(f"{'generator':<12}{'budget':>9}{'within':>9}{'params':>9}{'accuracy':>10}{'trained':>9}")
    names = ["search", *(f"member {number}" for number in range(1, 6))]
    for name, (budget, within, size, accuracy, best) in zip(names, middle, strict=True):
        print(f"{name:<12}{budget:>9.0f}{within:>9.0%}{size:>9.0f}{accuracy:>10.3f}{best:>9.3f}")


if __name__ == "__main__":
    main()
