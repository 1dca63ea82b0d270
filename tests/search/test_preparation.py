from pathlib import Path

import pytest

from gensynth.config import load
from gensynth.cost import cost
from gensynth.errors import UserError
from gensynth.experiment import Experiment
from gensynth.prototype import expand
from gensynth.search import prepare
from gensynth.space import decode, load_space, unmeetable

SHIPPED = ("ck48_accurate", "ck48_nano_b", "ck48_small", "fer2013", "mobile_affect", "open_mobile")
HEADS = {"affect": 2, "expression": 8}


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
    outputs = HEADS if name == "mobile_affect" else 7
    space = load_space(experiment.search_space, experiment.prototype, outputs)
    start = decode(space, space.start)
    assert start.hash == expand(experiment.prototype, outputs).hash
    costs = cost(start).metrics()
    assert not any(value > 0 for value in experiment.constraint.static.violations(costs).values())
    assert not list(unmeetable(experiment.constraint, space))
    assert experiment.name == name
    if experiment.data.kind == "ck48":
        assert experiment.confirm.seeds == 3
        assert experiment.training.local_contrast is not None


def test_every_shipped_experiment_is_tested(repository: Path):
    assert {file.stem for file in (repository / "experiments").iterdir()} == {*SHIPPED, "pose"}


def test_affect_is_searched_with_two_heads():
    """At least ten times smaller than the VGG variant, whatever is found."""
    setting = prepare(load(Experiment, ["experiment=mobile_affect", "data.subjects=60"]))
    phi = decode(setting.space, setting.space.start)
    assert {name: phi.shapes[node] for name, node in phi.outputs.items()} == {
        "affect": (2,),
        "expression": (8,),
    }
    assert setting.dataset.task.headline.name == "accuracy"
    most = setting.experiment.constraint.bounds["params"].max
    assert most is not None
    assert most * 10 < 3_753_016


@pytest.mark.parametrize("name", ["affect_alexnet", "affect_vgg"])
def test_the_variants_of_2018_are_points_of_a_space_of_widths(name: str):
    experiment = load(Experiment, [f"prototype={name}", "search_space=affect"])
    space = load_space(experiment.search_space, experiment.prototype, HEADS)
    assert decode(space, space.start).same_network(expand(experiment.prototype, HEADS))
    thin = decode(space, dict.fromkeys(space.distributions, 8))
    assert cost(thin).params < 20_000


@pytest.mark.parametrize("name", ["inception_mobile", "mobile_affect", "mobile_open"])
def test_mobile_prototypes_are_points_of_their_space(name: str):
    experiment = load(Experiment, [f"prototype={name}", "search_space=mobile"])
    for image in ([1, 48, 48], [3, 128, 128]):
        phi = {**experiment.prototype, "input": image}
        space = load_space(experiment.search_space, phi, HEADS)
        assert decode(space, space.start).same_network(expand(phi, HEADS))
