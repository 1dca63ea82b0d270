"""The inquisitor's parts: scales, processes, fronts, and spaces learned from trials."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from optuna._hypervolume import compute_hypervolume
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from gensynth.dominance import nondominated
from gensynth.generator.generator import Generator
from gensynth.generator.history import Observation
from gensynth.generator.hypervolume import NODES, HypervolumeImprovement
from gensynth.generator.recollection import Recollection
from gensynth.generator.screen import Screen
from gensynth.generator.surrogate import GaussianProcess
from gensynth.generator.targets import Scale, strongest
from gensynth.generator.tracing import trace

values = arrays(float, st.integers(4, 40), elements=st.floats(-1e3, 1e3, width=32))


@settings(deadline=None)
@given(values, st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 2.7, 3.0]))
def test_a_scale_keeps_the_order_and_can_be_left_again(found: Any, power: float):
    scale = Scale.of(found, power)
    inside = np.sort(np.clip(found, scale.floor, scale.ceiling))
    points = scale(inside)
    assert (np.diff(points) >= -1e-9 * (1 + np.abs(points[1:]))).all()
    np.testing.assert_allclose(scale.back(points), inside, atol=1e-4 * max(scale.spread, 1e-9))


def test_a_scale_straightens_what_saturates_and_draws_the_bad_tail_in():
    rng = np.random.default_rng(0)
    accuracies = 95 - rng.exponential(3, size=80)
    accuracies[:3] = [10.0, -np.inf, np.nan]
    scale = Scale.of(accuracies)
    assert scale.power > 1.3
    assert 30 < scale.floor < 90
    assert np.isnan(scale(accuracies)[2])
    assert scale(accuracies)[1] == scale(accuracies)[0]


def test_the_gradient_of_a_process_is_that_of_its_density():
    rng = np.random.default_rng(0)
    inputs = rng.random((15, 4))
    process = GaussianProcess(inputs, np.sin(inputs @ [3, 1, 0, 2]), ["a", "b", "b", "c"])
    at, prior = np.asarray([1.0, 0.5, -1, -1, -4]), np.asarray([1.0, 1, 1, -1.4, -7])
    gradient = process._loss(at, prior, 0.7)[1]
    for axis, step in enumerate(1e-6 * np.eye(5)):
        ends = [process._loss(at + sign * step, prior, 0.7)[0] for sign in (1, -1)]
        assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(gradient[axis], rel=1e-3, abs=1e-4)


def test_a_process_finds_what_matters_and_interpolates():
    rng = np.random.default_rng(1)
    inputs = rng.random((40, 5))

    def truth(at: np.ndarray) -> np.ndarray:
        return np.asarray(np.sin(6 * at[:, 0]))

    process = GaussianProcess(inputs, truth(inputs), list("abcde"))
    relevance = process.hyperparameters.relevance
    assert relevance["a"] > max(relevance[name] for name in "bcde") + 1
    fresh = rng.random((30, 5))
    mean, deviation = process.predict(fresh)
    assert np.abs(mean - truth(fresh)).max() < 0.3
    assert (deviation > 0).all()
    again = GaussianProcess(inputs[:20], truth(inputs[:20]), list("abcde"), process.hyperparameters)
    grown = again.extended(inputs[20:], truth(inputs[20:]))
    assert grown.predict(inputs[20:])[1].max() < again.predict(inputs[20:])[1].max()


@pytest.mark.parametrize("count", [2, 3])
def test_the_expected_growth_of_a_front_is_what_sampling_finds(count: int):
    rng = np.random.default_rng(count)
    known = rng.random((6, count))
    front = HypervolumeImprovement.of(known)
    mean, deviation = rng.random((4, count)) * 0.6 + 0.4, np.full((4, count), 0.2)
    nodes = [mean[:, [axis]] + deviation[:, [axis]] * NODES for axis in range(count)]
    reference = (-known).max(axis=0) + 0.1 * np.ptp(known, axis=0)
    before = compute_hypervolume(-known, reference)
    for index, expected in enumerate(np.exp(front.log_improvement(nodes))):
        drawn = mean[index] + deviation[index] * rng.normal(size=(1500, count))
        losses = np.minimum(-drawn, reference)
        after = [compute_hypervolume(np.vstack([-known, one]), reference) for one in losses]
        assert expected == pytest.approx(np.mean(after) - before, rel=0.15)


def test_a_recollected_space_asks_what_its_trials_asked():
    kinds = CategoricalDistribution(["net", "tree"])
    depth, width, rate = IntDistribution(1, 9), IntDistribution(1, 64), FloatDistribution(0, 1)
    trials = []
    for number in range(24):
        if number % 2:
            params: dict[str, Any] = {"kind": "tree", "rate": number / 24}
        else:
            params = {"kind": "net", "depth": 1 + number % 3}
            params |= {"width2": 7} if params["depth"] > 1 else {}
        known = {"kind": kinds, "depth": depth, "width2": width, "rate": rate}
        asked = {name: known[name] for name in params}
        trials.append(create_trial(value=0.0, params=params, distributions=asked))
    space = Recollection(trials)
    generator = Generator()
    for seed in range(60):
        found = generator.sample(seed, space).decisions
        assert ("rate" in found) == (found["kind"] == "tree")
        assert ("depth" in found) == (found["kind"] == "net")
        assert ("width2" in found) == (found.get("depth", 0) > 1)
    plan = trace(space, lambda name, _: {"kind": "net", "depth": 9, "width2": 1}[name])
    assert list(plan.decisions) == ["kind", "depth", "width2"]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32), st.integers(2, 3), st.sampled_from([20, 60]))
def test_the_strongest_trials_hold_the_feasible_front_and_the_latest(
    seed: int, count: int, most: int
):
    rng = np.random.default_rng(seed)
    objectives = np.round(rng.random((150, count)), 2)
    violations = rng.random(150) - 0.5
    past = [
        Observation(
            number=number,
            decisions={},
            distributions={},
            measured={"bound": float(violation)},
            utility=None,
            objectives=tuple(values),
            fidelity=1.0,
            screen=Screen(),
        )
        for number, (values, violation) in enumerate(
            zip(objectives.tolist(), violations, strict=True)
        )
    ]
    kept = strongest(past, most)
    feasible = np.flatnonzero(violations <= 0)
    front = feasible[nondominated(objectives[feasible])]
    assert len(set(kept.tolist())) == most
    assert (np.diff(kept) > 0).all()
    assert len(front) > most // 2 or set(front) <= set(kept.tolist())
    others = np.setdiff1d(np.arange(150), kept)
    assert others.max() < 149
