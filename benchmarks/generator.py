"""How many trained networks the generator saves, against peers with the same refusals.

``python -m benchmarks.generator`` prints, for each closed-form problem, the median and quartiles of
the best feasible U after some evaluations, over paired seeds, and the share of seeds on which the
default sampler is better. Every method refuses static violators and networks that it has seen
without spending an evaluation.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler
from optuna.trial import TrialState

from benchmarks.landscapes import Landscape, residual_landscape, tower_landscape
from gensynth.generator import GenerativeSynthesisSampler, Generator
from gensynth.generator.proposal import drawing, varied
from gensynth.generator.tracing import Choose, trace

LANDSCAPES = {"towers": tower_landscape, "residual": residual_landscape}
CHECKPOINTS = (20, 40, 60, 100)
RETRIES = 2_000
NOTHING = -100.0


@dataclass(frozen=True)
class Found:
    """Best feasible U after each evaluation, feasible networks, and seconds an ask."""

    best: tuple[float, ...]
    feasible: int
    seconds: float


class Record:
    """Evaluates networks and keeps the best feasible U."""

    def __init__(self, landscape: Landscape) -> None:
        self.landscape = landscape
        self.best: list[float] = []
        self.feasible = 0
        self.seen: set[Any] = set()

    def admissible(self, outcome: Any) -> bool:
        """Whether it may be trained."""
        if any(value > 0 for value in self.landscape.static(outcome).values()):
            return False
        return self.landscape.key(outcome) not in self.seen

    def train(self, outcome: Any, decisions: Mapping[str, Any]) -> tuple[float, float]:
        """(violation, U); one evaluation."""
        self.seen.add(self.landscape.key(outcome))
        violation, score = self.landscape.measured(outcome, decisions)
        met = violation <= 0
        self.feasible += met
        self.best.append(max(self.best[-1] if self.best else NOTHING, score if met else NOTHING))
        return violation, score


def ours(landscape: Landscape, seed: int, budget: int, **options: Any) -> Found:
    """The project's sampler."""
    record = Record(landscape)
    sampler = GenerativeSynthesisSampler(
        landscape.define,
        violations=landscape.static,
        key=landscape.key,
        costs=landscape.costs,
        start=landscape.start,
        performance=lambda trial: trial.user_attrs["performance"],
        seed=seed,
        **options,
    )
    study = optuna.create_study(sampler=sampler, direction="maximize")
    seconds = 0.0
    for _ in range(budget):
        began = time.process_time()
        trial = study.ask()
        outcome = landscape.define(trial)
        seconds += time.process_time() - began
        violation, score = record.train(outcome, trial.params)
        trial.set_user_attr("performance", score)
        trial.set_constraint("accuracy.min", violation)
        study.tell(trial, score)
    return Found(tuple(record.best), record.feasible, seconds / budget)


def optunas(
    landscape: Landscape, seed: int, budget: int, *, make: Callable[[int], BaseSampler]
) -> Found:
    """One of Optuna's samplers; what is refused is told FAIL and asked again."""
    record = Record(landscape)
    study = optuna.create_study(sampler=make(seed), direction="maximize")
    study.enqueue_trial(dict(landscape.start))
    seconds = 0.0
    for _ in range(budget):
        for retry in range(RETRIES):
            began = time.process_time()
            trial = study.ask()
            outcome = landscape.define(trial)
            seconds += time.process_time() - began
            if record.admissible(outcome) or retry == RETRIES - 1:
                break
            study.tell(trial, state=TrialState.FAIL)
        violation, score = record.train(outcome, trial.params)
        trial.set_constraint("accuracy.min", violation)
        study.tell(trial, score)
    return Found(tuple(record.best), record.feasible, seconds / budget)


