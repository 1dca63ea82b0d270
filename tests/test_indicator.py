"""Bounds, violations and what is refused at the start."""

import json
import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gensynth.cost import STATIC_METRICS
from gensynth.errors import UserError
from gensynth.indicator import MOST, Bound, Indicator
from gensynth.task import Classification, Regression
from gensynth.validation import validate

finite = st.floats(allow_nan=False, allow_infinity=False)
ASKED = Classification()
POSE = Regression(name="pose", numbers=("yaw", "pitch"), unit="°")
METRICS = {"params": 100_000.0, "macs": 5e6, "accuracy": 0.93}


def indicator(**bounds):
    return validate(Indicator, {"name": "test", "bounds": bounds})


def test_violations_are_signed_and_relative_to_the_bound():
    found = indicator(params={"max": 200_000}, accuracy={"min": 0.9, "max": 0.91}).violations(
        METRICS
    )
    assert list(found) == ["params.max", "accuracy.min", "accuracy.max"]
    assert found["params.max"] == pytest.approx(-0.5)
    assert found["accuracy.min"] == pytest.approx(-0.03 / 0.9)
    assert found["accuracy.max"] == pytest.approx(0.02 / 0.91)


def test_a_bound_of_zero_is_violated_by_the_plain_difference():
    assert indicator(macs={"max": 0}).violations({"macs": 250.0}) == {"macs.max": 250.0}


@given(value=finite, low=finite, high=finite)
def test_sign_of_the_violation_is_the_truth_of_the_bound(value, low, high):
    low, high = sorted((low, high))
    found = Bound(min=low, max=high).violations(value)
    assert (found["min"] <= 0) == (value >= low) or math.isclose(value, low)
    assert (found["max"] <= 0) == (value <= high) or math.isclose(value, high)
    assert all(abs(violation) <= MOST for violation in found.values())


@given(st.floats(), st.floats())
def test_violations_can_always_be_written_as_json(params, accuracy):
    bounds = indicator(params={"max": 10}, accuracy={"min": 0.5})
    found = bounds.violations({"params": params, "accuracy": accuracy})
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_nan_is_never_satisfied():
    bounds = indicator(accuracy={"min": 0.1, "max": 0.9})
    assert bounds.violations({"accuracy": math.nan}) == {"accuracy.min": MOST, "accuracy.max": MOST}
    assert not bounds.feasible({"accuracy": math.nan})


def test_a_missing_metric_has_no_violation_but_is_not_feasible():
    bounds = indicator(params={"max": 136_000}, accuracy={"min": 0.92})
    assert bounds.violations({"params": 1.0}) == {"params.max": pytest.approx(-1, abs=1e-3)}
    assert not bounds.feasible({"params": 1.0})
    assert bounds.feasible(METRICS)


def test_static_and_trained_bounds_partition_the_indicator():
    bounds = indicator(**{"params": {"max": 1}, "recall.fear": {"min": 0.5}, "macs": {"max": 2}})
    assert set(bounds.static.bounds) == {"params", "macs"}
    assert set(bounds.trained.bounds) == {"recall.fear"}
    assert bounds.static.name == "test"
    assert bounds.keys == ("params.max", "recall.fear.min", "macs.max")


def test_total_violation_does_not_let_one_bound_pay_for_another():
    bounds = indicator(params={"max": 50_000}, accuracy={"min": 0.1})
    assert bounds.total_violation(METRICS) == pytest.approx(1.0)
    assert indicator(params={"max": 200_000}).total_violation(METRICS) == 0


def test_a_margin_raises_what_shares_must_at_least_be_and_nothing_else():
    bounds = {
        "accuracy": {"min": 0.92},
        "recall.fear": {"min": 0.97, "max": 1.0},
        "accuracy_fold_mean": {"max": 0.5},
        "params": {"min": 10, "max": 136_000},
    }
    plain = Indicator.model_validate({"name": "some", "bounds": bounds})
    tightened = plain.tightened(0.05, ASKED)
    assert tightened.bounds["accuracy"].min == pytest.approx(0.97)
    assert tightened.bounds["recall.fear"].min == tightened.bounds["recall.fear"].max == 1.0
    assert tightened.static == plain.static
    assert tightened.bounds["accuracy_fold_mean"] == plain.bounds["accuracy_fold_mean"]
    assert tightened.keys == plain.keys
    assert plain.tightened(0, ASKED) == plain
    eased = plain.tightened(-0.95, ASKED)
    assert eased.bounds["accuracy"].min == 0
    assert eased.bounds["recall.fear"].min == pytest.approx(0.02)
    assert eased.static == plain.static


