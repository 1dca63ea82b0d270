"""Evaluations: what they train, what they keep, what they state."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import stdev

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from gensynth.errors import UserError
from gensynth.evaluation import evaluate_network
from gensynth.evaluation.directory import EvaluationDirectory, fingerprint
from gensynth.evaluation.protocol import CrossValidations
from gensynth.execution.journal import read
from gensynth.execution.units import Unit, cross_validation
from gensynth.experiment import Experiment
from gensynth.genome import Genome
from gensynth.search import Setting
from gensynth.training import FoldResult
from tests.fake_run import tiny
from tests.small_search import drive, write_official


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[int]]:
    """Trains in this process, and stops after some folds if told to."""

    def put(*, folds: int | None = None) -> list[int]:
        trained: list[int] = []

        def execute(dispatcher, material, *ignored, **also):
            trained.append(drive(dispatcher, material, folds=folds))
            if folds is not None:
                raise KeyboardInterrupt

        monkeypatch.setattr(
            "gensynth.evaluation.protocol.cluster", lambda *ignored, **also: nullcontext(tmp_path)
        )
        monkeypatch.setattr("gensynth.evaluation.protocol.execute", execute)
        return trained

    return put


@pytest.fixture
def network() -> Genome:
    return tiny(2)


def timeless(figures):
    untimed = {"seconds": 0, "pretraining": 0}
    return {**figures, "folds": [{**one, **untimed} for one in figures["folds"]]}


def test_the_figures_follow_from_the_predictions(small, here, network: Genome):
    here()
    figures = evaluate_network(network, small(), epochs=1)
    assert len(set(figures["seeds"])) == 3
    assert [one["fold"] for one in figures["folds"]] == [0, 1, 2, 3] * 3
    parts = [figures["folds"][start : start + 4] for start in (0, 4, 8)]
    assert [part[0]["seed"] for part in parts] == figures["seeds"]
    truth, said = (
        [[label for one in part for label in one[key]] for part in parts]
        for key in ("truth", "predictions")
    )
    right = [float(np.mean(np.equal(*pair))) for pair in zip(truth, said, strict=True)]
    assert figures["per_seed"] == pytest.approx(right)
    assert figures["spread"] == pytest.approx(stdev(right))
    assert figures["accuracy"] == pytest.approx(sum(right) / 3)
    labels = range(len(figures["classes"]))
    confusion = confusion_matrix(np.concatenate(truth), np.concatenate(said), labels=labels)
    assert figures["confusion"] == confusion.tolist()
    assert figures["images"] == figures["sequences"] == len(truth[0])
    assert figures["synthetic"] is True
    assert figures["protocol"]["folds"] == {"count": 4, "by": "subject", "tested": [0, 1, 2, 3]}
    assert figures["hash"] == network.hash
    json.dumps(figures, allow_nan=False)


@pytest.mark.parametrize(
    ("asked", "given", "count"),
    [({}, (), 3), ({"seeds": 2}, (), 2), ({}, ("confirm.seeds=4",), 4), ({"seed": 7}, (), 1)],
)
def test_how_many_training_seeds(small, here, network: Genome, asked, given, count):
    here()
    figures = evaluate_network(network, small(*given), epochs=1, fold=1, **asked)
    assert len(figures["seeds"]) == len(figures["per_seed"]) == len(figures["folds"]) == count
    assert (figures["spread"] is None) == (count == 1)
    if asked.get("seed"):
        assert [one["seed"] for one in figures["folds"]] == [7]


def test_a_fold_is_the_same_alone_and_among_the_others(small, here, network: Genome):
    here()
    whole = evaluate_network(network, small(), epochs=1, seed=11)
    alone = evaluate_network(network, small(), epochs=1, fold=2, seed=11 + 2)
    assert timeless(whole)["folds"][2] == timeless(alone)["folds"][0]


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_what_was_stopped_goes_on_where_it_was(
    small, here, network: Genome, tmp_path: Path, workers: int
):
    small = partial(small, f"workers={workers}")
    output = EvaluationDirectory(tmp_path / "kept")
    trained = here(folds=5)
    with pytest.raises(KeyboardInterrupt):
        evaluate_network(network, small(), epochs=1, output=output.path)
    assert trained == [5]
    assert len(read(output.journal)) == 5
    assert not output.figures.exists()
    trained = here()
    figures = evaluate_network(network, small(), epochs=1, output=output.path)
    assert trained == [7]
    assert json.loads(output.figures.read_text()) == figures
    assert evaluate_network(network, small(), epochs=1, output=output.path) == figures
    assert trained == [7]
    assert timeless(evaluate_network(network, small(), epochs=1)) == timeless(figures)


def test_more_seeds_cost_only_what_is_new(small, here, network: Genome, tmp_path: Path):
    trained = here()
    one, two = (
        evaluate_network(network, small(), epochs=1, seeds=count, output=tmp_path / "kept")
        for count in (1, 2)
    )
    assert trained == [4, 4]
    assert two["per_seed"][:1] == one["per_seed"]


def test_what_is_left_is_shared_out(
    small, network: Genome, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    sizes: list[int] = []

    def execute(dispatcher, material, *ignored, **also):
        real = dispatcher.next

        def following():
            found = real()
            sizes.extend([] if found is None else [len(found[1].units)])
            return found

        dispatcher.next = following
        drive(dispatcher, material)

    monkeypatch.setattr(
        "gensynth.evaluation.protocol.cluster", lambda *ignored, **also: nullcontext(tmp_path)
    )
    monkeypatch.setattr("gensynth.evaluation.protocol.execute", execute)
    for count in (1, 2, 5):
        experiment = small("workers=2")
        evaluate_network(network, experiment, epochs=1, seeds=count, output=tmp_path / "kept")
    assert sizes == [*[1] * 4, *[1] * 4, 4, 4, *[1] * 4]


def test_after_a_failure_the_rest_of_a_job_is_not_wanted(network: Genome):
    first, second = cross_validation(range(2), 1, 5)
    stage = CrossValidations(network, [(first, second), (Unit(0, 1, 9),)])
    job, other = stage.next(), stage.next()
    assert job is not None
    assert other is not None
    result = FoldResult(fold=0, epochs=1, seed=5, predictions=(0,), total=1, seconds=0, loss=1.0)
    assert stage.result(job, result)
    stage.failed(other, "worker died")
    assert not stage.result(job, result)


def test_an_output_of_something_else_is_refused(small, here, network: Genome, tmp_path: Path):
    here()
    output = tmp_path / "kept"

    def evaluated(genome: Genome, experiment: Experiment) -> str:
        with pytest.raises(UserError) as caught:
            evaluate_network(genome, experiment, epochs=1, fold=0, output=output)
        return str(caught.value)

    output.mkdir()
    (output / "letter.txt").write_text("dear reader")
    assert "is not of an evaluation but is not empty" in evaluated(network, small())
    (output / "letter.txt").unlink()
    evaluate_network(network, small(), epochs=1, fold=0, output=output)
    assert "training.learning_rate is 0.02" in evaluated(network, small("training.learning_rate=1"))
    assert "network is " in evaluated(tiny(3), small())
    assert "images is " in evaluated(network, small("data.seed=5"))
    assert "folds.count is 4 in" in evaluated(network, small("folds.count=5"))


def test_what_the_recipe_was_tuned_on_may_be_told_later(small, here, network, tmp_path: Path):
    here()
    for given in ("[]", "[{data: synthetic, folds: 4, seen: [0]}]"):
        experiment = small(f"training.tuned_on={given}")
        told = evaluate_network(network, experiment, epochs=1, fold=0, output=tmp_path / "kept")
    assert told["chosen"][1]["seen"] == [0]
    assert told["chosen"][1]["unseen"] is None


def test_the_fingerprint_is_of_images_labels_and_people(setting: Setting):
    data = setting.dataset
    known = fingerprint(data)
    assert fingerprint(replace(data, source="elsewhere", name="other")) == known
    images = data.images.copy()
    images[-1, 0, 0, 0] ^= 1
    labels = data.labels.copy()
    labels[0] = (labels[0] + 1) % 7
    others = (
        replace(data, images=images),
        replace(data, labels=labels),
        replace(data, sequences=data.sequences[::-1].copy()),
    )
    assert len({known, *map(fingerprint, others)}) == 4


def test_an_official_split_is_reported_on_its_test_part_alone(
    small, here, network: Genome, tmp_path: Path
):
    trained, official = here(), write_official(tmp_path)
    experiment = small(*official)
    figures = evaluate_network(network, experiment, epochs=1, seeds=2)
    assert trained == [2]
    assert [one["fold"] for one in figures["folds"]] == [1, 1]
    assert figures["images"] == 14
    assert figures["protocol"]["folds"]["tested"] == [1]
    people = figures["chosen"][-1]
    assert people["what"] == "data"
    assert "does not say who is on its images" in people["words"]
    chosen = evaluate_network(network, experiment, epochs=1, fold=0)
    assert chosen["images"] == 7
    assert [one["fold"] for one in chosen["folds"]] == [0, 0, 0]
