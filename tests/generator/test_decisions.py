import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from pydantic import ValidationError

from gensynth.errors import UserError
from gensynth.generator.decisions import Categorical, Range, Value, with_probabilities
from gensynth.generator.moves import moved
from gensynth.generator.priors import prior

scalars = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=3))


@st.composite
def integers(draw: st.DrawFn) -> IntDistribution:
    log = draw(st.booleans())
    low = draw(st.integers(1 if log else -(10**6), 10**6))
    step = 1 if log else draw(st.integers(1, 50))
    return IntDistribution(low, low + step * draw(st.integers(0, 10**5)), log=log, step=step)


@st.composite
def floats(draw: st.DrawFn) -> FloatDistribution:
    log = draw(st.booleans())
    low = draw(st.floats(1e-6, 1e3) if log else st.floats(-1e3, 1e3))
    step = None if log else draw(st.sampled_from([None, 0.125, 0.5, 3.0]))
    if step is None:
        # A range of fewer floats than a decision has cells cannot give each cell its share.
        width = draw(st.one_of(st.just(0.0), st.floats(1e-3, 1e4)))
        return FloatDistribution(low, low + width, log=log)
    return FloatDistribution(round(low), round(low) + step * draw(st.integers(0, 10**4)), step=step)


categories = st.lists(
    scalars, min_size=1, max_size=8, unique_by=lambda choice: (type(choice), choice)
).map(CategoricalDistribution)
distributions = st.one_of(integers(), floats(), categories)
uniforms = st.floats(0, 1, exclude_max=True)


@given(distributions, st.lists(uniforms, min_size=1, max_size=5))
def test_every_draw_is_a_value_that_optuna_accepts(
    distribution: BaseDistribution, points: list[float]
):
    decision = prior(distribution, noise=0.25)
    assert decision.matches(distribution)
    for point in points:
        value = decision.quantile(point)
        assert distribution._contains(distribution.to_internal_repr(value))
        assert decision.cell(value) is not None


@given(distributions, uniforms, st.floats(0.01, 0.9))
def test_a_prior_with_a_start_keeps_its_mass_there(
    distribution: BaseDistribution, point: float, noise: float
):
    start = prior(distribution, noise=noise).quantile(point)
    decision = prior(distribution, start=start, started=True, noise=noise)
    cell = decision.cell(start)
    assert cell is not None
    assert math.isclose(decision.vector.sum(), 1)
    if len(decision.vector) > 1:
        assert decision.vector[cell] == pytest.approx(1 - noise)
        assert (decision.vector > 0).all()
    if not isinstance(distribution, FloatDistribution):
        middle = decision.vector[:cell].sum() + 0.5 * decision.vector[cell]
        assert decision.quantile(float(middle)) == start


@settings(max_examples=40)
@given(distributions, st.integers(0, 2**32))
def test_what_is_drawn_follows_the_probabilities(distribution: BaseDistribution, seed: int):
    rng = np.random.default_rng(seed)
    uniform = prior(distribution, noise=0.25)
    decision = with_probabilities(uniform, rng.random(len(uniform.vector)) + 0.01)
    grid = (np.arange(1000) + 0.5) / 1000
    cells = [decision.cell(decision.quantile(float(u))) for u in grid]
    shares = np.bincount(np.asarray(cells), minlength=len(decision.vector)) / len(grid)
    np.testing.assert_allclose(shares, decision.vector, atol=2 / 1000 + 1e-9)


@given(distributions, uniforms, st.integers(0, 2**32))
def test_a_moved_value_is_another_one_and_in_range(
    distribution: BaseDistribution, point: float, seed: int
):
    decision = prior(distribution, noise=0.25)
    value = decision.quantile(point)
    after = moved(decision, value, np.random.default_rng(seed))
    assert distribution._contains(distribution.to_internal_repr(after))
    if not distribution.single() and not isinstance(distribution, FloatDistribution):
        assert (type(after), after) != (type(value), value)


