import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gensynth.errors import UserError
from gensynth.task import Regression
from gensynth.training import Recipe
from gensynth.validation import validate
from tests.task.conftest import POSE, only, said, tiny, truth

VALUES = st.floats(-90, 90, width=32)


@st.composite
def answered(draw, least: int = 3):
    """True and predicted numbers of some images."""
    count = draw(st.integers(least, 12))
    return tuple(draw(arrays.arrays(np.float64, (count, 2), elements=VALUES)) for _ in range(2))


@given(answered())
def test_metrics_are_what_their_formulas_say(pair):
    targets, predictions = pair
    figures = POSE.evaluate(said(targets, predictions)).metrics()
    errors = predictions - targets
    for column, name in enumerate(POSE.numbers):
        mine = errors[:, column]
        assert figures[f"mae_{name}"] == pytest.approx(np.abs(mine).mean(), abs=1e-9)
        assert figures[f"rmse_{name}"] == pytest.approx(math.sqrt((mine**2).mean()), abs=1e-9)
        spread = ((targets[:, column] - targets[:, column].mean()) ** 2).sum()
        if spread > 1e-6:
            wanted = 1 - (mine**2).sum() / spread
            assert figures[f"r2_{name}"] == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    assert figures["mae_pose"] == pytest.approx(np.abs(errors).mean(), abs=1e-9)
    assert figures["rmse_pose"] == pytest.approx((figures["rmse_yaw"] + figures["rmse_roll"]) / 2)
    assert figures["r2_pose"] == pytest.approx((figures["r2_yaw"] + figures["r2_roll"]) / 2)


@settings(max_examples=150, deadline=None)
@given(answered(least=5), st.data())
def test_no_ending_is_outside_of_what_is_said_to_be_in_reach(pair, data):
    """Best case: whatever is said of the remaining images, no metric comes out better."""
    targets, predictions = pair
    everything = truth(targets)
    known, ahead = only(everything, 0), only(everything, 1)
    before = POSE.evaluate(said(targets, predictions))
    seen = dataclasses.replace(
        before.repetitions[0], truth=known, predictions=predictions[everything.folds == 0]
    )
    limits = POSE.reach([(seen, ahead)])
    rest = data.draw(arrays.arrays(np.float64, (len(ahead), 2), elements=VALUES))
    ended = POSE.evaluate(seen.and_of(ahead, rest)).metrics()
    assert limits.keys() == {metric.name for metric in POSE.metrics if metric.monotone}
    for name, (least, greatest) in limits.items():
        value = ended[name]
        assert least - 1e-6 <= value <= greatest + 1e-6
    best = POSE.evaluate(seen.and_of(ahead, ahead.targets)).metrics()
    for metric in filter(lambda metric: metric.monotone, POSE.metrics):
        ends = limits[metric.name]
        assert best[metric.name] == ends[0 if metric.direction == "minimize" else 1]


def test_a_bound_is_refuted_by_its_best_case_and_only_then():
    targets = np.zeros((8, 2))
    everything = truth(targets)
    known, ahead = only(everything, 0), only(everything, 1)
    seen = dataclasses.replace(said(targets, targets + 3), truth=known, predictions=targets[:4] + 3)
    limits = POSE.reach([(seen, ahead)])
    assert limits["mae_pose"] == (1.5, math.inf)
    assert limits["r2_pose"][0] == -math.inf
    assert POSE.reach([(seen, None)])["mae_pose"] == (3.0, 3.0)


def test_chance_agrees_with_simulated_endings():
    """Of networks whose errors are normal over people, it is the share that end under the limit."""
    random = np.random.default_rng(0)
    task = Regression(name="yaw", numbers=("yaw",))
    people, agree, told = 24, [], []
    for _ in range(400):
        level = random.uniform(2, 4)
        errors = np.repeat(random.normal(level, 1, people), 4)[:, None]
        targets = np.zeros_like(errors)
        everything = truth(targets, folds=2, frames=4)
        known, ahead = only(everything, 0), only(everything, 1)
        seen = dataclasses.replace(
            said(targets, errors), truth=known, predictions=errors[known.images]
        )
        chance = task.chance("mae_yaw", "max", 3.0, seen, ahead)
        assert chance is not None
        told.append(chance)
        agree.append(np.abs(errors).mean() <= 3.0)
    told_array, met = np.array(told), np.array(agree)
    assert met[told_array < 0.05].mean() <= 0.05
    assert met[told_array > 0.95].mean() >= 0.95
    assert abs(told_array.mean() - met.mean()) < 0.05


def test_chance_says_nothing_where_nothing_is_assumed():
    targets = np.zeros((8, 2))
    everything = truth(targets)
    seen = dataclasses.replace(
        said(targets, targets), truth=only(everything, 0), predictions=targets[:4]
    )
    ahead = only(everything, 1)
    assert POSE.chance("mae_pose", "min", 1.0, seen, ahead) is None
    assert POSE.chance("r2_pose", "max", 1.0, seen, ahead) is None
    assert POSE.chance("rmse_pose", "max", 1.0, seen, ahead) is None
    assert POSE.chance("mae_pose", "max", 1.0, seen, ahead) is None  # two people are too few


