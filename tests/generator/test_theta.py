"""θ's share of a search, apart from the ranking of candidates."""

from functools import cache
from typing import Any

import numpy as np
import optuna
import pytest
from scipy.stats import wilcoxon

from gensynth.generator import GenerativeSynthesisSampler, Settings

optuna.logging.set_verbosity(optuna.logging.WARNING)

OPS = ("none", "skip", "conv1", "conv3", "pool")
MERITS = np.random.default_rng(5).normal(size=(6, 5))
BUDGET = 40
LATE = 20


def cell(trial: Any) -> tuple[int, ...]:
    """Six operations, as in NAS-Bench-201."""
    return tuple(OPS.index(trial.suggest_categorical(f"op{edge}", OPS)) for edge in range(6))


def merit(ops: tuple[int, ...]) -> float:
    return float(sum(MERITS[edge, op] for edge, op in enumerate(ops)))


@cache
def late(seed: int, *, moves: bool, ranked: bool, shuffled: bool = False) -> float:
    """Mean merit of the later half of the cells that a search trained.

    Args:
        seed: Seed.
        moves: Whether θ learns.
        ranked: Whether the inquisitor chooses among candidates.
        shuffled: Whether the search is told the merit of another cell.
    """
    rng = np.random.default_rng(seed)
    settings = Settings(ranked=ranked, step_limit=Settings().step_limit if moves else 0.0)
    seen: list[float] = []

    def objective(trial: optuna.Trial) -> float:
        seen.append(merit(cell(trial)))
        return seen[int(rng.integers(len(seen)))] if shuffled else seen[-1]

    sampler = GenerativeSynthesisSampler(cell, seed=seed, settings=settings)
    optuna.create_study(sampler=sampler, direction="maximize").optimize(objective, n_trials=BUDGET)
    return float(np.mean(seen[LATE:]))


def gain(better: list[float], worse: list[float]) -> tuple[float, float]:
    """Median paired difference, and the p that it is not above 0."""
    difference = np.asarray(better) - np.asarray(worse)
    return float(np.median(difference)), float(wilcoxon(difference, alternative="greater").pvalue)


SEEDS = range(8)


def test_theta_learns_without_any_ranking_of_candidates():
    learned = [late(seed, moves=True, ranked=False) for seed in SEEDS]
    frozen = [late(seed, moves=False, ranked=False) for seed in SEEDS]
    median, p = gain(learned, frozen)
    assert median > 0.5
    assert p < 0.01


def test_told_unrelated_merits_theta_learns_nothing():
    learned = [late(seed, moves=True, ranked=False, shuffled=True) for seed in SEEDS]
    frozen = [late(seed, moves=False, ranked=False) for seed in SEEDS]
    assert gain(learned, frozen)[1] > 0.05


@pytest.mark.slow
def test_the_ranking_gives_more_than_theta_and_needs_it_little():
    theta = [late(seed, moves=True, ranked=False) for seed in SEEDS]
    ranking = [late(seed, moves=False, ranked=True) for seed in SEEDS]
    both = [late(seed, moves=True, ranked=True) for seed in SEEDS]
    assert gain(ranking, theta)[1] < 0.01
    assert gain(both, theta)[1] < 0.01
