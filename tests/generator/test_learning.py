"""What the generator learns, and that it learns nothing where there is nothing to learn."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import optuna
import pytest
from scipy.stats import wilcoxon

from gensynth.generator import GenerativeSynthesisSampler, Generator, assess
from tests.generator.towers import START, Tower, define, missing, performance, violations

SEEDS = range(10)
TRIALS = 36
FROZEN = {"step_limit": 0.0, "ranked": False}


@cache
def searched(seed: int, shuffled: bool, frozen: bool) -> tuple[float, Generator]:
    """Best feasible U of one search and the generator it ends with."""
    rng = np.random.default_rng([seed, 99])
    towers: list[Tower] = []
    sampler = GenerativeSynthesisSampler(
        define,
        violations=violations,
        start=START,
        seed=seed,
        performance=lambda trial: trial.user_attrs["performance"],
        **(FROZEN if frozen else {}),  # type: ignore[arg-type]
    )
    study = optuna.create_study(sampler=sampler, direction="maximize")

    def objective(trial: optuna.Trial) -> float:
        tower = define(trial)
        towers.append(tower)
        response = towers[int(rng.integers(len(towers)))] if shuffled else tower
        trial.set_user_attr("performance", performance(response))
        trial.set_constraint("accuracy.min", missing(response))
        return response.accuracy

    study.optimize(objective, n_trials=TRIALS)
    good = [performance(tower) for tower in towers if missing(tower) <= 0]
    return max(good, default=0.0), sampler.generator(study)


def quality(generator: Generator) -> tuple[float, float]:
    """Share of raw samples that meet every bound, and their true median U."""
    towers = [generator.sample(seed, define).outcome for seed in range(10_000, 10_200)]
    met = [t for t in towers if violations(t)["params.max"] <= 0 and missing(t) <= 0]
    return len(met) / len(towers), float(np.median([performance(tower) for tower in towers]))


def compared(measure: Callable[[int], tuple[float, float]]) -> tuple[float, float]:
    """Median paired difference over the seeds, and the p value that it is not above 0."""
    pairs = np.asarray([measure(seed) for seed in SEEDS])
    differences = pairs[:, 0] - pairs[:, 1]
    return float(np.median(differences)), float(wilcoxon(differences, alternative="greater").pvalue)


@pytest.mark.slow
def test_the_search_beats_its_frozen_generator_with_the_same_refusals():
    gain, p = compared(lambda s: (searched(s, False, False)[0], searched(s, False, True)[0]))
    assert gain > 1.0
    assert p < 0.01


@pytest.mark.slow
def test_the_learned_generator_alone_makes_better_networks_than_the_first():
    first = Generator(start=START)
    for index, least in ((0, 0.1), (1, 1.0)):
        gain, p = compared(
            lambda s, i=index: (quality(searched(s, False, False)[1])[i], quality(first)[i])
        )
        assert gain > least
        assert p < 0.01


@pytest.mark.slow
def test_shuffled_responses_teach_nothing():
    best, p = compared(lambda s: (searched(s, True, False)[0], searched(s, True, True)[0]))
    assert p > 0.05
    gain = np.median([searched(s, False, False)[0] - searched(s, False, True)[0] for s in SEEDS])
    assert best < 0.5 * gain
