"""Networks of one size, the trainings of their cheap scores, and a measuring that goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from benchmarks.paper.fidelity import (
    expected_seconds,
    known_results,
    main,
    measure,
    planned,
    remaining,
    with_fewer_people,
)
from benchmarks.paper.fidelity_plan import (
    CONFIRMED,
    Plan,
    Specification,
    load_experiment,
    read_specification,
    resized,
)
from gensynth.cost import cost
from gensynth.data import SyntheticConfig, folds, load
from gensynth.errors import UserError
from gensynth.execution import Entry
from gensynth.experiment import Experiment
from gensynth.training import FoldResult

FACES = ["data=synthetic", "data.subjects=40", "data.frames=1", "data.size=16", "folds.count=3"]
TINY = [
    *FACES,
    "fidelity.rungs=[{folds: 1, epochs: 1}]",
    "confirm.epochs=2",
    "training.pretraining=null",
]


def specified(**changes: Any) -> Specification:
    return Specification.model_validate(read_specification().model_dump() | changes)


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return load_experiment(read_specification())


@pytest.fixture(scope="module")
def plan(experiment: Experiment) -> Plan:
    return Plan(read_specification(), experiment)


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    drawn = {"kind": "synthetic", "seed": 3, "subjects": 40, "frames": 1, "size": 16}
    scores = {
        "2x1": {"folds": 2, "epochs": 1},
        "half": {"folds": 1, "epochs": 1, "subjects": 0.5},
        "larger": {"folds": 1, "epochs": 1, "size": 24},
        "others": {"folds": 1, "epochs": 1, "data": drawn},
    }
    return read_specification().model_dump() | {"networks": 3, "scores": scores}


@pytest.fixture(scope="module")
def tiny(written: dict[str, Any]) -> Plan:
    specification = Specification.model_validate(written)
    return Plan(specification, load_experiment(specification, TINY))


@pytest.fixture(scope="module")
def measured(tiny: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fidelity")
    assert measure(tiny, tiny.scores, folder, processes=1) == 3 * (1 + 1 + 1 + 1 + 1 + 3)
    return folder


def test_the_sample_is_of_different_networks_inside_the_band(plan):
    assert len({network.hash for network in plan.networks}) == plan.specification.networks == 24
    for network in plan.networks:
        assert 18_000 <= cost(network).params <= 30_000


def test_the_sample_follows_from_its_seed_and_fewer_are_the_first(plan, experiment):
    hashes = [network.hash for network in plan.networks]
    few = Plan(specified(), experiment, 5)
    assert [network.hash for network in few.networks] == hashes[:5]
    other = Plan(specified(seed=1), experiment, 5)
    assert not {network.hash for network in other.networks} & set(hashes)


def test_a_band_without_networks_is_refused(experiment):
    with pytest.raises(UserError, match="inside the band"):
        Plan(specified(params=[18_000, 18_001]), experiment, 1)


def test_the_experiment_says_what_the_search_and_its_confirmation_do(plan):
    rungs = plan.experiment.fidelity.rungs
    for number, rung in enumerate(rungs, 1):
        score = plan.scores[f"rung{number}"]
        assert (score.folds, score.epochs) == (rung.folds, rung.epochs)
    confirmed = plan.scores[CONFIRMED]
    assert (confirmed.folds, confirmed.epochs) == (10, 40)
    assert plan.conditions[CONFIRMED].recipe == plan.experiment.training.resolved()


@pytest.mark.parametrize(
    ("scores", "problem"),
    [
        ({"rung1": {"folds": 1, "epochs": 1}}, "the experiment's own"),
        ({"confirmed": {"folds": 1, "epochs": 1}}, "the experiment's own"),
        ({"wide": {"folds": 11, "epochs": 1}}, "there are 10 folds"),
    ],
)
def test_scores_that_cannot_be_are_refused(experiment, scores, problem):
    with pytest.raises(UserError, match=problem):
        Plan(specified(scores=scores), experiment, 1)


def test_a_wrong_key_is_named(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**specified().model_dump(mode="json"), "sead": 1}))
    with pytest.raises(UserError, match=r"mine\.yaml.*sead"):
        read_specification(path)


def test_no_training_of_the_confirmation_is_one_of_a_cheap_score(plan):
    for network in plan.networks[:3]:
        confirmed = plan.trainings(CONFIRMED, network)
        assert [one.unit.fold for one in confirmed] == list(range(10))
        cheap = [
            one
            for name in plan.scores
            if name != CONFIRMED
            for one in plan.trainings(name, network)
        ]
        assert not {one.unit.seed for one in confirmed} & {one.unit.seed for one in cheap}


def test_scores_share_trainings_only_where_everything_is_the_same(plan):
    network = plan.networks[0]

    def keys(name: str) -> set[Any]:
        return {one.key for one in plan.trainings(name, network)}

    assert keys("1x40") < keys("rung2")
    assert keys("1x12") < keys("rung1") < keys("4x12")
    assert not keys("1x160") & (keys("1x40") | keys(CONFIRMED))
    for name in ("4x40-half", "4x40-32px", "4x40-24px"):
        assert not keys(name) & keys("rung2")
    assert len({one.key for one in planned(plan, plan.scores)[0]}) == len(
        planned(plan, plan.scores)[0]
    )


def test_folds_that_a_score_has_seen(plan):
    assert list(plan.tested("rung2")) == [0, 1, 2, 3]
    assert list(plan.tested("4x40-half")) == [0, 1, 2, 3]
    assert list(plan.tested("4x24-synthetic")) == []


def test_fewer_pixels_are_the_same_layers(plan):
    for network in plan.networks[:5]:
        small = resized(network, 32)
        assert small.input.shape == (1, 32, 32)
        assert cost(small).params == cost(network).params
        assert cost(small).macs < cost(network).macs
        assert resized(small, 48).same_network(network)


def test_fewer_people_are_trained_on_and_the_same_are_tested():
    dataset = load(SyntheticConfig(subjects=40, frames=1, size=16))
    fold = folds(dataset, 3)[1]
    few = with_fewer_people(fold, dataset, 0.5)
    assert dataset.subjects is not None
    before, after = (set(dataset.subjects[one.train]) for one in (fold, few))
    assert after < before
    assert len(after) == round(len(before) / 2)
    assert set(few.train) == {index for index in fold.train if dataset.subjects[index] in after}
    np.testing.assert_array_equal(few.test, fold.test)
    np.testing.assert_array_equal(few.train, with_fewer_people(fold, dataset, 0.5).train)
    assert with_fewer_people(fold, dataset, 1.0) is fold


def test_everything_is_measured_once(tiny, measured):
    known = known_results(tiny, measured)
    assert set(known) == {one.key for part in planned(tiny, tiny.scores) for one in part}
    assert all(entry.seconds > 0 for entry in known.values())
    assert measure(tiny, tiny.scores, measured, processes=1) == 0
    told = [json.loads(path.read_text()) for path in measured.glob("*/condition.json")]
    assert sorted((one["data"]["size"], one["data"]["seed"], one["subjects"]) for one in told) == [
        (16, 0, 0.5),
        (16, 0, 1.0),
        (16, 3, 1.0),
        (24, 0, 1.0),
    ]


def test_a_cut_line_is_trained_again_and_gives_the_same(tiny, measured):
    before = known_results(tiny, measured)
    condition = tiny.conditions["rung1"].name
    path = measured / condition / "journal.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    assert len(known_results(tiny, measured)) == len(before) - 1
    said: list[str] = []
    assert measure(tiny, tiny.scores, measured, processes=1, tell=said.append) == 1
    assert said[0].startswith("trainings left: 1, about ")
    assert said[-1] == "network 3 of 3 is done; nothing is left to train"
    after = known_results(tiny, measured)
    assert {key: entry.result for key, entry in after.items()} == {
        key: entry.result for key, entry in before.items()
    }


def test_other_images_than_those_of_the_journal_are_refused(tiny, tmp_path):
    measure(tiny, ["rung1"], tmp_path, processes=1)
    (file,) = tmp_path.glob("*/condition.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "images": "others"}))
    with pytest.raises(UserError, match="images is others there"):
        measure(tiny, ["2x1"], tmp_path, processes=1)


def test_expected_time_goes_by_work(plan):
    assert expected_seconds(planned(plan, plan.scores)[0], {}, plan) is None
    first, second = planned(plan, ["1x12"])[:2]
    result = FoldResult(
        fold=0, epochs=12, seed=first[0].unit.seed, predictions=(), total=0,
        seconds=6.0, loss=1.0,
    )  # fmt: skip
    known = {first[0].key: Entry.of("search", None, first[0].genome.hash, result)}
    assert expected_seconds(first, known, plan) == pytest.approx(6.0)
    ratio = (cost(plan.networks[1]).macs + 5e6) / (cost(plan.networks[0]).macs + 5e6)
    assert expected_seconds(second, known, plan) == pytest.approx(6.0 * ratio)
    half = plan.trainings("4x40-half", plan.networks[0])
    assert expected_seconds(half, known, plan) == pytest.approx(6.0 * 4 * 40 / 12 / 2)
    assert (
        remaining(half * 60, known, plan, 2) == "trainings left: 240, about 20 minutes of 2 cores"
    )


def test_mistakes_are_one_line(capsys, tmp_path):
    assert main(["--only-print", "--scores", "rung9"]) == 2
    assert capsys.readouterr().err.startswith("no score 'rung9'; there are rung1, rung2, ")
    assert main(["--networks", "1", "--scores", "rung1", "--results", str(tmp_path)]) == 2
    assert "data.root" in capsys.readouterr().err


def test_the_command_goes_on_and_prints(capsys, measured, written, tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(written, sort_keys=False))
    words = ["--specification", str(path), "--results", str(measured), "--processes", "1", *TINY]
    assert main([*words, "--scores", f"half,{CONFIRMED}"]) == 0
    shown = capsys.readouterr().out
    assert "3 of 3 networks of 18000 to 30000 parameters" in shown
    assert "SYNTHETIC faces" in shown
    assert "| half |" in shown
    assert "| 2x1 |" not in shown
    assert "nothing is left to train" in shown


@pytest.mark.slow
def test_two_processes_find_the_same(tiny, measured, tmp_path):
    measure(tiny, tiny.scores, tmp_path, processes=2)
    one, two = known_results(tiny, measured), known_results(tiny, tmp_path)
    assert {key: entry.result for key, entry in one.items()} == {
        key: entry.result for key, entry in two.items()
    }
