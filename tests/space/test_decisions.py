"""Decisions as people write them, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gensynth.cost import STATIC_METRICS, cost
from gensynth.errors import UserError
from gensynth.indicator import Indicator
from gensynth.space import Space, decode, load_space, trace, unmeetable
from gensynth.validation import validate


def refusal(call) -> str:
    with pytest.raises(UserError) as raised:
        call()
    line = str(raised.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize(
    ("decisions", "words"),
    [
        ({"stage1.widht": 8}, ["decisions.stage1.widht", "stage1.width"]),
        ({"stage9.width": 8}, ["decisions.stage9.width", "no such decision"]),
        ({"stage1.width": 3}, ["decisions.stage1.width", "3", "4 to 128"]),
        ({"stage1.width": 8.5}, ["8.5", "whole number"]),
        ({"stage1.width": True}, ["True"]),
        ({"activation": "rellu"}, ["'rellu'", "did you mean", "'relu'"]),
        ({"stem.kernel": "3"}, ["'3' is not a choice"]),
        ({"stage2.exit.of3": "o3+p"}, ["stage2.exit.of3", "p+o3"]),
        ({"stage3.projection.inner1": 1}, ["1 is not a choice"]),
        # Of a module that is not there.
        ({"stage1.modules": 1, "stage1.module3.inner": 1000}, ["stage1.module3.inner"]),
    ],
)
def test_a_wrong_decision_is_one_line(space: Space, decisions, words):
    line = refusal(lambda: decode(space, decisions))
    assert all(word in line for word in words), line
    assert refusal(lambda: trace(space, decisions)) == line


def test_a_decision_without_effect_is_ignored(space: Space):
    fewer = {"stage1.modules": 2}
    with_third = {**fewer, "stage1.module3.inner": 77, "stage1.exit.of3": "stem"}
    assert decode(space, with_third).hash == decode(space, fewer).hash


@settings(deadline=None, max_examples=30)
@given(width=st.integers(4, 128))
def test_inner_layers_default_to_the_stages_width(space: Space, width: int):
    traced = trace(space, {"stage2.width": width})
    assert traced.decisions["stage2.module3.inner"] == width


def test_start_holds_every_decision(space: Space, nano_b, config):
    around_nano = load_space(config, nano_b)
    assert around_nano.start.keys() == space.distributions.keys()
    written = nano_b["decisions"]["residual"]
    assert written.items() <= around_nano.start.items()


def test_defaults_stay_within_narrow_ranges(config, phi, nano_b):
    narrow = {**config, "kernel": [5], "modules": {"low": 1, "high": 2}, "activation": ["silu"]}
    point = {**nano_b, "decisions": {"residual": {}}}
    line = refusal(lambda: load_space(narrow, point))
    assert "decode to another network" in line
    assert "141,098" in line


def test_a_single_value_is_not_asked(config, phi):
    space = load_space({**config, "activation": ["relu"], "merge": ["before"]}, phi)
    asked = trace(space, {}).decisions
    assert "activation" not in asked
    assert "merge" not in asked
    assert "normalisation" in asked
    assert decode(space, {"activation": "relu"}).hash == decode(space, {}).hash


def test_a_prototype_without_decisions_is_one_line(config, phi):
    line = refusal(lambda: load_space(config, {**phi, "decisions": {}}))
    assert line.startswith("prototype resnet20: decisions.residual: missing")
    assert "prototype=resnet20" in line


def test_a_prototype_out_of_the_ranges_is_one_line(config, phi):
    narrow = {**config, "width": {"low": 4, "high": 32}}
    line = refusal(lambda: load_space(narrow, phi))
    assert line.startswith("prototype resnet20: decisions.residual.stage3.width: 64 is not")


def test_decisions_of_another_network_are_refused(config, phi):
    wrong = {**phi, "decisions": {"residual": {"stage1.width": 15}}}
    line = refusal(lambda: load_space(config, wrong))
    assert "another network" in line
    assert "271,991" in line


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"widht": {"low": 1, "high": 2}}, ["search_space.widht", "'width'"]),
        ({"kind": "cells"}, ["search_space.kind"]),
        ({"kernel": [2]}, ["search_space.kernel", "even"]),
        ({"kernel": []}, ["search_space.kernel"]),
        ({"kernel": [3, 3]}, ["twice"]),
        ({"width": {"low": 9, "high": 8}}, ["search_space.width", "low 9"]),
        ({"modules": {"low": 1, "high": 9}}, ["6 modules"]),
        ({"activation": ["swash"]}, ["search_space.activation"]),
    ],
)
def test_a_wrong_space_is_one_line(config, phi, change, words):
    line = refusal(lambda: load_space({**config, **change}, phi))
    assert all(word in line for word in words), line


def bounds(**written) -> Indicator:
    return validate(Indicator, {"name": "test", "bounds": written})


@pytest.mark.parametrize("metric", STATIC_METRICS)
def test_a_bound_at_an_extreme_is_meetable_and_one_beyond_is_not(space: Space, metric: str):
    least, greatest = (cost(genome).metrics()[metric] for genome in space.extremes()[metric])
    assert least < greatest
    assert unmeetable(bounds(**{metric: {"min": greatest}}), space) == []
    assert unmeetable(bounds(**{metric: {"max": least}}), space) == []
    assert unmeetable(bounds(**{metric: {"max": least - 1}}), space) == [(f"{metric}.max", least)]
    assert unmeetable(bounds(**{metric: {"min": greatest + 1}}), space) == [
        (f"{metric}.min", greatest)
    ]


def test_ten_parameters_are_too_few(space: Space):
    found = unmeetable(bounds(params={"max": 10}, accuracy={"min": 0.9}), space)
    assert found == [("params.max", 115.0)]


def test_trained_bounds_are_passed_over(space: Space):
    assert unmeetable(bounds(accuracy={"min": 0.99}), space) == []
