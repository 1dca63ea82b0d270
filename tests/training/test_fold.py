import dataclasses
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gensynth.data import Dataset, Fold
from gensynth.errors import UserError
from gensynth.genome import Genome, dumps
from gensynth.training import Recipe, metrics, train_fold
from tests.training.conftest import fit, network

ELSEWHERE = """
import json, pickle, sys, torch
torch.set_num_threads(2)
torch.rand(17)
from gensynth.genome import loads
from gensynth.training import train_fold
text, recipes, data, fold = pickle.load(open(sys.argv[1], "rb"))
results = [
    train_fold(loads(text), data, fold, epochs=2, seed=11, recipe=recipe) for recipe in recipes
]
json.dump([[r.predictions, r.loss] for r in results], open(sys.argv[2], "w"))
"""


@pytest.fixture
def moved(plain: Recipe) -> Recipe:
    change = {"rotation": 10, "erase": 0.3, "mixup": 0.2}
    augmentation = plain.augmentation.model_copy(update=change)
    return plain.model_copy(update={"augmentation": augmentation})


def test_the_same_bits_in_this_process_and_in_another(
    shapes: Dataset, parts: tuple[Fold, ...], moved: Recipe, tmp_path: Path
):
    genome = network(dropout=0.3)
    recipes = [moved, moved.model_copy(update={"precision": "bfloat16"})]
    here = [
        train_fold(genome, shapes, parts[1], epochs=2, seed=11, recipe=recipe) for recipe in recipes
    ]
    torch.rand(5)
    for recipe, first in zip(recipes, here, strict=True):
        again = train_fold(genome, shapes, parts[1], epochs=2, seed=11, recipe=recipe)
        assert again == first
    order, answer = tmp_path / "order", tmp_path / "answer"
    order.write_bytes(pickle.dumps((dumps(genome), recipes, shapes, parts[1])))
    subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(order), str(answer)],
        check=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    )
    there = json.loads(answer.read_text())
    assert there == [[list(result.predictions), result.loss] for result in here]


def test_the_seed_matters(net: Genome, shapes: Dataset, parts: tuple[Fold, ...], plain: Recipe):
    losses = {
        train_fold(net, shapes, parts[0], epochs=1, seed=seed, recipe=plain).loss
        for seed in range(3)
    }
    assert len(losses) == 3


def test_leaves_torch_and_the_data_as_they_were(
    shapes: Dataset, parts: tuple[Fold, ...], plain: Recipe
):
    torch.set_num_threads(2)
    state, images = torch.get_rng_state(), shapes.images.copy()
    train_fold(network(dropout=0.5), shapes, parts[0], epochs=1, seed=0, recipe=plain)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == 2
    assert torch.tensor([1e-39]).mul(1.0).item() > 0
    assert np.array_equal(shapes.images, images)


def test_learns_what_no_single_pixel_tells(
    net: Genome, shapes: Dataset, parts: tuple[Fold, ...], plain: Recipe
):
    results = [train_fold(net, shapes, fold, epochs=12, seed=3, recipe=plain) for fold in parts[:2]]
    assert metrics(results, shapes, parts)["accuracy"] > 0.8
    assert all(result.total == len(fold.test) for result, fold in zip(results, parts, strict=False))


def test_shuffled_labels_cannot_be_learned(
    net: Genome, shapes: Dataset, parts: tuple[Fold, ...], plain: Recipe
):
    labels = np.random.default_rng(0).permutation(shapes.labels)
    shuffled = dataclasses.replace(shapes, labels=labels)
    results = [train_fold(net, shuffled, fold, epochs=6, seed=3, recipe=plain) for fold in parts]
    assert metrics(results, shuffled, parts)["accuracy"] < 0.5


def test_test_images_have_no_influence_on_training(
    net: Genome, shapes: Dataset, parts: tuple[Fold, ...], plain: Recipe
):
    fold = parts[0]
    images, labels = shapes.images.copy(), shapes.labels.copy()
    images[fold.test] = 255 - images[fold.test]
    labels[fold.test] = (labels[fold.test] + 1) % 3
    other = dataclasses.replace(shapes, images=images, labels=labels)
    first, second = (
        train_fold(net, data, fold, epochs=2, seed=0, recipe=plain) for data in (shapes, other)
    )
    assert first.loss == second.loss
    one = Fold(index=0, train=fold.train, test=fold.test[:1])
    alone = train_fold(net, shapes, one, epochs=2, seed=0, recipe=plain)
    assert alone.predictions == first.predictions[:1]


def test_a_divergence_is_a_result(shapes: Dataset, parts: tuple[Fold, ...], plain: Recipe):
    wild = plain.model_copy(update={"learning_rate": 1e30})
    fold = Fold(index=2, train=np.arange(1, 180), test=parts[2].test)
    result = train_fold(network(norm=False), shapes, fold, epochs=3, seed=0, recipe=wild)
    assert result.diverged
    assert result.loss is None
    assert set(result.predictions) == {1}
    assert result.scores["correct"] == int((shapes.labels[fold.test] == 1).sum())
    assert result.scores["cross_entropy"] is None


def test_cross_entropy_is_of_the_test_images(
    net: Genome, shapes: Dataset, parts: tuple[Fold, ...], plain: Recipe
):
    fold = parts[0]
    images, labels = torch.from_numpy(shapes.images), torch.from_numpy(shapes.labels)
    fitted = fit(net, images[fold.train], labels[fold.train], epochs=2, seed=3, recipe=plain)
    said = fitted.logits(images[fold.test]).double().softmax(1).numpy()
    given = said[np.arange(len(fold.test)), shapes.labels[fold.test]]
    result = train_fold(net, shapes, fold, epochs=2, seed=3, recipe=plain)
    assert result.scores["cross_entropy"] == pytest.approx(-np.log(given).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("genome", "problem", "remedy"),
    [
        (network(size=16, name="big"), "1×16×16", "prototype.input=[1,12,12] prototype.classes=3"),
        (network(classes=4, name="big"), "4 values", "3 features"),
    ],
)
def test_a_network_that_does_not_fit_is_one_line(
    genome: Genome,
    problem: str,
    remedy: str,
    shapes: Dataset,
    parts: tuple[Fold, ...],
    plain: Recipe,
):
    with pytest.raises(UserError) as raised:
        train_fold(genome, shapes, parts[0], epochs=1, seed=0, recipe=plain)
    line = str(raised.value)
    assert "\n" not in line
    assert line.startswith("big: ")
    assert problem in line
    assert "shapes" in line
    assert remedy in line


def test_two_outputs_are_one_too_many(shapes: Dataset, parts: tuple[Fold, ...], plain: Recipe):
    data = network().model_dump(mode="json")
    data["outputs"]["again"] = next(iter(data["outputs"].values()))
    with pytest.raises(UserError, match="2 outputs"):
        train_fold(Genome.parse(data), shapes, parts[0], epochs=1, seed=0, recipe=plain)


def test_no_epochs_is_no_training(
    net: Genome, shapes: Dataset, parts: tuple[Fold, ...], plain: Recipe
):
    with pytest.raises(ValueError, match="at least 1"):
        train_fold(net, shapes, parts[0], epochs=0, seed=0, recipe=plain)
