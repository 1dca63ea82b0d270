import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gensynth.data import Fold
from gensynth.errors import UserError
from gensynth.genome import Genome
from gensynth.task import Classification, Combined
from gensynth.training import Recipe, check_fits, evaluate, train_fold
from gensynth.validation import validate
from tests.task.conftest import POSE, only, said, tiny, truth

BOTH = Combined(tasks={"what": Classification(), "pose": POSE}, weights={"pose": 0.5})
ABOUT = BOTH.of(tiny())


def network(**outputs: int) -> Genome:
    """A trunk with a linear head of each size."""
    nodes = [
        {"id": "conv", "op": "conv", "inputs": ["input"], "out_channels": 4, "kernel": 3},
        {"id": "pool", "op": "global_avg_pool", "inputs": ["conv"]},
        {"id": "flat", "op": "flatten", "inputs": ["pool"]},
    ]
    nodes += [
        {"id": name, "op": "linear", "inputs": ["flat"], "out_features": size}
        for name, size in outputs.items()
    ]
    return Genome.parse(
        {
            "format": "gensynth.genome",
            "version": 1,
            "name": "heads",
            "input": {"channels": 1, "height": 8, "width": 8},
            "nodes": nodes,
            "outputs": {name: name for name in outputs},
        }
    )


def test_heads_stand_side_by_side_by_name():
    data = tiny(task=BOTH)
    assert dict(ABOUT.heads) == {"pose": 2, "what": 3}
    assert ABOUT.size == 5
    assert data.targets.shape == (12, 3)
    assert data.targets[:, 2].tolist() == data.labels.tolist()
    assert data.targets[:, :2] == pytest.approx(POSE.targets(data))


def test_the_loss_is_the_weighted_sum():
    data = tiny(task=BOTH)
    targets, outputs = torch.from_numpy(data.targets), torch.randn(12, 5)
    found = ABOUT.objective(targets, smoothing=0.1).loss(outputs, targets)
    pose = POSE.objective(targets[:, :2]).loss(outputs[:, :2], targets[:, :2])
    labels = torch.from_numpy(data.labels)
    what = torch.nn.functional.cross_entropy(outputs[:, 2:], labels, label_smoothing=0.1)
    assert float(found) == pytest.approx(float(0.5 * pose + what), rel=1e-5)


def test_metrics_are_united_and_the_first_task_has_the_headline():
    names = [metric.name for metric in ABOUT.metrics]
    assert names[0] == ABOUT.headline.name == "accuracy"
    assert {"mae_pose", "recall.b", "rmse_yaw"} <= set(names)
    assert BOTH.metric("recall.anything") is not None
    assert "recall.<class>" in BOTH.known_as
    assert ABOUT.quality({"accuracy": 1.0, "r2_pose": 0.4}) == pytest.approx((1 + 0.5 * 0.4) / 1.5)


def test_each_head_is_judged_as_alone():
    data = tiny(task=BOTH)
    random = np.random.default_rng(0)
    predictions = np.column_stack([random.normal(0, 5, (12, 2)), random.integers(0, 3, 12)])
    both = ABOUT.evaluate(said(data.targets, predictions))
    what = ABOUT.tasks["what"].evaluate(said(data.labels, predictions[:, 2].astype(np.int64)))
    pose = POSE.evaluate(said(data.targets[:, :2], predictions[:, :2]))
    assert both.metrics() == {**what.metrics(), **pose.metrics()}
    assert (both.value, both.interval) == (what.value, what.interval)
    figures = {**both.figures(), **both.details()}
    assert figures["heads"]["pose"]["mae_pose"] == pose.value
    lines = list(ABOUT.lines(figures))
    assert any("recall" in line for line in lines)
    assert any("roll" in line for line in lines)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_in_reach_of_each_head_is_in_reach(data):
    dataset = tiny(task=BOTH)

    def some(count: int) -> np.ndarray:
        numbers = data.draw(arrays.arrays(np.float64, (count, 2), elements=st.floats(-9, 9)))
        labels = data.draw(arrays.arrays(np.int64, count, elements=st.integers(0, 2)))
        return np.column_stack([numbers, labels])

    everything = truth(dataset.targets)
    known, ahead = only(everything, 0), only(everything, 1)
    blank = said(dataset.targets, dataset.targets)
    seen = dataclasses.replace(blank, truth=known, predictions=some(len(known)))
    limits = ABOUT.reach([(seen, ahead)])
    ended = ABOUT.evaluate(seen.and_of(ahead, some(len(ahead)))).metrics()
    for name, (least, greatest) in limits.items():
        value = ended[name]
        assert least - 1e-6 <= value <= greatest + 1e-6


def test_a_network_with_two_heads_is_trained_and_judged():
    data = tiny(24, BOTH)
    genome = network(what=3, pose=2)
    check_fits(genome, data)
    fold = Fold(index=0, train=np.arange(16), test=np.arange(16, 24))
    recipe = Recipe.model_validate({"precision": "float32", "augmentation": {"mixup": 0.2}})
    result = train_fold(genome, data, fold, epochs=2, seed=0, recipe=recipe)
    assert len(result.predictions) == 8
    assert set(result.scores) == {"what.correct", "what.cross_entropy"}
    figures = evaluate([result], data, [fold]).metrics()
    assert {"accuracy", "mae_pose"} <= figures.keys()
    again = train_fold(genome, data, fold, epochs=2, seed=0, recipe=recipe)
    assert again == result
    with pytest.raises(UserError, match="has no output pose"):
        check_fits(network(what=3, other=2), data)
    with pytest.raises(UserError, match="has 1 outputs"):
        check_fits(network(what=3), data)
    with pytest.raises(UserError, match="4 values"):
        check_fits(network(what=4, pose=2), data)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ({"tasks": {}}, "tasks"),
        ({"tasks": {"a": {"kind": "classification"}}, "weights": {"b": 1}}, "which is no head"),
        ({"tasks": {"a": {"kind": "c"}}}, "unknown kind 'c'"),
        (
            {"tasks": {"a": {"kind": "classification"}, "b": {"kind": "classification"}}},
            "two heads have a metric",
        ),
        (
            {"tasks": {"a": {"kind": "combined", "tasks": {"a": {"kind": "classification"}}}}},
            "one task, not several",
        ),
    ],
)
def test_what_cannot_be_combined_is_one_line(written, problem):
    with pytest.raises(UserError, match=problem):
        validate(Combined, written)