def test_the_interval_resamples_people():
    random = np.random.default_rng(1)
    count = 60
    targets = random.normal(0, 10, (count * 4, 2))
    errors = np.repeat(random.normal(0, 4, (count, 2)), 4, axis=0)
    judged = POSE.evaluate(said(targets, targets + errors))
    low, high = judged.interval
    assert low < judged.value < high
    by_person = np.abs(errors[::4]).mean(1).std(ddof=1) / math.sqrt(count)
    assert high - low == pytest.approx(2 * 1.96 * by_person, rel=0.4)
    assert POSE.evaluate(said(targets, targets + errors)).interval == (low, high)
    alone = said(targets, targets + errors)
    twice = POSE.evaluate(alone, alone)
    assert twice.interval == (low, high)
    assert twice.value == judged.value


def test_figures_are_plain_and_have_the_headline():
    targets = np.arange(24.0).reshape(12, 2)
    figures = POSE.evaluate(said(targets, targets + 1)).figures()
    assert figures["mae_pose"] == 1.0
    assert figures["interval"] == [1.0, 1.0]
    assert (figures["images"], figures["sequences"]) == (12, 6)
    assert POSE.headline.name == "mae_pose"
    assert POSE.stated(figures) == "1.00° (95 % interval 1.00° to 1.00°)"
    assert any("roll" in line for line in POSE.lines(figures))
    assert ("root mean squared error of yaw", "1.00°") in list(POSE.pairs(figures))


def test_a_training_sees_standard_units_and_answers_in_its_own():
    data = tiny(task=POSE)
    targets = torch.from_numpy(data.targets)
    objective = POSE.objective(targets)
    for kind in ("mse", "l1", "huber"):
        task = POSE.model_copy(update={"loss": kind})
        zeros = torch.zeros(len(targets), 2)
        found = float(task.objective(targets).loss(zeros, targets))
        standard = (targets - targets.mean(0)) / targets.std(0, correction=0)
        bare = getattr(torch.nn.functional, f"{kind}_loss")
        assert found == pytest.approx(float(bare(zeros, standard)), rel=1e-4)
    perfect = (targets - targets.mean(0)) / targets.std(0, correction=0)
    assert objective.decode(perfect) == pytest.approx(data.targets, abs=1e-4)
    assert objective.fallback(3) == pytest.approx(np.tile(data.targets.mean(0), (3, 1)))
    assert objective.decode(torch.zeros(3, 2)) == pytest.approx(objective.fallback(3), rel=1e-6)


def test_a_constant_number_is_learned_as_it_is():
    targets = torch.full((5, 1), 7.0)
    objective = Regression(name="one", numbers=("one",)).objective(targets)
    assert float(objective.loss(torch.zeros(5, 1), targets)) == 0
    assert objective.decode(torch.zeros(2, 1)).tolist() == [[7.0], [7.0]]


def test_a_recipe_that_would_make_targets_false_is_refused():
    task = POSE.model_copy(update={"changed_by": ("flip", "rotation")})
    plain = Recipe.model_validate({"augmentation": {"shift": 0.1}})
    task.check_recipe(plain.model_dump())
    for change, remedy in (({"flip": True}, "false"), ({"rotation": 5}, "0")):
        recipe = Recipe.model_validate({"augmentation": change})
        with pytest.raises(UserError, match=rf"augmentation\.\w+: changes pose.*to {remedy}"):
            task.check_recipe(recipe.model_dump())
    with pytest.raises(UserError, match=r"training\.apart"):
        task.check_recipe(Recipe(apart=True).model_dump())


def test_numbers_that_the_data_do_not_know_are_named():
    with pytest.raises(UserError, match=r"task\.numbers: tiny does not know yam; did you mean"):
        tiny(task=Regression(name="some", numbers=("yam",)))


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ({"name": "a", "numbers": []}, "numbers"),
        ({"name": "a", "numbers": ["a", "b"]}, "one of several numbers"),
        ({"name": "a", "numbers": ["b", "b"]}, "different names"),
        ({"name": "a", "numbers": ["b"], "loss": "cross"}, "loss"),
    ],
)
def test_a_wrong_regression_is_one_line(written, problem):
    with pytest.raises(UserError, match=problem):
        validate(Regression, written)


def test_one_number_is_not_measured_twice():
    task = Regression(name="intensity", numbers=("intensity",))
    assert [metric.name for metric in task.metrics] == [
        "mae_intensity",
        "rmse_intensity",
        "r2_intensity",
        "corr_intensity",
        "sagr_intensity",
        "ccc_intensity",
    ]
