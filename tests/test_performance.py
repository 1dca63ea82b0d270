"""NetScore against hand-worked figures, and the shape of U."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter

from gensynth.errors import UserError
from gensynth.performance import NetScore, Performance, Quality, netscore
from gensynth.validation import validate

METRICS = {"params": 136_000.0, "macs": 44.2e6}
fractions = st.floats(0.0, 1.0)
counts = st.floats(1.0, 1e12)


class Holder(BaseModel):
    model_config = ConfigDict(extra="forbid")
    performance: Performance


def test_netscore_in_its_units():
    assert netscore(0.927, 1e6, 1e9) == pytest.approx(40 * math.log10(92.7))
    assert netscore(1.0, 0.01e6, 0.1e9) == pytest.approx(80 + 20 + 10)


def test_halving_parameters_and_macs_is_worth_six_decibels():
    gain = netscore(0.92, 50_000, 2e6) - netscore(0.92, 100_000, 4e6)
    assert gain == pytest.approx(20 * math.log10(2))
    assert netscore(0.976, 1e5, 1e6) - netscore(0.92, 1e5, 1e6) == pytest.approx(1.03, abs=0.01)


@given(fractions, counts, counts)
def test_netscore_is_finite_everywhere(quality, params, macs):
    assert math.isfinite(netscore(quality, params, macs))


@given(fractions, fractions, counts, counts)
def test_netscore_never_falls_with_quality(first, second, params, macs):
    low, high = sorted((first, second))
    assert netscore(low, params, macs) <= netscore(high, params, macs)


def test_nothing_right_and_nothing_there_still_score():
    assert netscore(0.0, 0, 0) == netscore(1e-4, 1, 1)
    assert math.isnan(netscore(math.nan, 1, 1))


def test_kinds():
    adapter = TypeAdapter[NetScore | Quality](Performance)
    assert adapter.validate_python({"kind": "netscore"})(0.927, METRICS) == netscore(
        0.927, 136_000, 44.2e6
    )
    weighted = adapter.validate_python({"kind": "netscore", "beta": 0, "gamma": 0})
    assert weighted(0.927, METRICS) == pytest.approx(40 * math.log10(92.7))
    for kind in ("quality", "accuracy"):
        alone = adapter.validate_python({"kind": kind})
        assert alone(1.0, METRICS) == pytest.approx(40.0)
        assert math.isfinite(alone(0.0, METRICS))


@pytest.mark.parametrize(
    "config", [{"kind": "loss"}, {"kind": "quality", "alpha": 2}, {"kind": "netscore", "beta": -1}]
)
def test_a_wrong_performance_is_one_line(config):
    with pytest.raises(UserError, match="performance"):
        validate(Holder, {"performance": config})
