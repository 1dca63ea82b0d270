from pathlib import Path

import pytest
import yaml

from gensynth.config import load
from gensynth.cost import cost
from gensynth.errors import UserError
from gensynth.prototype import expand
from gensynth.search import Experiment, prepare
from gensynth.search.rundir import first_difference, open_run
from gensynth.space import decode, load_space, unmeetable

SHIPPED = ("ck48_accurate", "ck48_nano_b", "ck48_small")


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("budget={candidates: null, minutes: null}", "without a limit never ends"),
        ("fidelity.rungs=[{folds: 2, epochs: 2}, {folds: 1, epochs: 3}]", "rungs must rise"),
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
        (
            "fidelity.rungs=[{folds: 5, epochs: 2}]",
            r"^fidelity\.rungs: asks for 5 folds but folds\.count is 4; set folds\.count to 5",
        ),
        ("constraint.bounds.params.max=10", "no network of the space can meet 10"),
        ("constraint.bounds.accuracy.min=1.5", "no network can meet 1.5"),
        ("+constraint.bounds.speed={min: 3}", "unknown metric"),
        (
            "+constraint.bounds.recall.joy.min=0.5",
            r"^constraint nano_b: bounds\.recall\.joy: unknown metric; did you mean",
        ),
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
    assert small("name=null").label == "nano_b-resnet14_slim-synthetic"
    assert small("name=mine").label == "mine"


def opened(experiment: Experiment) -> None:
    with open_run(experiment):
        pass


def test_a_run_is_continued_only_with_the_same_experiment(small):
    with open_run(small()) as (run, _):
        assert yaml.safe_load(run.config.read_text())["constraint"]["name"] == "nano_b"
    with open_run(small("budget.candidates=99", "workers=3")):
        pass
    with pytest.raises(UserError, match=r"constraint\.bounds\.params\.max is 136000.* 99000") as e:
        opened(small("constraint.bounds.params.max=99000"))
    assert "name=" in str(e.value)
    with pytest.raises(UserError, match="seed is 0 in this run but 1 now"):
        opened(small("seed=1"))


def test_a_second_process_changes_nothing(small):
    with open_run(small()) as (run, _):
        written = run.config.read_text()
        with pytest.raises(UserError, match="another process is at work here"):
            opened(small("budget.candidates=99"))
        assert run.config.read_text() == written


def test_a_mistake_before_the_first_fold_leaves_the_name_free(small):
    with pytest.raises(UserError, match="of a person"), open_run(small()) as (run, _):
        raise UserError("a mistake of a person")
    assert not run.path.exists()
    with open_run(small("seed=1")) as (run, _):
        assert yaml.safe_load(run.config.read_text())["seed"] == 1
    with pytest.raises(UserError, match="of a person"), open_run(small("seed=1")):
        raise UserError("a mistake of a person")
    assert run.config.exists()  # it was there before


def test_a_folder_that_is_no_run_is_left_alone(small):
    experiment = small()
    folder = Path(experiment.runs) / experiment.label
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("x")
    with pytest.raises(UserError, match="not a run directory"):
        opened(experiment)
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]


def test_a_folder_that_cannot_be_made_is_named_with_its_remedy(small, tmp_path: Path):
    (tmp_path / "file").write_text("x")
    for place in (Path("/proc/gensynth"), tmp_path / "file"):
        with pytest.raises(UserError, match=f"^{place}/small: cannot be made .*; give runs=DIR"):
            opened(small(f"runs={place}"))


def test_the_first_difference_is_named_by_its_dotted_key():
    assert first_difference({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}) == ("a.b", [1, 2], [1, 3])
    assert first_difference({"a": 1}, {"a": 1, "c": 2}) == ("c", None, 2)
    assert first_difference({"a": {"b": 1}}, {"a": {"b": 1}}) is None


def test_a_recall_that_the_search_never_tests_is_refused(small):
    """No subject of the first fold shows disgust; one of the second does."""
    bound = ("folds.count=10", "+constraint.bounds.recall.disgust.min=0.1")
    with pytest.raises(UserError, match=r"bounds\.recall\.disgust: no image of disgust") as caught:
        prepare(small(*bound, "fidelity.rungs=[{folds: 1, epochs: 1}]"))
    assert "give the last of fidelity.rungs more folds" in str(caught.value)
    prepare(small(*bound, "fidelity.rungs=[{folds: 1, epochs: 1}, {folds: 2, epochs: 1}]"))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_experiments_begin_with_a_network_within_their_static_bounds(name: str):
    experiment = load(Experiment, [f"experiment={name}", "data.root=somewhere"])
    space = load_space(experiment.search_space, experiment.prototype, 7)
    start = decode(space, space.start)
    assert start.hash == expand(experiment.prototype, 7).hash
    costs = cost(start).metrics()
    assert not any(value > 0 for value in experiment.constraint.static.violations(costs).values())
    assert not list(unmeetable(experiment.constraint, space))
    assert experiment.name == name
    assert experiment.confirm.seeds == 3
    assert experiment.training.local_contrast is not None


def test_every_shipped_experiment_is_tested(repository: Path):
    assert sorted(file.stem for file in (repository / "experiments").iterdir()) == list(SHIPPED)
