"""Recipes are judged on inner folds only, the experiment's own first, in a study that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import yaml

from benchmarks.options import specified as specified_by
from benchmarks.recipes import (
    ENDED,
    SPECIFICATION,
    Specification,
    Work,
    main,
    open_study,
    own,
    prepare,
    printed,
    search,
    varied,
)
from gensynth.data import folds
from gensynth.errors import UserError
from gensynth.training import Pretraining, Recipe

FACES = ["data=synthetic", "data.subjects=60", "data.frames=1", "data.size=16", "folds.count=4"]
SPACE = {
    "learning_rate": {"low": 0.001, "high": 0.05, "log": True},
    "augmentation.erase": {"low": 0.0, "high": 1.0},
    "batch_size": {"choices": [16, 32]},
}


def specified(**changes: Any) -> Specification:
    small = {"inner": 2, "epochs": 1, "outer": 1, "space": SPACE}
    return Specification.model_validate(read_shipped() | small | changes)


def read_shipped() -> dict[str, Any]:
    return specified_by(Specification, SPECIFICATION).model_dump()


@pytest.fixture(scope="module")
def work() -> Work:
    return prepare(specified(), [*FACES, "training.pretraining=null"])


def test_the_fold_that_is_set_apart_is_never_looked_at(work: Work):
    assert work.dataset.subjects is not None
    outer = folds(work.dataset, 4)[1]
    apart = set(work.dataset.subjects[outer.test])
    tested = np.concatenate([fold.test for fold in work.folds])
    np.testing.assert_array_equal(np.sort(tested), outer.train)
    for fold in work.folds:
        trained_on = set(work.dataset.subjects[fold.train])
        tested_on = set(work.dataset.subjects[fold.test])
        assert not trained_on & tested_on
        assert not (trained_on | tested_on) & apart


def test_values_are_put_where_their_keys_say():
    recipe = varied(Recipe(), {"learning_rate": 0.5, "augmentation.mixup": 0.3})
    assert recipe.learning_rate == 0.5
    assert recipe.augmentation == Recipe().augmentation.model_copy(update={"mixup": 0.3})
    assert varied(Recipe(), {"pretraining.epochs": 3}).pretraining == Pretraining(epochs=3)


def test_a_key_that_the_own_recipe_lacks_is_named(tmp_path: Path, capsys):
    file = tmp_path / "one.yaml"
    asked = read_shipped() | {"space": {"local_contrast.window": {"low": 0.1, "high": 0.5}}}
    file.write_text(yaml.safe_dump(specified(**asked).model_dump(mode="json")), encoding="utf-8")
    words = ["--specification", str(file), "--results", str(tmp_path), *FACES]
    assert main([*words, "training.local_contrast=null"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("space: the recipe of ck48_nano_b has no local_contrast.window")
    assert "set training.local_contrast" in said


@pytest.mark.parametrize(
    ("values", "said"), [({"learning_rat": 1}, "learning_rate"), ({"batch_size": 0}, "batch_size")]
)
def test_what_is_no_value_of_a_recipe_is_named(values: dict[str, Any], said: str):
    with pytest.raises(UserError, match=said):
        varied(Recipe(), values)


def test_the_shipped_specification_varies_what_the_experiment_has(work: Work):
    shipped = specified_by(Specification, SPECIFICATION)
    made = prepare(shipped, FACES)
    mine = own(made.recipe, shipped)
    assert mine.keys() == shipped.space.keys()
    assert varied(made.recipe, mine) == made.recipe


def test_the_experiments_own_recipe_is_the_first_and_the_study_goes_on(work: Work, tmp_path: Path):
    search(work, tmp_path, 2)
    first = open_study(work, tmp_path).trials[0]
    assert first.params == own(work.recipe, work.specification)
    search(work, tmp_path, 3)
    study = open_study(work, tmp_path)
    assert [trial.state in ENDED for trial in study.trials] == [True] * 3
    assert study.trials[0].values == first.values
    text = printed(work, tmp_path)
    assert "SYNTHETIC" in text
    assert "| 0, the experiment's own |" in text
    other = prepare(specified(epochs=2), [*FACES, "training.pretraining=null"])
    with pytest.raises(UserError, match="other values or folds"):
        open_study(other, tmp_path)


def test_a_recipe_that_learns_is_better_than_one_that_does_not(tmp_path: Path):
    """With a rate of nearly nothing a network says nearly nothing of any class."""
    rates = {"learning_rate": {"choices": [1e-9, 0.02]}}
    work = prepare(specified(space=rates, epochs=4), [*FACES, "training.pretraining=null"])
    search(work, tmp_path, 2)
    found = {
        trial.params["learning_rate"]: trial.intermediate_values[0]
        for trial in open_study(work, tmp_path).trials
    }
    assert found[0.02] < found[1e-9] - 0.1


def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**specified(outer=9).model_dump(mode="json")}))
    assert main(["--specification", str(path), "--results", str(tmp_path / "r"), *FACES]) == 2
    assert capsys.readouterr().err == "outer: there are 4 folds\n"
    path.write_text(yaml.safe_dump({**specified().model_dump(mode="json"), "outter": 1}))
    assert main(["--specification", str(path)]) == 2
    assert "outter" in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_share_a_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(specified().model_dump(mode="json")))
    words = ["--specification", str(path), "--results", str(tmp_path / "r"), "--trials", "3"]
    assert main([*words, *FACES, "training.pretraining=null"]) == 0
    assert "recipes judged" in capsys.readouterr().out
    work = prepare(specified(), [*FACES, "training.pretraining=null"])
    states = [trial.state for trial in open_study(work, tmp_path / "r").trials]
    assert sum(state in ENDED for state in states) >= 3
    assert optuna.trial.TrialState.FAIL not in states
