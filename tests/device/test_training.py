from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from gensynth import genome as genomes
from gensynth.config import load
from gensynth.device import calibration_images, deploy, load_model, train
from gensynth.errors import UserError
from gensynth.experiment import Experiment
from gensynth.task.readout import Readout, calibrated, calibration_error
from tests.cli.test_networks import called
from tests.fake_run import tiny
from tests.small_search import SMALL


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return load(Experiment, SMALL)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, experiment: Experiment) -> Path:
    """A model of drawn faces, as a folder."""
    told: list[str] = []
    trained = train(
        tiny(8), experiment, split="fold-1", epochs=1, calibration_folds=2, tell=told.append
    )
    assert [line.split(":")[0] for line in told] == ["fold 0", "fold 2", "to keep"]
    return trained.save(tmp_path_factory.mktemp("models") / "model")


def test_nothing_held_out_was_trained_on(model: Path, experiment: Experiment):
    loaded = load_model(model)
    dataset = experiment.load()
    unseen = experiment.folds.lay(dataset)[1]
    images = calibration_images(loaded, experiment)
    np.testing.assert_array_equal(images, dataset.images[unseen.train])
    assert loaded.card["images"] == len(unseen.train)
    assert loaded.card["held_out"]["folds"] == [0, 2]
    assert loaded.card["held_out"]["images"] < len(unseen.train)


def test_other_data_do_not_calibrate(model: Path):
    other = load(Experiment, [*SMALL, "data.seed=1"])
    with pytest.raises(UserError, match="and these are other images"):
        calibration_images(load_model(model), other)


def test_the_card_says_what_it_rests_on(model: Path):
    card = json.loads((model / "card.json").read_text())
    assert card["synthetic"] is True
    assert card["split"] == "fold-1"
    assert card["recipe"]["learning_rate"] > 0
    calibration = card["calibration"]["probabilities"]
    assert calibration["cross_entropy"] <= calibration["cross_entropy_before"] + 1e-9
    assert calibration["images"] == card["held_out"]["images"]


def test_a_temperature_undoes_what_made_answers_too_sure():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4000, 3, generator=generator) * 2
    targets = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    plain = Readout(kind="probabilities", labels=("a", "b", "c"), scale=(1,) * 3, offset=(0,) * 3)
    found = calibrated(plain, logits * 3, targets)
    assert found.calibration["temperature"] == pytest.approx(3, rel=0.05)
    assert found.calibration["calibration_error"] < 0.03
    assert found.calibration["calibration_error_before"] > 0.1
    np.testing.assert_allclose(found(logits * 3), logits.softmax(1), atol=0.02)


def test_the_calibration_error_of_whoever_is_always_sure_is_the_share_of_errors():
    sure = torch.eye(2)[torch.zeros(10, dtype=torch.long)]
    targets = torch.tensor([0] * 7 + [1] * 3)
    assert calibration_error(sure, targets) == pytest.approx(0.3)


def test_mistakes_are_one_line(experiment: Experiment):
    for split in ("fold-9", "test"):
        with pytest.raises(UserError, match="no such split; use all, or fold-0 to fold-3"):
            train(tiny(8), experiment, split=split)
    diverging = load(Experiment, [*SMALL, "training.learning_rate=1e30"])
    with pytest.raises(UserError, match="its training diverged; lower"):
        train(tiny(8), diverging, epochs=1)


def test_predict_and_export_as_a_person_calls_them(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    from PIL import Image

    faces = tmp_path / "faces"
    faces.mkdir()
    rng = np.random.default_rng(0)
    for name, shape in (("a.png", (50, 40)), ("b.png", (20, 30, 3))):
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(faces / name)
    assert called("predict", model, faces, faces / "a.png") == 0
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 3
    assert "says nothing about people" in captured.err
    assert called("predict", model, faces, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["synthetic"]
    assert sum(said["images"][0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert called("export", model, "--format", "onnx", "-o", tmp_path, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["difference"] <= facts["tolerance"] == 1e-4
    assert Path(facts["path"]).is_file()
    assert called("export", model, "-o", tmp_path / "g.json", "--json") == 0
    assert json.loads(capsys.readouterr().out)["hash"] == tiny(8).hash
    small = [word for word in SMALL if word.startswith(("data", "folds"))]
    arguments = ("export", model, *small, "--format", "onnx-int8", "-o", tmp_path, "--json")
    assert called(*arguments) == 0
    facts = json.loads(capsys.readouterr().out)
    assert 0 < facts["difference"] < 0.1
    assert called("export", model, "--format", "onnx-int8", "-o", tmp_path) == 2
    assert "these are other images" in capsys.readouterr().err
    assert called("export", tmp_path / "g.json", "--format", "onnx") == 2
    assert "train it first: gensynth train" in capsys.readouterr().err


@pytest.mark.slow
def test_eight_bits_are_judged_on_folds_that_neither_trained_nor_calibrated(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    genomes.save(tiny(8), tmp_path / "net.json")
    words = [word for word in SMALL if not word.startswith("name")]
    arguments = ("evaluate", tmp_path / "net.json", *words, "--format", "onnx-int8", "--json")
    assert called(*arguments, "--epochs", "4") == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["folds"] == [0, 1, 2, 3]
    assert figures["images"] == figures["pytorch"]["images"] == figures["exported"]["images"]
    assert figures["changed"] < 0.2 * figures["images"]
    apart = figures["pytorch"]["accuracy"] - figures["exported"]["accuracy"]
    assert abs(apart) * figures["images"] <= figures["changed"] + 1e-6


@pytest.mark.slow
def test_the_tasks_say_how_their_networks_are_read(tmp_path: Path):
    """Numbers, and an ensemble that is distilled."""
    pose = load(
        Experiment, ["experiment=pose", "data.subjects=40", "folds.count=3", "prototype.classes=3"]
    )
    genome = _regressor(pose)
    trained = train(genome, pose, epochs=2, ensemble=True)
    dataset = pose.load()
    said = np.array([trained.predict(image[0])["numbers"] for image in dataset.images[:50]])
    targets = dataset.targets[:50]
    assert np.abs(said - targets).mean() < 3 * np.abs(targets - targets.mean(0)).mean()
    assert trained.card["distilled"] == 3
    assert trained.labels == ("yaw", "pitch", "roll")[: len(trained.labels)]
    assert deploy(trained, "onnx", tmp_path).difference < 1e-3


def _regressor(experiment: Experiment):
    from gensynth.prototype import expand

    return expand(experiment.prototype)
