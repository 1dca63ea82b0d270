import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gensynth.errors import UserError
from gensynth.generator import Generator, best, pareto
from gensynth.generator.assessment import assess, assessed
from gensynth.generator.decisions import Value
from gensynth.generator.generator import uniform


def define(trial: Any) -> tuple[Any, ...]:
    depth = trial.suggest_int("depth", 1, 4)
    widths = [trial.suggest_int(f"width{layer}", 4, 400, log=True) for layer in range(depth)]
    rate = trial.suggest_float("rate", 0.0, 0.5)
    return depth, tuple(widths), rate, trial.suggest_categorical("act", ["relu", None, True, 2])


START: dict[str, Value] = {"depth": 2, "width0": 64, "width1": 33, "act": None}


def test_a_sample_is_a_function_of_its_seed():
    generator = Generator(start=START)
    first = [generator.sample(seed, define).outcome for seed in range(50)]
    again = [Generator(start=START).sample(seed, define).outcome for seed in reversed(range(50))]
    assert first == again[::-1]
    assert len(set(first)) > 45


def test_one_decision_of_theta_leaves_the_others_samples_alone():
    left, right = Generator(), Generator(start={"act": True}, noise=0.01)
    for seed in range(20):
        one, other = left.sample(seed, define).decisions, right.sample(seed, define).decisions
        assert {**one, "act": 0} == {**other, "act": 0}


def test_g0_is_the_prototype_with_noise():
    generator = Generator(start=START, noise=0.2)
    samples = [generator.sample(seed, define).decisions for seed in range(1000)]
    for name, value in START.items():
        having = [sample[name] for sample in samples if name in sample]
        assert having.count(value) / len(having) == pytest.approx(0.8, abs=0.05)


@given(st.integers(-(2**70), 2**70), st.text())
def test_uniform_numbers_are_in_the_unit_interval(seed: int, name: str):
    assert 0 <= uniform(seed, name) < 1


def test_uniform_numbers_are_uniform_and_independent_of_neighbouring_seeds():
    numbers = [uniform(seed, "x") for seed in range(4000)]
    assert sum(numbers) / 4000 == pytest.approx(0.5, abs=0.02)
    pairs = sum((a - 0.5) * (b - 0.5) for a, b in pairwise(numbers)) / sum(
        (a - 0.5) ** 2 for a in numbers
    )
    assert abs(pairs) < 0.06


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_a_saved_generator_gives_the_same_networks(seed: int, tmp_path_factory: Any):
    generator = Generator(start=START, space={"kind": "toy"})
    for met in range(5):
        generator = generator.meeting(generator.sample(met, define).distributions)
    path = tmp_path_factory.mktemp("g") / "generator.json"
    generator.save(path)
    again = Generator.load(path)
    assert again == generator
    assert again.sample(seed, define) == generator.sample(seed, define)


HOSTILE = {
    "not json": "{",
    "a list": "[1, 2]",
    "nested": "[" * 100_000,
    "a huge number": '{"iteration": ' + "9" * 5000 + "}",
    "binary": b"\xff\xfe\x00",
    "another format": '{"format": "pickle"}',
    "a newer version": '{"version": 2}',
    "an unknown key": '{"code": "print(1)"}',
    "a nan": '{"mean_performance": NaN}',
    "a negative noise": '{"noise": -1}',
    "an unknown kind": '{"theta": {"x": {"kind": "lambda", "probabilities": [1]}}}',
    "no kind": '{"theta": {"x": {"probabilities": [1]}}}',
    "not normalised": (
        '{"theta": {"x": {"kind": "choice", "choices": ["a", "b"], "probabilities": [0.9, 0.9]}}}'
    ),
    "a range of nothing": (
        '{"theta": {"x": {"kind": "float", "low": 0, "high": 1, "step": 1e-320, '
        '"starts": [0], "probabilities": [1]}}}'
    ),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_in_one_line(content: str | bytes, tmp_path: Path):
    path = tmp_path / "generator.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as caught:
        Generator.load(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(str(path))
    assert len(line) < 400


def test_missing_and_oversized_files_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match="cannot be read"):
        Generator.load(tmp_path / "none.json")
    big = tmp_path / "big.json"
    big.write_text(" " * (16 * 2**20 + 1))
    with pytest.raises(UserError, match="more than such a file needs"):
        Generator.load(big)


def test_a_distribution_that_no_longer_fits_gives_way_to_the_prior(tmp_path: Path):
    generator = Generator().meeting(Generator().sample(0, define).distributions)
    path = tmp_path / "g.json"
    generator.save(path)
    data = json.loads(path.read_text())
    data["theta"]["act"] = {"kind": "choice", "choices": ["x"], "probabilities": [1.0]}
    path.write_text(json.dumps(data))
    assert Generator.load(path).sample(3, define).decisions["act"] in ("relu", None, True, 2)


def test_assessment_counts_what_it_says():
    generator = Generator(start=START)
    figures = assess(
        generator, define, lambda outcome: {"depth.max": outcome[0] - 2}, seeds=range(500, 900)
    )
    outcomes = [generator.sample(seed, define).outcome for seed in range(500, 900)]
    assert figures.static_feasible == sum(outcome[0] <= 2 for outcome in outcomes) / 400
    assert figures.unique == len(set(outcomes)) / 400
    assert figures.predicted_feasible is None
    assert assessed(generator, figures).seeds == (500, 900)
    with pytest.raises(UserError, match="consecutive"):
        assess(generator, define, seeds=range(0))


def _with(rate: float | None, performance: float | None, iteration: int) -> Generator:
    return Generator(iteration=iteration, predicted_feasible=rate, mean_performance=performance)


def test_the_pareto_generators_are_those_that_none_surpasses():
    merits = [(0.2, 9.0), (0.9, 5.0), (0.9, 4.0), (0.5, 5.0), (1.0, 1.0), (0.9, 5.0), (None, None)]
    generators = [_with(*merit, index) for index, merit in enumerate(merits)]
    assert [generator.iteration for generator in pareto(generators)] == [4, 1, 0]
    assert best(generators).iteration == 1
    assert [generator.iteration for generator in pareto(generators[-1:])] == [6]
    with pytest.raises(UserError):
        best([])
