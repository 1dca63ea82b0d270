import pytest
from pydantic import ValidationError

from gensynth.training import Recipe
from tests.training.shipped import shipped


def test_default_file_is_the_default_recipe():
    default = shipped("default")
    assert default.model_copy(update={"tuned_on": ()}) == Recipe()
    assert default.tuned_on


def test_what_a_recipe_was_tuned_on_is_written_where_it_is_known():
    assert not {"tuned_on", "local_contrast", "pretraining"} & Recipe().model_dump().keys()
    told = shipped("default").model_dump(mode="json")
    assert told["tuned_on"][0]["data"] == "ck48"
    assert Recipe.model_validate(told) == shipped("default")


def test_the_papers_recipe():
    paper = shipped("paper")
    assert (paper.optimizer, paper.learning_rate) == ("adam", 1e-3)
    assert (paper.label_smoothing, paper.average, paper.flip_test) == (0, 0, False)
    assert paper.augmentation.flip
    assert min(paper.augmentation.rotation, paper.augmentation.shift, paper.augmentation.zoom) > 0
    assert (paper.augmentation.erase, paper.augmentation.mixup) == (0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"optimiser": "adam"},
        {"learning_rate": 0},
        {"learning_rate": float("nan")},
        {"augmentation": {"zoom": 1}},
        {"local_contrast": {"window": 0}},
        {"local_contrast": {"window": 2.1}},
        {"local_contrast": {"floor": 0}},
        {"augmentation": {"erase_area": [0.5, 0.1]}},
        {"schedule": {"kind": "triangle"}},
        {"batch_size": 1},
        {"precision": "float16"},
        {"engine": "quick"},
        {"device": "tpu"},
    ],
)
def test_what_cannot_be_trained_is_refused(wrong):
    with pytest.raises(ValidationError):
        Recipe.model_validate(wrong)


def test_precision_is_resolved_once():
    resolved = Recipe().resolved()
    assert resolved.precision in ("float32", "bfloat16")
    assert resolved.resolved() is resolved
    assert Recipe(precision="float32").resolved().precision == "float32"
    chosen = {"precision": "auto", "engine": "auto", "device": "auto"}
    assert resolved.model_copy(update=chosen) == Recipe()


@pytest.mark.parametrize(("images", "batches"), [(883, 13), (64, 1), (63, 1), (127, 1), (128, 2)])
def test_batches_are_never_smaller_than_asked(images, batches):
    assert Recipe(batch_size=64).steps(images, 3) == (batches, 3 * batches)


@pytest.mark.parametrize(("average", "first"), [(0.0, 100), (0.2, 80), (1.0, 0), (0.001, 99)])
def test_averaging_covers_the_final_share(average, first):
    assert Recipe(average=average).first_averaged(100) == first
