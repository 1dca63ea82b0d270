"""A search that begins with what another one has learned."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
import yaml

from gensynth.errors import UserError
from gensynth.experiment import Experiment
from gensynth.generator import GenerativeSynthesisSampler, Generator
from gensynth.search import prepare, search
from gensynth.search.generative import generative

Small = Callable[..., Experiment]


@pytest.fixture
def run(small: Small, tmp_path: Path) -> Path:
    """A run of the same space around another prototype, whose second generator is the better."""
    experiment = small("prototype=resnet20")
    folder = tmp_path / "earlier" / "generators"
    folder.mkdir(parents=True)
    space = prepare(experiment).space
    plain = Generator(start=dict(space.start), noise=0.05, classes=5).model_copy(
        update={"space": experiment.search_space, "prototype": experiment.prototype}
    )
    for iteration, performance in enumerate((50.0, 60.0)):
        figures = {"static_feasible": 0.5, "mean_performance": performance}
        plain.model_copy(update={"iteration": iteration, **figures}).meeting(
            dict(list(space.distributions.items())[iteration:])
        ).save(folder / f"generator-{iteration:03d}.json")
    return folder.parent


def first(experiment: Experiment) -> Generator:
    made = generative(prepare(experiment))
    assert isinstance(made, GenerativeSynthesisSampler)
    return made.generators(optuna.create_study(directions=["maximize"] * 3, sampler=made))[0]


def test_the_best_generator_of_the_run_is_the_first_one(small: Small, run: Path):
    best = Generator.load(run / "generators" / "generator-001.json")
    begun = first(small(f"warm_start={run}"))
    assert begun.theta.items() >= best.theta.items()
    assert begun.iteration == 0
    assert begun.start["stage1.modules"] == first(small()).start["stage1.modules"]
    named = first(small(f"warm_start={run / 'generators' / 'generator-000.json'}"))
    assert len(named.theta) > len(best.theta)
    assert not first(small()).theta.items() >= best.theta.items()


def test_a_run_can_be_continued_when_the_other_one_is_gone(small: Small, run: Path, training):
    training()
    experiment = small(f"warm_start={run}")
    results = search(experiment)
    folder = Path(results["run"])
    assert yaml.safe_load((folder / "config.yaml").read_text())["warm_start"] == str(run)
    kept = Generator.load(folder / "generators" / "warm-start.json")
    assert kept == Generator.load(run / "generators" / "generator-001.json")
    shutil.rmtree(run)
    assert search(experiment)["counts"]["asked"] >= results["counts"]["asked"]
    with pytest.raises(UserError, match=r"warm_start is .* in this run but null now"):
        search(small())


def test_a_mistake_is_one_line_and_leaves_nothing(small: Small, run: Path, tmp_path: Path):
    other = json.loads((run / "generators" / "generator-001.json").read_text())
    other["space"]["stem"]["kernel"] = [3]
    foreign = tmp_path / "foreign.json"
    foreign.write_text(json.dumps(other))
    empty = tmp_path / "empty"
    empty.mkdir()
    for source, problem in (
        (tmp_path / "nowhere", "no such run; name the directory of a search"),
        (empty, "no generators; "),
        (foreign, "its search space is another one: stem.kernel is "),
    ):
        experiment = small(f"warm_start={source}")
        with pytest.raises(UserError) as caught:
            search(experiment)
        assert str(caught.value).startswith(f"warm_start={source}: {problem}")
        assert "\n" not in str(caught.value)
        assert not (Path(experiment.runs) / "small").exists()
    with pytest.raises(UserError, match="warm_start needs sampler generative, not tpe"):
        small(f"warm_start={run}", "sampler=tpe")
