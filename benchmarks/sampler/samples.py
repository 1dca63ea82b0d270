"""What a frozen generator makes on held-out seeds, nothing screened, where the truth is known."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from benchmarks.sampler.measures import NOTHING
from benchmarks.sampler.problem import Problem
from gensynth.generator import Generator

HELD_OUT = 10**12
SAMPLES = 200


@dataclass(frozen=True)
class Sampled:
    """Figures of a frozen generator.

    Attributes:
        static: Share of samples that meet every static bound.
        feasible: Share that meets the trained bounds too.
        median: Median of the first objective, greater better, over the samples that meet the
            static bounds.
        unique: Share of different networks.
    """

    static: float
    feasible: float
    median: float
    unique: float


def sampled(problem: Problem, generator: Generator, seed: int) -> Sampled:
    """Samples a generator and evaluates everything.

    Args:
        problem: Problem.
        generator: The generator.
        seed: Seed of the run: each has held-out seeds of its own, the same for every method.
    """
    keys: set[Hashable] = set()
    values: list[float] = []
    feasible = 0
    first = HELD_OUT + SAMPLES * seed
    for held_out in range(first, first + SAMPLES):
        plan = generator.sample(held_out, problem.define)
        keys.add(problem.key(plan.outcome))
        if any(value > 0 for value in problem.static(plan.outcome).values()):
            continue
        found = problem.evaluate(plan.outcome, plan.decisions)
        values.append(problem.signs[0] * found.objectives[0])
        feasible += found.violation <= 0
    median = float(np.median(values)) if values else NOTHING
    return Sampled(len(values) / SAMPLES, feasible / SAMPLES, median, len(keys) / SAMPLES)
