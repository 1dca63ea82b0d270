"""Searches held to a handful of networks: what is trained, what it is worth, what is said of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import optuna
import pytest

from benchmarks.sampler.real_replay import (
    METHODS,
    OURS,
    Pool,
    Replay,
    distance,
    main,
    printed,
    replayed,
    worths,
)
from benchmarks.sampler.real_table import (
    AVERAGED,
    TEMPERATURES,
    Header,
    Network,
    Row,
    Score,
    Table,
    read_networks,
    read_specification,
)
from gensynth import config
from gensynth.experiment import Experiment
from gensynth.space import Space, load_space
from gensynth.training import Recipe

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")


@pytest.fixture(scope="module")
def space() -> Space:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    experiment = config.load(Experiment, ["experiment=ck48_nano_b"])
    return load_space(experiment.search_space, experiment.prototype)


@pytest.fixture(scope="module")
def networks() -> list[Network]:
    return read_networks()[:36]


@pytest.fixture(scope="module")
def pool(space: Space, networks: list[Network]) -> Pool:
    """Networks that are the better the more operations they have, and the cells they look at."""
    values = [np.log(one.costs["macs"]) + int(one.decisions["grid"]) for one in networks]
    return Pool.of(space, networks, values)


@pytest.mark.parametrize(
    "method",
    [pytest.param(name, marks=[pytest.mark.slow] if "snapped" in name else []) for name in METHODS],
)
def test_every_method_trains_each_network_once_by_its_seed(pool: Pool, method: str):
    few = Pool(pool.space, pool.networks[:20], pool.drafts[:20], pool.worths[:20])

    def order(seed: int) -> list[int]:
        return list(METHODS[method](Replay(few, seed)))

    first = order(0)
    assert sorted(first) == list(range(20))
    assert first == order(0)
    assert first != order(1)


def test_regret_is_counted_by_trainings_and_by_price(space: Space, networks: list[Network]):
    prices = np.asarray([one.price for one in networks])
    pool = Pool.of(space, networks, prices.tolist())

    def dearest_last(replay: Replay) -> Iterator[int]:
        for place in np.argsort(prices).tolist():
            replay.train(place)
            yield place

    found = replayed(pool, dearest_last, 0, (2, 20))
    rising = np.sort(prices)
    paid = [int((np.cumsum(rising) <= mark * prices.mean()).sum()) for mark in (2, 20)]
    assert paid[0] > 2
    assert found == pytest.approx(
        np.asarray(
            [
                [rising[-1] - rising[1], rising[-1] - rising[19]],
                [rising[-1] - rising[count - 1] for count in paid],
            ]
        )
    )


def test_what_costs_explain_is_learned_and_noise_is_not(space: Space):
    """Paired seeds on an order that the operations explain, and on one that nothing does."""
    networks = read_networks()
    operations = [float(np.log(one.costs["macs"])) for one in networks]

    def mean(values: Sequence[float], method: str) -> float:
        pool = Pool.of(space, networks, values)
        return float(np.mean([replayed(pool, METHODS[method], s, (14,))[0] for s in range(10)]))

    assert mean(operations, "gensynth, price unknown") < 0.5 * mean(operations, "random")
    noise = np.random.default_rng(0).permutation(operations).tolist()
    assert mean(noise, "gensynth, price unknown") > 0.5 * mean(noise, "random")


def test_a_network_is_nearest_to_itself(pool: Pool):
    every = range(len(pool.drafts))
    for place in every:
        assert pool.nearest(pool.networks[place].decisions, every) == place
    there, back = (
        distance(pool.drafts[one], pool.drafts[other].decisions) for one, other in ((0, 1), (1, 0))
    )
    assert there == pytest.approx(back)
    assert 0 < there < 1


def row(one: Network, fold: int, right: int, entropy: float) -> Row:
    entropies = tuple(entropy + abs(np.log(t)) for t in TEMPERATURES)
    known = Score(right=right, predictions="0" * 100, cross_entropy=entropies)
    specification = read_specification("ck48")
    return Row(
        hash=one.hash,
        repetition=0,
        seed=fold,
        fold=fold,
        total=100,
        scores={**dict.fromkeys(map(str, specification.watched), known), AVERAGED: known},
        diverged=False,
        seconds=1,
        pretraining=0,
    )


def test_a_replay_prints_how_many_networks_it_knows(
    networks: list[Network], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    specification = read_specification("ck48")
    rng = np.random.default_rng(0)
    rows = [
        row(one, fold, 80 + number % 7, float(rng.uniform(0.1, 0.2)))
        for number, one in enumerate(networks[:9])
        for fold in range(4)
    ]
    rows.append(row(networks[9], 0, 99, 0.01))
    table = Table(specification, tuple(networks), tuple(rows))
    assert len(table.trained) == 9
    assert worths(table, "accuracy") == pytest.approx([80 + number % 7 for number in range(9)])
    assert max(worths(table, "cross-entropy")) < -0.1

    header = Header(specification=specification, images="", recipe=Recipe())
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(one.model_dump_json() for one in (header, *rows)) + "\n")
    arguments = ["--rows", str(path), "--seeds", "3", "--marks", "4", "20", "--processes", "1"]
    assert main(["ck48", *arguments, "--methods", "random", "local search"]) == 0
    shown = capsys.readouterr().out
    assert "9 of 60 networks are trained" in shown
    assert "for want of networks: after 20" in shown
    assert shown.count("after 4 trainings: gensynth") == 2
    assert json.loads(path.read_text().splitlines()[-1])["fold"] == 0


def test_the_best_peer_is_named_with_its_p():
    rng = np.random.default_rng(0)
    regrets = {
        OURS: rng.uniform(0, 1, (50, 2, 1)),
        "random": rng.uniform(1, 2, (50, 2, 1)),
        "Optuna TPE": rng.uniform(0, 1, (50, 2, 1)),
        "local search": rng.uniform(2, 3, (50, 2, 1)),
    }
    shown = printed(regrets, (20,), "points").splitlines()[-1]
    assert "Optuna TPE" in shown
    assert "local search" not in shown
    assert "(p < 0.001), Optuna TPE" in shown
