"""Networks spread over the prices, trainings that a kill may end, and scores that are counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.sampler.real_table import (
    AVERAGED,
    TEMPERATURES,
    Network,
    Row,
    Score,
    Specification,
    Table,
    build,
    draw,
    images,
    read,
    read_networks,
    read_specification,
    score,
)
from gensynth import config
from gensynth.cost import cost
from gensynth.data import SyntheticConfig, load
from gensynth.data.synthetic.wild import write_fer2013
from gensynth.errors import UserError
from gensynth.experiment import Experiment
from gensynth.space import decode, load_space
from gensynth.training import train_fold

SMALL = Specification(
    experiment="ck48_nano_b",
    networks=4,
    draws=60,
    strata=2,
    seed=0,
    again=1,
    folds=2,
    epochs=2,
    watched=(1, 2),
)
TINY = ["data=synthetic", "data.subjects=21", "data.frames=1", "folds.count=3"]


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    overrides = [*TINY, "training.pretraining=null", "training.precision=float32"]
    return config.load(Experiment, ["experiment=ck48_nano_b", *overrides])


@pytest.fixture(scope="module")
def networks(experiment: Experiment) -> list[Network]:
    return draw(SMALL, experiment)


def test_every_beginning_of_the_networks_is_spread_over_the_prices(
    experiment: Experiment, networks: list[Network]
):
    prices = np.asarray([one.price for one in networks])
    middle = np.sqrt(prices.min() * prices.max())
    assert (prices[:2] < middle).sum() == (prices[2:] < middle).sum() == 1
    assert len({one.hash for one in networks}) == 4
    assert networks == draw(SMALL, experiment)


def test_the_networks_in_the_repository_are_those_of_the_space():
    found = read_networks()
    experiment = config.load(Experiment, ["experiment=ck48_nano_b"])
    space = load_space(experiment.search_space, experiment.prototype)
    for one in found[::10]:
        genome = decode(space, one.decisions)
        assert genome.hash == one.hash
        assert cost(genome).metrics().items() >= one.costs.items()
        assert experiment.constraint.static.feasible(one.costs)
    rounds = np.reshape([one.price for one in found], (-1, 12))
    assert (np.sort(rounds, axis=1)[:, 1:] > np.sort(rounds, axis=1)[:, :-1]).all()
    assert (
        np.sort(rounds, axis=1).max(axis=0)[:-1] < np.sort(rounds, axis=1).min(axis=0)[1:]
    ).all()


def test_a_torn_run_goes_on_and_agrees_with_the_search_to_the_bit(
    experiment: Experiment, networks: list[Network], tmp_path: Path
):
    rows = tmp_path / "rows.jsonl"
    assert build(SMALL, experiment, networks[:2], rows, limit=1) == 1
    first = read(rows)
    with rows.open("a") as file:
        file.write('{"hash": "torn')
    assert build(SMALL, experiment, networks[:2], rows) == 5
    found = read(rows)
    assert found[0] == first[0]
    assert [(row.repetition, row.fold) for row in found] == [
        *[(0, 0), (0, 1)] * 2,
        *[(1, 0), (1, 1)],
    ]
    assert build(SMALL, experiment, networks[:2], rows) == 0

    dataset = load(experiment.data)
    space = load_space(experiment.search_space, experiment.prototype, len(dataset.classes))
    row = found[1]
    result = train_fold(
        decode(space, networks[0].decisions),
        dataset,
        experiment.folds.lay(dataset)[1],
        epochs=2,
        seed=row.seed,
        recipe=experiment.training,
    )
    final = row.scores[AVERAGED]
    assert final.predictions == "".join(map(str, result.predictions))
    assert final.right == result.scores["correct"]
    assert final.cross_entropy[TEMPERATURES.index(1)] == pytest.approx(
        result.scores["cross_entropy"], abs=1e-5
    )
    assert row.scores["2"] != final


def test_rows_of_other_data_are_not_mixed(
    experiment: Experiment, networks: list[Network], tmp_path: Path
):
    rows = tmp_path / "rows.jsonl"
    build(SMALL, experiment, networks, rows, limit=0)
    changed = SMALL.model_copy(update={"epochs": 3})
    with pytest.raises(UserError, match="another specification"):
        build(changed, experiment, networks, rows, limit=0)


def test_a_temperature_is_fitted_on_the_other_folds():
    rng = np.random.default_rng(0)
    labels = torch.from_numpy(rng.integers(0, 3, 200))
    honest = torch.from_numpy(rng.normal(size=(200, 3))).float()
    honest[torch.arange(200), labels] += 1

    def row(fold: int, scale: float) -> Row:
        return Row(
            hash="a", repetition=0, seed=0, fold=fold, total=200, diverged=False, seconds=1,
            pretraining=0, scores={AVERAGED: score(honest * scale, labels)},
        )  # fmt: skip

    spec = SMALL.model_copy(update={"folds": 2})
    one = Network(decisions={}, hash="a", costs={"macs": 1.0})
    alike = Table(spec, (one,), (row(0, 2), row(1, 2)))
    torn = Table(spec, (one,), (row(0, 0.5), row(1, 2)))
    key = ("a", 0)
    best = min(row(0, 1).scores[AVERAGED].cross_entropy)
    assert alike.cross_entropy(key) == pytest.approx(best, abs=1e-5)
    assert alike.cross_entropy(key) < alike.cross_entropy(key, calibrated=False)
    assert torn.cross_entropy(key) > best + 0.02
    assert alike.accuracy(key) == row(0, 1).scores[AVERAGED].right / 200


def test_scores_count():
    logits = torch.tensor([[2.0, 0, 0], [0, 2.0, 0], [0, 2.0, 0]])
    found = score(logits, torch.tensor([0, 1, 2]))
    assert found == Score(right=2, predictions="011", cross_entropy=found.cross_entropy)
    probability = np.exp(2) / (np.exp(2) + 2)
    expected = -(2 * np.log(probability) + np.log((1 - probability) / 2)) / 3
    assert found.cross_entropy[TEMPERATURES.index(1)] == pytest.approx(expected, abs=1e-6)


def test_fer2013_is_trained_and_tested_on_the_parts_that_are_named(tmp_path: Path):
    faces = load(SyntheticConfig(subjects=40, neutral=True, frames=1))
    write_fer2013(faces, tmp_path / "faces")
    specification = read_specification("fer2013")
    experiment = config.load(Experiment)
    dataset, (fold,) = images(specification, experiment, tmp_path / "faces")
    assert dataset.splits is not None
    assert set(dataset.splits[fold.train]) == {"validation"}
    assert set(dataset.splits[fold.test]) == {"test"}
    with pytest.raises(UserError, match="no folder of FER2013"):
        images(specification, experiment, None)