def test_a_margin_lowers_what_errors_may_be():
    plain = indicator(mae_pose={"max": 5}, r2_pose={"min": 0.5}, params={"max": 9})
    tightened = plain.tightened(0.1, POSE)
    assert tightened.bounds["mae_pose"].max == pytest.approx(4.5)
    assert tightened.bounds["r2_pose"] == plain.bounds["r2_pose"]
    assert tightened.static == plain.static
    assert plain.tightened(-0.1, POSE).bounds["mae_pose"].max == pytest.approx(5.5)


def test_a_bound_exactly_met_is_satisfied():
    assert indicator(params={"max": 100_000}, accuracy={"min": 0.93}).feasible(METRICS)


@pytest.mark.parametrize(
    ("bounds", "key"),
    [
        ({"accuracy": {}}, "bounds.accuracy"),
        ({"accuracy": {"min": 0.9, "max": 0.1}}, "bounds.accuracy"),
        ({"accuracy": {"min": math.nan}}, "bounds.accuracy.min"),
        ({"params": {"max": math.inf}}, "bounds.params.max"),
        ({"params": {"maximum": 3}}, "bounds.params.maximum"),
        ({"params": {"max": "many"}}, "bounds.params.max"),
    ],
)
def test_a_bound_that_bounds_nothing_is_refused_by_its_key(bounds, key):
    with pytest.raises(UserError) as raised:
        indicator(**bounds)
    assert raised.value.where == key
    assert "\n" not in str(raised.value)


def test_an_unknown_metric_is_named_with_those_that_exist():
    with pytest.raises(UserError) as raised:
        indicator(acuracy={"min": 0.9}).check(ASKED)
    line = str(raised.value)
    assert line.startswith("bounds.acuracy: unknown metric; did you mean 'accuracy'")
    assert all(
        name in line for name in (*STATIC_METRICS, "accuracy", "recall.min", "recall.<class>")
    )


def test_recall_of_a_class_is_known_only_where_there_is_the_class():
    bounds = indicator(**{"recall.fear": {"min": 0.5}})
    bounds.check(Classification(classes=("fear", "anger")))
    with pytest.raises(UserError, match=r"bounds\.recall\.fear"):
        bounds.check(Classification(classes=("anger",)))


def test_a_wrong_key_of_a_bound_is_told_the_right_ones():
    with pytest.raises(UserError) as raised:
        indicator(accuracy={"mim": 0.9})
    assert str(raised.value) == "bounds.accuracy.mim: unknown key; did you mean 'min'?"


@pytest.mark.parametrize(
    ("metric", "end", "value"),
    [("accuracy", "min", 1.2), ("accuracy", "max", -0.1), ("params", "max", -1)],
)
def test_a_bound_outside_of_what_a_metric_can_be_is_named(metric, end, value):
    with pytest.raises(UserError) as raised:
        indicator(**{metric: {end: value}}).check(ASKED)
    assert raised.value.where == f"bounds.{metric}.{end}"
    assert f"{value:g}" in str(raised.value)


def test_bounds_at_the_edge_of_the_possible_are_allowed():
    indicator(accuracy={"min": 1}, params={"max": 0}).check(ASKED)


@pytest.mark.parametrize("file", ["nano_a", "nano_b", "emotionnet", "fast", "microcontroller"])
def test_the_shipped_indicators_are_valid(repository: Path, file: str):
    data = yaml.safe_load((repository / "constraints" / f"{file}.yaml").read_text())
    shipped = validate(Indicator, data)
    shipped.check(ASKED)
    assert shipped.static.bounds
    assert set(shipped.trained.bounds) == {"accuracy"}


def test_bounds_name_the_metrics_of_the_task():
    bounds = indicator(mae_pose={"max": 5}, rmse_yaw={"max": 9}, r2_pose={"min": -1})
    bounds.check(POSE)
    with pytest.raises(UserError, match=r"bounds\.mae_pose: unknown metric"):
        bounds.check(ASKED)
    with pytest.raises(UserError, match=r"bounds\.accuracy: unknown metric; use one of .*mae_yaw"):
        indicator(accuracy={"min": 0.5}).check(POSE)
    with pytest.raises(UserError, match="no network can meet -1: mae_pose is never negative"):
        indicator(mae_pose={"max": -1}).check(POSE)
    with pytest.raises(UserError, match=r"no network can meet 1\.5: r2_pose is at most 1"):
        indicator(r2_pose={"min": 1.5}).check(POSE)


def test_a_metric_with_a_dot_may_come_nested_as_from_the_command_line():
    nested = {"accuracy": {"min": 0.9}, "recall": {"fear": {"min": 0.8}, "min": {"min": 0.5}}}
    indicator = Indicator.model_validate({"name": "mine", "bounds": nested})
    assert indicator.keys == ("accuracy.min", "recall.fear.min", "recall.min.min")
