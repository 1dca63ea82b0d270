"""Measures and tests against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wilcoxon

from benchmarks.sampler.claims import compared
from benchmarks.sampler.measures import NOTHING, curve, hypervolume
from benchmarks.sampler.problem import Evaluation, Problem
from benchmarks.sampler.runs import Results, Run
from benchmarks.sampler.samples import Sampled, sampled
from benchmarks.sampler.statistics import paired, quartiles

SHARES = st.floats(0, 1, allow_nan=False)


def single(best=None, direction="maximize"):
    return Problem(
        name="one",
        define=lambda trial: trial,
        directions=(direction,),
        evaluate=lambda network, decisions: Evaluation((0.0,), 0.0),
        best=best,
    )


def test_regret_falls_to_zero_at_the_best_feasible_value():
    found = [Evaluation((value,), bad) for value, bad in [(1, 0), (9, 1), (3, 0), (4, -1), (2, 0)]]
    assert curve(single(best=4.0), found, [1, 2, 3, 4, 5]).tolist() == [3, 3, 1, 0, 0]


def test_best_feasible_value_with_and_without_one():
    found = [Evaluation((value,), bad) for value, bad in [(9, 1), (3, 0), (4, 0)]]
    assert curve(single(), found, [1, 2, 3]).tolist() == [NOTHING, 3, 4]
    assert np.isnan(curve(single(), found, [3, 4])).tolist() == [False, True]


@given(st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=6))
def test_hypervolume_is_the_share_of_points_beaten(points):
    """Against counting: the share of a fine grid's cells that some point dominates."""
    corners = ((1.0, 0.0), (0.0, 1.0))
    at = (np.arange(100) + 0.5) / 100
    lost, cost = np.meshgrid(at, at)
    beaten = np.zeros(lost.shape, bool)
    for gain, price in points:
        beaten |= (lost >= 1 - gain) & (cost >= price)
    assert hypervolume(tuple(points), corners) == pytest.approx(beaten.mean(), abs=0.03)


def test_what_is_worse_than_the_reference_does_not_count():
    corners = ((1.0, 0.0), (0.5, 1.0))
    assert hypervolume(((0.4, 0.1), (0.5, 0.0)), corners) == 0
    assert hypervolume((), corners) == 0
    assert hypervolume(((1.0, 0.0),), corners) == 1


def test_paired_is_wilcoxons_test():
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(0, 1, 50), rng.normal(0.4, 1, 50)
    assert paired(ours, theirs) == wilcoxon(ours, theirs).pvalue
    assert paired(ours, theirs, "less") == wilcoxon(ours, theirs, alternative="less").pvalue
    assert paired(ours, ours) == 1
    assert paired(ours + 1, ours, "greater") < 0.001 < 0.999 < paired(ours + 1, ours, "less")


def test_quartiles():
    assert quartiles([4, 1, 3, 2, 5]) == (2, 3, 4)


def test_runs_come_back_as_they_were(tmp_path):
    results = Results(tmp_path)
    held_out = Sampled(static=0.5, feasible=0.25, median=1.5, unique=1.0)
    run = Run(7, "made so", [Evaluation((1.5, 2.0), -0.25)] * 3, {"duplicate": 2}, 0.5, held_out)
    results.add("towers", "Optuna TPE", run)
    assert results.of("towers", "Optuna TPE", "made so", 3) == {7: run}
    assert results.of("towers", "Optuna TPE", "made so", 4) == {}
    assert results.of("towers", "Optuna TPE", "otherwise", 3) == {}
    assert results.of("towers", "SMAC3", "made so", 3) == {}


def test_samples_of_a_generator_are_counted_without_refusing():
    """Half of a uniform coin's samples are too large, and two networks are different."""
    coin = Problem(
        name="coin",
        define=lambda trial: trial.suggest_categorical("side", ["heads", "tails"]),
        directions=("minimize",),
        evaluate=lambda side, _: Evaluation((3.0,), -1.0),
        static=lambda side: {"size.max": 1.0 if side == "heads" else -1.0},
    )
    found = sampled(coin, coin.prior, 0)
    assert found.static == found.feasible == pytest.approx(0.5, abs=0.15)
    assert found.median == -3
    assert found.unique == 2 / 200
    assert sampled(coin, coin.prior, 0) == found != sampled(coin, coin.prior, 1)


def problem_with_runs(ours, theirs):
    problem = single(best=0.0)
    return problem, {
        "gensynth": {seed: np.asarray([value]) for seed, value in enumerate(ours)},
        "peer": {seed: np.asarray([value]) for seed, value in enumerate(theirs)},
        "worse peer": {seed: np.asarray([value + 1]) for seed, value in enumerate(theirs)},
    }


def test_the_best_peer_is_compared_and_less_regret_is_better():
    problem, curves = problem_with_runs(np.linspace(0, 1, 20), np.linspace(0.1, 1.2, 20))
    cells = compared(problem, curves, 0, 0, None)
    assert cells == ["0.500", "peer", "0.650", "< 0.001", "1.000", "20"]
    named = compared(problem, curves, 0, 0, "worse peer")
    assert named is not None
    assert named[1:3] == ["worse peer", "1.650"]


def test_runs_that_are_too_short_are_not_compared():
    problem, curves = problem_with_runs([np.nan] * 20, [1.0] * 20)
    assert compared(problem, curves, 0, 0, None) is None


def test_one_short_run_takes_no_peer_away_and_one_run_makes_no_peer():
    problem, curves = problem_with_runs(np.linspace(0, 1, 21), np.linspace(0.1, 1.2, 21))
    curves["peer"][20] = np.asarray([np.nan])
    curves["lucky peer"] = {0: np.asarray([-5.0])}
    cells = compared(problem, curves, 0, 0, None)
    assert cells is not None
    assert (cells[1], cells[5]) == ("peer", "20")
