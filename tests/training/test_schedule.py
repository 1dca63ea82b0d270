import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gensynth.training import Milestone, OneCycle, Steps
from tests.training.shipped import shipped

RATES = {1: 1e-3, 80: 1e-3, 81: 1e-4, 120: 1e-4, 121: 1e-5, 160: 1e-5, 161: 1e-6, 181: 5e-7}


STEPS = Steps.model_validate(shipped("paper").schedule.model_dump())


def test_the_papers_rates_at_the_papers_epochs():
    paper = shipped("paper")
    rates = {
        epoch: paper.learning_rate * paper.schedule.factor((epoch - 1) / 200) for epoch in RATES
    }
    assert rates == pytest.approx(RATES, rel=1e-12)


@given(epochs=st.integers(1, 300), batches=st.integers(1, 9))
def test_steps_keep_their_proportions_at_any_length(epochs, batches):
    steps = epochs * batches
    for step in range(steps):
        epoch_of_200 = step * 200 // steps + 1
        expected = [m.factor for m in STEPS.milestones if m.epoch <= epoch_of_200] or [1.0]
        assert STEPS.factor(step / steps) == expected[-1]


@given(
    warmup=st.floats(0, 0.9),
    start=st.floats(0, 1),
    end=st.floats(0, 1),
    steps=st.integers(1, 300),
)
def test_one_cycle_rises_to_the_peak_and_falls(warmup, start, end, steps):
    schedule = OneCycle(warmup=warmup, start=start, end=end)
    factors = [schedule.factor(step / steps) for step in range(steps)]
    rising = [f for step, f in enumerate(factors) if step / steps < warmup]
    falling = factors[len(rising) :]
    assert rising == sorted(rising)
    assert falling == sorted(falling, reverse=True)
    assert all(min(start, end) - 1e-9 <= factor <= 1 for factor in factors)
    assert schedule.factor(warmup) == pytest.approx(1)


def test_one_cycle_begins_and_ends_where_it_says():
    schedule = OneCycle(warmup=0.25, start=0.1, end=0.01)
    assert schedule.factor(0) == pytest.approx(0.1)
    assert schedule.factor(1 - 1e-9) == pytest.approx(0.01)


@pytest.mark.parametrize("epochs", [(81, 81), (121, 81), (81, 201)])
def test_milestones_out_of_order_are_refused(epochs):
    milestones = tuple(Milestone(epoch=epoch, factor=0.1) for epoch in epochs)
    with pytest.raises(ValidationError, match="milestones must rise"):
        Steps(epochs=200, milestones=milestones)
