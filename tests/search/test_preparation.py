from pathlib import Path

import pytest

from gensynth.config import load
from gensynth.cost import cost
from gensynth.errors import UserError
from gensynth.experiment import Experiment
from gensynth.prototype import expand
from gensynth.search import prepare
from gensynth.space import decode, load_space, unmeetable

SHIPPED = ("ck48_accurate", "ck48_nano_b", "ck48_small", "open_mobile")


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


def test_a_recall_that_the_search_never_tests_is_refused(small):
    """No subject of the first fold shows disgust; one of the second does."""
    bound = ("folds.count=10", "+constraint.bounds.recall.disgust.min=0.1")
    with pytest.raises(UserError, match=r"bounds\.recall\.disgust: no image of disgust") as caught:
        prepare(small(*bound, "fidelity.rungs=[{folds: 1, epochs: 1}]"))
    assert "give the last of fidelity.rungs more folds" in str(caught.value)
    prepare(small(*bound, "fidelity.rungs=[{folds: 1, epochs: 1}, {folds: 2, epochs: 1}]"))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_experiments_begin_with_a_network_within_their_static_bounds(name: str):
    root = ["data.root=somewhere"] if name.startswith("ck48") else []
    experiment = load(Experiment, [f"experiment={name}", *root])
    space = load_space(experiment.search_space, experiment.prototype, 7)
    start = decode(space, space.start)
    assert start.hash == expand(experiment.prototype, 7).hash
    costs = cost(start).metrics()
    assert not any(value > 0 for value in experiment.constraint.static.violations(costs).values())
    assert not list(unmeetable(experiment.constraint, space))
    assert experiment.name == name
    if experiment.data.kind == "ck48":
        assert experiment.confirm.seeds == 3
        assert experiment.training.local_contrast is not None


def test_every_shipped_experiment_is_tested(repository: Path):
    assert {file.stem for file in (repository / "experiments").iterdir()} == {*SHIPPED, "pose"}