@given(distributions)
def test_a_decision_survives_json(distribution: BaseDistribution):
    decision = prior(distribution, noise=0.25)
    again = type(decision).model_validate(json.loads(json.dumps(decision.model_dump(mode="json"))))
    assert again == decision
    assert again.matches(distribution)


def test_wide_logarithmic_integers_are_drawn_evenly_in_the_logarithm():
    decision = prior(IntDistribution(1, 10**6, log=True), noise=0.25)
    values = [float(decision.quantile((i + 0.5) / 3000)) for i in range(3000)]  # type: ignore[arg-type]
    assert np.median(np.log10(values)) == pytest.approx(3, abs=0.15)


def test_numbers_near_the_start_are_likelier_than_far_ones():
    decision = prior(IntDistribution(1, 30), start=10, started=True, noise=0.4)
    assert decision.vector[10] > 2 * decision.vector[28]
    assert decision.vector[28] > 0.4 / 30 / 3


def test_choices_that_are_equal_in_python_stay_apart():
    decision = prior(CategoricalDistribution([True, 1, "1"]), noise=0.25)
    assert [decision.cell(value) for value in (True, 1, "1", 1.0)] == [0, 1, 2, None]


def test_a_start_that_is_not_offered_is_refused():
    with pytest.raises(UserError, match="start value 'gelu' is not among"):
        prior(CategoricalDistribution(["relu"]), start="gelu", started=True, noise=0.25)


@pytest.mark.filterwarnings("ignore:Choices for a categorical")
def test_a_choice_that_json_cannot_hold_is_refused():
    with pytest.raises(UserError, match="cannot be written"):
        prior(CategoricalDistribution([(1, 2)]), noise=0.25)  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"kind": "int", "low": 3, "high": 1, "step": 1, "starts": [0]}, "above high"),
        ({"kind": "int", "low": 0, "high": 1, "step": 0.5, "starts": [0]}, "integer step"),
        ({"kind": "float", "low": 0, "high": 1, "log": True, "starts": [0]}, "above 0"),
        ({"kind": "float", "low": -1e308, "high": 1e308, "starts": [0]}, "more values"),
        ({"kind": "float", "low": 0, "high": 1, "step": 1e-300, "starts": [0]}, "more values"),
        ({"kind": "float", "low": 0, "high": 1, "starts": [0.5]}, "do not follow"),
        ({"kind": "float", "low": 0, "high": 1, "starts": [0, 0.5]}, "2 cells but 1"),
        ({"kind": "int", "low": 0, "high": 9, "step": 1, "starts": [0.5]}, "do not follow"),
    ],
)
def test_hostile_ranges_are_refused(data: dict[str, object], message: str):
    with pytest.raises(ValidationError, match=message):
        Range.model_validate({"probabilities": [1.0], **data})


@pytest.mark.parametrize("probabilities", [[0.5, 0.4], [2.0, -1.0], [float("nan"), 1.0], []])
def test_probabilities_that_are_none_are_refused(probabilities: list[float]):
    with pytest.raises(ValidationError):
        Categorical.model_validate({"choices": ["a", "b"], "probabilities": probabilities})


def test_choices_that_are_sets_are_near_those_that_share_their_names():
    names = ("p", "o1", "p+o1", "o1+o2+o3", "p+o1+o2+o3")
    decision = prior(CategoricalDistribution(names), start="p", started=True, noise=0.3)
    assert decision.vector[2] > 1.3 * decision.vector[4]
    rng = np.random.default_rng(0)
    moves = [moved(decision, "o1+o2+o3", rng) for _ in range(200)]
    assert moves.count("p+o1+o2+o3") > 80
    assert "o1+o2+o3" not in moves


@pytest.mark.parametrize("choices", [("a", "b"), ("c++", "d"), ("a+b", 3), ("+", "a")])
def test_other_choices_are_equally_far_from_one_another(choices: tuple[Value, ...]):
    decision = prior(CategoricalDistribution(choices), noise=0.25)
    assert isinstance(decision, Categorical)
    assert decision.members == ()
