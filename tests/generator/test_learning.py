"""What the generator learns, and that it learns nothing where there is nothing to learn."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import optuna
import pytest
from scipy.stats import wilcoxon

from benchmarks.sampler import towers
from gensynth.generator import GenerativeSynthesisSampler, Generator, Settings

optuna.logging.set_verbosity(optuna.logging.WARNING)

OPS = ("none", "skip", "conv1", "conv3", "pool")
MERITS = np.random.default_rng(5).normal(size=(6, 5))
PAIRS = np.random.default_rng(6).normal(size=(6, 6, 5, 5)) / 3
SIZES = (0, 0, 1, 3, 0)


def cell(trial: Any) -> tuple[int, ...]:
    """Six operations, as in NAS-Bench-201."""
    return tuple(OPS.index(trial.suggest_categorical(f"op{edge}", OPS)) for edge in range(6))


def merit(ops: tuple[int, ...]) -> float:
    single = sum(MERITS[edge, op] for edge, op in enumerate(ops))
    pairs = sum(PAIRS[a, b, ops[a], ops[b]] for a in range(6) for b in range(a))
    return float(single + pairs)


def size(ops: tuple[int, ...]) -> dict[str, float]:
    return {"size.max": (sum(SIZES[op] for op in ops) - 6) / 6}


FROZEN = Settings(step_limit=0.0, ranked=False)


@cache
def best_cell(seed: int, shuffled: bool, frozen: bool) -> float:
    """Greatest merit among 24 cells that a search chose by their own or by shuffled merits."""
    rng = np.random.default_rng(seed)
    seen: list[float] = []
    sampler = GenerativeSynthesisSampler(
        cell,
        violations=size,
        seed=seed,
        settings=replace(FROZEN if frozen else Settings(), startup=6),
    )

    def objective(trial: optuna.Trial) -> float:
        seen.append(merit(cell(trial)))
        return seen[int(rng.integers(len(seen)))] if shuffled else seen[-1]

    optuna.create_study(sampler=sampler, direction="maximize").optimize(objective, n_trials=24)
    return max(seen)


@cache
def tower_search(seed: int, shuffled: bool, frozen: bool) -> tuple[float, Generator]:
    """Best feasible U of one search and the generator that it ends with."""
    rng = np.random.default_rng([seed, 99])
    seen: list[towers.Tower] = []
    sampler = GenerativeSynthesisSampler(
        towers.define,
        violations=towers.violations,
        start=towers.START,
        seed=seed,
        performance=lambda trial: trial.user_attrs["performance"],
        settings=FROZEN if frozen else Settings(),
    )
    study = optuna.create_study(sampler=sampler, direction="maximize")

    def objective(trial: optuna.Trial) -> float:
        seen.append(towers.define(trial))
        response = seen[int(rng.integers(len(seen)))] if shuffled else seen[-1]
        trial.set_user_attr("performance", towers.performance(response))
        trial.set_constraint("accuracy.min", towers.missing(response))
        return response.accuracy

    study.optimize(objective, n_trials=36)
    good = [towers.performance(tower) for tower in seen if towers.missing(tower) <= 0]
    return max(good, default=0.0), sampler.generator(study)


def quality(generator: Generator) -> tuple[float, float]:
    """Share of raw samples that meet every bound, and their true median U."""
    made = [generator.sample(seed, towers.define).outcome for seed in range(10_000, 10_200)]
    met = [t for t in made if towers.violations(t)["params.max"] <= 0 and towers.missing(t) <= 0]
    return len(met) / len(made), float(np.median([towers.performance(tower) for tower in made]))


def gains(measure: Callable[[int], tuple[float, float]], seeds: range) -> tuple[float, float]:
    """Median paired difference over the seeds, and the p value that it is not above 0."""
    pairs = np.asarray([measure(seed) for seed in seeds])
    difference = pairs[:, 0] - pairs[:, 1]
    return float(np.median(difference)), float(wilcoxon(difference, alternative="greater").pvalue)


def test_the_search_beats_its_frozen_generator_with_the_same_refusals():
    gain, p = gains(lambda s: (best_cell(s, False, False), best_cell(s, False, True)), range(12))
    assert gain > 0.5
    assert p < 0.01


def test_shuffled_responses_teach_nothing():
    gain, p = gains(lambda s: (best_cell(s, True, False), best_cell(s, True, True)), range(8))
    true, _ = gains(lambda s: (best_cell(s, False, False), best_cell(s, False, True)), range(8))
    assert p > 0.05
    assert gain < 0.3 * true


@pytest.mark.slow
def test_conditional_towers_are_searched_better_than_by_the_frozen_generator():
    gain, p = gains(
        lambda s: (tower_search(s, False, False)[0], tower_search(s, False, True)[0]), range(10)
    )
    assert gain > 1.0
    assert p < 0.01


@pytest.mark.slow
@pytest.mark.parametrize(("figure", "least"), [(0, 0.3), (1, 3.0)], ids=["feasible", "median U"])
def test_the_learned_generator_alone_makes_better_networks_than_the_first(
    figure: int, least: float
):
    first = quality(Generator(start=towers.START))[figure]
    gain, p = gains(
        lambda seed: (quality(tower_search(seed, False, False)[1])[figure], first), range(10)
    )
    assert gain > least
    assert p < 0.01


@pytest.mark.slow
def test_shuffled_towers_teach_nothing_but_their_static_bound():
    gain, p = gains(
        lambda s: (tower_search(s, True, False)[0], tower_search(s, True, True)[0]), range(10)
    )
    assert p > 0.05
    assert gain < 1.0
