from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from scipy.stats import entropy

from gensynth.generator.decisions import Value
from gensynth.generator.generator import Generator
from gensynth.generator.settings import Settings
from gensynth.generator.tracing import Tracer
from gensynth.generator.update import limited, raised, rank_weights, step

MET = {
    "kind": CategoricalDistribution(["a", "b", "c"]),
    "width": IntDistribution(1, 24),
    "rate": FloatDistribution(1e-4, 1.0, log=True),
    "flag": CategoricalDistribution([False, True]),
    "only": CategoricalDistribution(["one"]),
}


def define(tracer: Any) -> dict[str, Any]:
    point: dict[str, Any] = {
        "kind": tracer.suggest_categorical("kind", ["a", "b", "c"]),
        "width": tracer.suggest_int("width", 1, 24),
        "rate": tracer.suggest_float("rate", 1e-4, 1.0, log=True),
        "only": tracer.suggest_categorical("only", ["one"]),
    }
    if point["kind"] == "b":
        point["flag"] = tracer.suggest_categorical("flag", [False, True])
    return point


@st.composite
def shares(draw: st.DrawFn, count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    raw = np.asarray(draw(st.lists(st.floats(1e-6, 1), min_size=count, max_size=count)))
    return np.asarray(raw / raw.sum())


@settings(max_examples=50, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 10**6), min_size=1, max_size=12),
    limit=st.sampled_from([0.0, 0.01, 0.25, 2.0]),
    floor=st.sampled_from([0.0, 0.1, 0.5]),
    updates=st.integers(1, 6),
    start=st.booleans(),
)
def test_every_update_keeps_theta_normalised_within_the_step_and_above_the_floor(
    seeds: list[int], limit: float, floor: float, updates: int, start: bool
):
    begin: dict[str, Value] = {"kind": "b", "width": 20, "flag": True} if start else {}
    generator = Generator(start=begin).meeting(MET)
    elites = [Generator().sample(seed, define).decisions for seed in seeds]
    for _ in range(updates):
        moved = step(
            generator,
            elites,
            rank_weights(len(elites)),
            met=MET,
            settings=Settings(step_limit=limit, entropy_floor=floor),
        )
        for name, after in moved.theta.items():
            before = generator.theta[name]
            assert after.vector.sum() == pytest.approx(1)
            assert (after.vector >= 0).all()
            assert entropy(after.vector, before.vector) <= limit + 1e-6
            least = floor * np.log(len(after.vector))
            assert entropy(after.vector) >= min(least, entropy(before.vector)) - 1e-6
        assert moved.iteration == generator.iteration + 1
        generator = moved


def test_updates_without_a_limit_reach_what_they_are_fitted_to():
    elites = [{"kind": "c", "width": 3, "rate": 0.5, "only": "one"}] * 8
    generator = Generator(start={"kind": "a", "width": 20}).meeting(MET)
    for _ in range(30):
        generator = step(generator, elites, rank_weights(8), met=MET)
    samples = [generator.sample(seed, define).decisions for seed in range(200)]
    assert np.mean([sample["kind"] == "c" for sample in samples]) > 0.9
    assert abs(float(np.median([sample["width"] for sample in samples])) - 3) <= 2
    assert generator.theta["flag"] == Generator().meeting(MET).theta["flag"]


def test_a_zero_limit_freezes():
    generator = Generator(start={"kind": "a"}).meeting(MET)
    elites = [{"kind": "c", "width": 3}]
    moved = step(generator, elites, rank_weights(1), met=MET, settings=Settings(step_limit=0.0))
    for name, decision in moved.theta.items():
        np.testing.assert_allclose(decision.vector, generator.theta[name].vector, atol=1e-9)


@given(shares(6), shares(6), st.floats(0, 1))
def test_a_limited_step_goes_all_the_way_or_to_the_limit(target: Any, origin: Any, limit: float):
    moved = limited(target, origin, limit)
    length = entropy(moved, origin)
    assert length <= limit + 1e-9
    assert np.allclose(moved, target) or length >= 0.99 * limit - 1e-9


@given(shares(7), st.floats(0, 0.99))
def test_a_raised_distribution_has_the_floor_and_no_more(shape: Any, floor: float):
    lifted = raised(shape, floor)
    least = floor * np.log(7)
    assert entropy(lifted) >= least - 1e-9
    assert lifted is shape or entropy(lifted) <= least + 1e-6


@given(st.integers(1, 500))
def test_rank_weights_fall_and_add_up(count: int):
    weights = rank_weights(count)
    assert weights.sum() == pytest.approx(1)
    assert (np.diff(weights) <= 1e-12).all()


def test_a_name_that_is_asked_twice_is_decided_once():
    answers = iter([1, 2])
    tracer = Tracer(lambda name, distribution: next(answers))
    assert tracer.suggest_int("n", 0, 9) == tracer.suggest_int("n", 0, 9) == 1
