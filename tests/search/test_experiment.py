from pathlib import Path

import pytest
import yaml

from gensynth.errors import UserError
from gensynth.search import prepare
from gensynth.search.rundir import first_difference, open_run


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("budget={candidates: null, minutes: null}", "without a limit never ends"),
        ("fidelity.rungs=[{folds: 2, epochs: 2}, {folds: 1, epochs: 3}]", "rungs must rise"),
        ("fidelity.rungs=[{folds: 5, epochs: 2}]", "asks for 5 folds but folds.count is 4"),
        ("fidelity.rungs=[]", "at least 1"),
        ("name='a/b'", "not a folder name"),
        ("sampler=magic", "sampler"),
        ("budget.hours=3", "unknown key"),
        ("workers=0", "greater than or equal to 1"),
        ("fidelity.risk=0.7", "less than 0.5"),
    ],
)
def test_a_mistake_is_one_line(small, override, problem):
    with pytest.raises(UserError, match=problem) as caught:
        small(override)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("constraint.bounds.params.max=10", "no network of the space can meet 10"),
        ("constraint.bounds.accuracy.min=1.5", "no network can meet 1.5"),
        ("+constraint.bounds.speed={min: 3}", "unknown metric"),
        ("data.subjects=3", "use more subjects"),
        ("data.size=32", r"reads images of 1×48×48 but synthetic has 1×32×32"),
        ("prototype=micro_expnet", "no known point of the search space"),
    ],
)
def test_what_does_not_fit_together_is_found_before_anything_starts(small, override, problem):
    with pytest.raises(UserError, match=problem) as caught:
        prepare(small(override))
    assert "\n" not in str(caught.value)


def test_a_name_is_made_of_the_choices(small):
    assert small("name=null").label == "nano_b-resnet20-synthetic"
    assert small("name=mine").label == "mine"


def test_a_run_is_continued_only_with_the_same_experiment(small):
    experiment = small()
    run = open_run(experiment)
    assert yaml.safe_load(run.config.read_text())["constraint"]["name"] == "nano_b"
    open_run(small("budget.candidates=99", "workers=3"))
    with pytest.raises(UserError, match=r"constraint\.bounds\.params\.max is 136000.* 99000") as e:
        open_run(small("constraint.bounds.params.max=99000"))
    assert "name=" in str(e.value)
    with pytest.raises(UserError, match="seed is 0 in this run but 1 now"):
        open_run(small("seed=1"))


def test_a_folder_that_is_no_run_is_left_alone(small):
    experiment = small()
    folder = Path(experiment.runs) / experiment.label
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("x")
    with pytest.raises(UserError, match="not a run directory"):
        open_run(experiment)


def test_the_first_difference_is_named_by_its_dotted_key():
    assert first_difference({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}) == ("a.b", [1, 2], [1, 3])
    assert first_difference({"a": 1}, {"a": 1, "c": 2}) == ("c", None, 2)
    assert first_difference({"a": {"b": 1}}, {"a": {"b": 1}}) is None