def evolution(
    landscape: Landscape, seed: int, budget: int, *, initial: int, population: int, tournament: int
) -> Found:
    """Regularised evolution (Real et al. 2019), the oldest dies; feasible first, then by U.

    Where nobody dies and everybody fights, it is local search around the best.
    """
    rng = np.random.default_rng(seed)
    generator = Generator(start=landscape.start)
    record = Record(landscape)
    alive: list[tuple[tuple[float, float], Mapping[str, Any]]] = []
    began = time.process_time()
    for number in range(budget):
        for _ in range(RETRIES):
            if number < initial:
                choose: Choose = drawing(generator, int(rng.integers(2**62)))
            else:
                rivals = rng.choice(len(alive), size=min(tournament, len(alive)), replace=False)
                parent = max((alive[index] for index in rivals), key=lambda one: one[0])
                choose = varied(generator, [parent[1]], rng)
            plan = trace(landscape.define, choose)
            if record.admissible(plan.outcome):
                break
        violation, score = record.train(plan.outcome, plan.decisions)
        alive.append(((-max(violation, 0.0), score), plan.decisions))
        alive = alive[-population:]
    return Found(tuple(record.best), record.feasible, (time.process_time() - began) / budget)


METHODS: dict[str, Callable[[Landscape, int, int], Found]] = {
    "gensynth": ours,
    "without surrogate": partial(ours, ranked=False),
    "frozen G0": partial(ours, ranked=False, step_limit=0.0),
    "regularised evolution": partial(evolution, initial=20, population=20, tournament=5),
    "local search": partial(evolution, initial=8, population=10**9, tournament=10**9),
    "random": partial(optunas, make=lambda seed: optuna.samplers.RandomSampler(seed=seed)),
    "TPE": partial(optunas, make=lambda seed: optuna.samplers.TPESampler(seed=seed)),
    "NSGA-II": partial(
        optunas, make=lambda seed: optuna.samplers.NSGAIISampler(seed=seed, population_size=20)
    ),
}


def run(task: tuple[str, str, int, int]) -> Found:
    """One method on one problem with one seed."""
    problem, method, seed, budget = task
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    return METHODS[method](LANDSCAPES[problem](), seed, budget)


def table(problem: str, found: Mapping[str, list[Found]], budget: int) -> Iterator[str]:
    """Rows of the printed table."""
    marks = [mark for mark in CHECKPOINTS if mark <= budget]
    heads = "".join(f"{f'U after {mark}':>22}" for mark in marks)
    seeds = len(found["gensynth"])
    yield f"{problem}: best feasible U in dB, median [quartiles] over {seeds} seeds"
    yield f"{'':<24}{heads}{'feasible':>10}{'ms/ask':>8}{'beaten on':>11}"
    reference = np.asarray([one.best for one in found["gensynth"]])
    for method, results in found.items():
        best = np.asarray([one.best for one in results])
        cells = ""
        for mark in marks:
            low, middle, high = np.quantile(best[:, mark - 1], [0.25, 0.5, 0.75])
            cells += f"{f'{middle:.2f} [{low:.1f}, {high:.1f}]':>22}"
        share = float(np.mean(reference[:, -1] > best[:, -1]))
        feasible = float(np.mean([one.feasible for one in results])) / budget
        milliseconds = 1000 * float(np.mean([one.seconds for one in results]))
        beaten = "" if method == "gensynth" else f"{share:.0%}"
        yield f"{method:<24}{cells}{feasible:>10.0%}{milliseconds:>8.1f}{beaten:>11}"


def main() -> None:
    """Runs everything and prints the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--problems", nargs="*", default=list(LANDSCAPES))
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    methods = ["gensynth", *(name for name in options.methods if name != "gensynth")]
    with ProcessPoolExecutor(options.processes) as pool:
        for problem in options.problems:
            tasks = [
                (problem, method, seed, options.budget)
                for method in methods
                for seed in range(options.seeds)
            ]
            results = list(pool.map(run, tasks))
            found = {
                method: results[index * options.seeds : (index + 1) * options.seeds]
                for index, method in enumerate(methods)
            }
            print("\n".join(table(problem, found, options.budget)), flush=True)


if __name__ == "__main__":
    main()
