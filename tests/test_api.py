from pathlib import Path

import pytest
import torch

import gensynth
from gensynth.errors import UserError

SMALL = (
    "data.subjects=40",
    "data.frames=1",
    "folds.count=4",
    "fidelity.rungs=[{folds: 1, epochs: 1}]",
    "confirm.finalists=1",
    "confirm.epochs=1",
)


def test_arguments_are_the_settings_of_the_command_line():
    bounds = {"params": {"max": 1e5}, "macs": {"min": None}}
    assert gensynth.settings("seed=3", minutes=5, constraint={"bounds": bounds}, workers=None) == (
        "seed=3",
        "budget.minutes=5",
        "constraint.bounds.params.max=100000.0",
        "constraint.bounds.macs.min=null",
        "workers=null",
    )


def test_the_verb_stays_a_verb_when_its_room_is_imported():
    from gensynth.search import prepare

    assert callable(gensynth.search)
    assert callable(prepare)


def test_a_mistake_is_told_as_on_the_command_line():
    with pytest.raises(UserError, match="unknown metric; did you mean 'params'"):
        gensynth.search(constraint={"bounds": {"parms": {"max": 1}}})


def test_a_genome_builds_and_draws_itself(repository: Path):
    genome = gensynth.load(repository / "genomes" / "ck48-10k.json")
    network = genome.build(seed=1).eval()
    assert network(torch.zeros(2, 1, 48, 48)).shape == (2, 7)
    assert genome._repr_svg_().startswith("<svg")


@pytest.mark.slow
def test_a_search_from_python_gives_a_front_a_genome_and_its_evaluation(tmp_path: Path):
    run = gensynth.search(
        *SMALL,
        constraint={"bounds": {"accuracy": {"min": 0.05}, "macs": {"max": 3e5}}},
        candidates=2,
        minutes=None,
        runs=tmp_path,
        sampler="random",
    )
    assert set(run.front["params"]) == {one.params for one in run.results.networks}
    assert run.best is not None
    assert run.best.genome.hash == run.best.figures.hash
    assert run.best._repr_svg_().startswith("<svg")
    figures = gensynth.evaluate(run.best.genome, *SMALL, seeds=1, epochs=1)
    assert len(figures["seeds"]) == 1
