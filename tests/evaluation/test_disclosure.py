"""Whose test images chose what."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gensynth.evaluation.disclosure import disclosures, figures_without, spelled
from gensynth.experiment import Folds
from gensynth.search import Setting
from gensynth.training import FoldResult, LocalContrast, Recipe, Tuned, evaluate
from tests.fake_run import tiny

TEN = Folds(count=10, by="subject")
SEARCHED = {
    "study": "mine",
    "trial": 4,
    "data": "ck48",
    "folds": {"count": 10, "by": "subject"},
    "metrics": {"search": {"accuracy": 0.9, "folds": 3}},
}


def network_choice(setting: Setting, data: str, told: dict[str, object], folds: Folds = TEN):
    genome = tiny(2).described(**told)  # type: ignore[arg-type]
    return disclosures(genome, Recipe(), replace(setting.dataset, name=data), folds)[0]


@pytest.mark.parametrize("data", ["ck48", "ckplus"])
def test_the_folds_of_a_search_on_the_same_people_are_seen(setting, data):
    found = network_choice(setting, data, SEARCHED)
    assert found.seen == (0, 1, 2)
    assert "run mine, trial 4" in found.words
    assert "test images of folds 0 to 2" in found.words


def test_a_search_on_other_faces_saw_none(setting):
    told = {**SEARCHED, "data": "synthetic", "synthetic": True}
    found = network_choice(setting, "ck48", told)
    assert found.seen == ()
    assert "on synthetic (synthetic faces), by no image of ck48" in found.words


@pytest.mark.parametrize("folds", [None, {"count": 5, "by": "subject"}])
def test_other_folds_of_the_same_people_leave_none_free(setting, folds):
    found = network_choice(setting, "ck48", {**SEARCHED, "folds": folds})
    assert found.seen == tuple(range(10))
    assert "other folds than these" in found.words


def test_another_order_of_the_same_people_leaves_none_free(setting):
    found = network_choice(setting, "ck48", SEARCHED, Folds(count=10, by="subject", order=1))
    assert found.seen == tuple(range(10))
    assert "other folds than these" in found.words


@pytest.mark.parametrize("told", [{}, {"metrics": 3}, {"metrics": {"search": None}}])
def test_a_network_that_tells_of_no_search(setting, told):
    found = network_choice(setting, "ck48", told)
    assert (found.seen, found.words.startswith("No search")) == ((), True)


@pytest.mark.parametrize(
    ("data", "folds", "seen"),
    [
        ("ck48", TEN, (1, 2)),
        ("ckplus", TEN, (1, 2)),
        ("synthetic", TEN, ()),
        ("ck48", Folds(count=5, by="subject"), (0, 1, 2, 3, 4)),
        ("ck48", Folds(count=10, by="image"), tuple(range(10))),
        ("ck48", Folds(count=10, by="subject", order=1), tuple(range(10))),
    ],
)
def test_a_recipe_says_whose_images_chose_it(setting, data, folds, seen):
    recipe = Recipe(tuned_on=(Tuned(data="ck48", folds=10, seen=(2, 1)),))
    found = disclosures(tiny(2), recipe, replace(setting.dataset, name=data), folds)[1]
    assert found.seen == seen
    assert (spelled(seen) in found.words) if seen else ("no image of synthetic" in found.words)


@pytest.mark.parametrize("tuned_on", [(), (Tuned(data="synthetic", folds=4, seen=(0,)),)])
def test_a_recipe_says_what_whoever_uses_it_has_to_know(setting, tuned_on):
    plain = Recipe(tuned_on=tuned_on)
    folds = setting.experiment.folds
    before, after, twice = (
        disclosures(tiny(2), recipe, setting.dataset, folds)[1].words
        for recipe in (
            plain,
            plain.model_copy(update={"local_contrast": LocalContrast(window=0.25, floor=9)}),
            plain.model_copy(update={"flip_test": True}),
        )
    )
    assert "local contrast" not in before
    assert "passes" not in before
    assert after.startswith(before)
    assert "window 0.25 of the side, floor 9" in after
    assert twice.startswith(before)
    assert "two forward passes, so twice the multiply-accumulates" in twice


@given(seen=st.sets(st.integers(0, 3)), seed=st.integers(0, 99))
def test_figures_without_are_those_of_the_other_folds(setting: Setting, seen, seed):
    random = np.random.default_rng(seed)
    data = setting.dataset

    def guessed(fold) -> FoldResult:
        said = random.integers(0, 7, len(fold.test))
        given = tuple(said.tolist())
        return FoldResult(
            fold=fold.index, epochs=1, seed=0, predictions=given,
            total=len(said), seconds=0.0, loss=0.0,
        )  # fmt: skip

    results = [guessed(fold) for fold in setting.folds]
    found = figures_without(seen, [results], data, setting.folds)
    others = [one for one in results if one.fold not in seen]
    if not others:
        assert found is None
        return
    wanted = evaluate(others, data, setting.folds)
    assert found is not None
    assert found["folds"] == sorted({0, 1, 2, 3} - seen)
    assert (found["accuracy"], found["images"]) == (wanted.value, wanted.images)
    assert tuple(found["interval"]) == wanted.interval


@pytest.mark.parametrize(
    ("folds", "words"),
    [
        ((4,), "fold 4"),
        ((2, 1), "folds 1, 2"),
        ((0, 1, 2), "folds 0 to 2"),
        ((0, 2, 5), "folds 0, 2, 5"),
    ],
)
def test_folds_in_words(folds, words):
    assert spelled(folds) == words
