import dataclasses

import pytest
import torch

from gensynth import training
from gensynth.data import Dataset, Fold, SyntheticConfig, folds, load
from gensynth.errors import UserError
from gensynth.genome import Genome
from gensynth.network import build
from gensynth.task import Classification
from gensynth.training import (
    Pretraining,
    Recipe,
    check_pretraining,
    pretrained,
    train_fold,
)
from tests.training.conftest import fit, network

PRETRAINING = Pretraining(populations=2, epochs=2)


@pytest.fixture(scope="module")
def faces() -> Dataset:
    return load(SyntheticConfig(size=16, frames=1))


@pytest.fixture(scope="module")
def fold(faces: Dataset) -> Fold:
    return folds(faces, k=3)[0]


@pytest.fixture(scope="module")
def net() -> Genome:
    return network(size=16, classes=7)


@pytest.fixture
def recipe(plain: Recipe) -> Recipe:
    return plain.model_copy(update={"pretraining": PRETRAINING})


@pytest.mark.parametrize("index", [0, 2])
def test_a_fold_begins_with_what_drawn_faces_taught(
    net: Genome, faces: Dataset, recipe: Recipe, index: int
):
    """What the folds of a cross-validation have in common: fold ``i`` has its base seed plus i."""
    fold = folds(faces, k=3)[index]
    images, labels = torch.from_numpy(faces.images), torch.from_numpy(faces.labels)
    learned = pretrained(net, faces.task, recipe.resolved(), seed=9)
    plain = recipe.model_copy(update={"pretraining": None})
    by_hand = fit(
        net,
        images[fold.train],
        labels[fold.train],
        epochs=1,
        seed=9 + index,
        recipe=plain,
        start=learned,
    )
    found = train_fold(net, faces, fold, epochs=1, seed=9 + index, recipe=recipe)
    assert found.predictions == tuple(by_hand.logits(images[fold.test]).argmax(1).tolist())
    assert found.loss == by_hand.loss
    scratch = train_fold(net, faces, fold, epochs=1, seed=9 + index, recipe=plain)
    assert found.loss is not None
    assert scratch.loss is not None
    assert found.loss < scratch.loss


def test_the_weights_are_those_of_a_training_on_the_faces_it_names(
    net: Genome, faces: Dataset, recipe: Recipe
):
    drawn = [load(SyntheticConfig(seed=2000 + number, size=16, frames=1)) for number in range(2)]
    by_hand = fit(
        net,
        torch.cat([torch.from_numpy(part.images) for part in drawn]),
        torch.cat([torch.from_numpy(part.labels) for part in drawn]),
        epochs=2,
        seed=11,
        recipe=PRETRAINING.recipe(recipe.resolved()),
    ).network.state_dict()
    learned = pretrained(net, faces.task, recipe.resolved(), seed=11)
    assert learned.keys() == by_hand.keys() == build(net, seed=0).state_dict().keys()
    assert all(torch.equal(learned[name], by_hand[name]) for name in by_hand)


def test_folds_of_one_network_begin_alike_and_change_nothing_for_each_other(
    net: Genome, faces: Dataset, recipe: Recipe
):
    first, second = folds(faces, k=3)[:2]
    before = {
        name: value.clone()
        for name, value in pretrained(net, faces.task, recipe.resolved(), seed=4).items()
    }
    alone = train_fold(net, faces, second, epochs=1, seed=5, recipe=recipe)
    train_fold(net, faces, first, epochs=1, seed=4, recipe=recipe)
    assert train_fold(net, faces, second, epochs=1, seed=5, recipe=recipe) == alone
    after = pretrained(net, faces.task, recipe.resolved(), seed=4)
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_its_time_is_told_by_the_fold_that_it_was_made_for(
    net: Genome, faces: Dataset, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
):
    now = 0.0

    def seven_seconds(*args, **options):
        nonlocal now
        now += 7
        return training.fit(*args, **options)

    monkeypatch.setattr("gensynth.training.pretraining.fit", seven_seconds)
    told = [
        train_fold(
            net, faces, fold, epochs=1, seed=40 + fold.index, recipe=recipe, clock=lambda: now
        )
        for fold in folds(faces, k=3)[:2]
    ]
    assert [one.pretraining for one in told] == [7, 0]
    assert [one.seconds for one in told] == [0, 0]


def test_each_cross_validation_has_a_start_of_its_own(net: Genome, faces: Dataset, recipe: Recipe):
    one, same, other = (
        pretrained(net, faces.task, recipe.resolved(), seed=seed) for seed in (20, 20, 30)
    )
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_faces_are_of_the_classes_that_the_data_name(faces: Dataset, recipe: Recipe):
    """Outputs that no face is drawn for are learned from the data alone."""
    classes = ("sadness", "neutral", "anger")
    some = network(size=16, classes=3)
    learned = pretrained(some, Classification(classes=classes), recipe.resolved(), seed=0)
    fitted = build(some, seed=0)
    fitted.load_state_dict(learned)
    fitted.eval()
    chosen = torch.from_numpy(faces.images)[:32].float() / 128 - 1
    with torch.inference_mode():
        given = fitted(chosen).softmax(1)
    assert float(given[:, 1].mean()) < float(given[:, [0, 2]].mean())


def test_a_network_that_diverges_on_drawn_faces_begins_from_scratch(
    faces: Dataset, fold: Fold, recipe: Recipe
):
    wild = recipe.model_copy(update={"learning_rate": 1e30, "gradient_clip": None})
    unstable = network(size=16, classes=7, norm=False)
    assert pretrained(unstable, faces.task, wild.resolved(), seed=0) == {}


def test_faces_that_are_tested_are_not_learned_from(recipe: Recipe):
    last = load(SyntheticConfig(seed=2001, subjects=40, size=16, frames=1))
    with pytest.raises(UserError, match=r"training\.pretraining\.seed.*2002"):
        check_pretraining(recipe, last)
    check_pretraining(recipe, load(SyntheticConfig(seed=2002, subjects=40, size=16, frames=1)))


def test_what_cannot_be_drawn_is_refused(faces: Dataset, shapes: Dataset, recipe: Recipe):
    check_pretraining(recipe, faces)
    check_pretraining(recipe.model_copy(update={"pretraining": None}), shapes)
    tall = dataclasses.replace(faces, images=faces.images[:, :, :, :8].copy())
    strangers = dataclasses.replace(faces, classes=("anger", *"abcdef"))
    for data, said in ((shapes, "1×12×12"), (tall, "1×16×8"), (strangers, "fewer than two")):
        with pytest.raises(UserError, match=said) as caught:
            check_pretraining(recipe, data)
        assert "pretraining=null" in str(caught.value)
        assert "\n" not in str(caught.value)
