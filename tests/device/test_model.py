from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from gensynth.device import Model, load_model
from gensynth.errors import UserError
from tests.device.models import drawn, readout
from tests.fake_run import tiny


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return drawn(tiny(6)).save(tmp_path / "model")


def faces(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_a_model_reads_back_and_says_the_same(folder: Path):
    model, again = drawn(tiny(6)), load_model(folder)
    image = faces(60, 33, 3)
    assert torch.equal(model(image), again(image))
    assert again.genome.same_network(tiny(6))
    assert again.labels == model.labels
    assert sorted(path.name for path in folder.iterdir()) == [
        "card.json",
        "genome.json",
        "labels.json",
        "model.safetensors",
        "preprocessing.json",
    ]


@pytest.mark.parametrize("shape", [(48, 48), (48, 48, 1), (30, 70, 3), (9, 9, 4)])
def test_an_image_may_be_of_any_size_and_colour(shape: tuple[int, ...]):
    model = drawn(tiny(6))
    said = model(faces(*shape))
    assert said.shape == (7,)
    assert float(said.detach().sum()) == pytest.approx(1)
    assert torch.equal(said, model(torch.from_numpy(faces(*shape))))


def test_several_images_are_read_at_once_as_each_by_itself():
    model = drawn(tiny(6), mirror=True)
    batch = faces(3, 20, 50, 3)
    together = model(batch)
    for image, said in zip(batch, together, strict=True):
        np.testing.assert_allclose(model(image).detach(), said.detach(), atol=1e-6)


def test_with_the_mirror_an_image_and_its_mirror_image_are_the_same():
    model = drawn(tiny(6), mirror=True)
    image = faces(48, 48)
    np.testing.assert_allclose(
        model(image).detach(), model(image[:, ::-1].copy()).detach(), atol=1e-6
    )


@pytest.mark.parametrize("wrong", [faces(4), faces(4, 4, 2), np.zeros((4, 4), dtype=np.float32)])
def test_what_is_no_image_is_refused(wrong: np.ndarray):
    with pytest.raises(ValueError, match="an image is uint8"):
        drawn(tiny(6))(wrong)


def change(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_a_stranger_may_have_changed_is_refused(folder: Path, tmp_path: Path):
    weights = folder / "model.safetensors"
    good = load_file(weights)
    first = next(iter(good))
    bad = {
        "lacks layers": {name: value for name, value in good.items() if name != first},
        "has odd": {**good, "odd": torch.zeros(1)},
        "is F32 .* not F32": {**good, first: torch.zeros(3, *good[first].shape)},
        "is F16 .* not F32": {**good, first: good[first].half()},
        "values that are no numbers": {**good, first: good[first] / 0},
    }
    for message, state in bad.items():
        save_file(state, weights)
        with pytest.raises(UserError, match=message):
            load_model(folder)
    weights.write_bytes(b"\x80\x04pickle")
    with pytest.raises(UserError, match="not safetensors"):
        load_model(folder)
    with weights.open("r+b") as file:
        file.truncate(2**25)
    with pytest.raises(UserError, match="are more than the network's"):
        load_model(folder)


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        ("preprocessing.json", {"height": 24}, "makes images of"),
        ("preprocessing.json", {"height": 10**9}, "height"),
        ("preprocessing.json", {"deviation": [0]}, "deviation"),
        ("preprocessing.json", {"run": "rm"}, "unknown key"),
        ("labels.json", {"heads": []}, "heads"),
        ("labels.json", {"heads": [readout("", 8).model_dump()]}, "the network gives"),
        ("genome.json", {"nodes": []}, "at least one node"),
    ],
)
def test_files_that_do_not_fit_are_refused(folder: Path, file: str, changes, message: str):
    change(folder / file, **changes)
    with pytest.raises(UserError, match=message) as caught:
        load_model(folder)
    assert file in caught.value.where


def test_a_folder_without_weights_is_no_model(tmp_path: Path):
    with pytest.raises(UserError, match="is no model"):
        load_model(tmp_path)


def test_heads_are_those_of_the_network():
    model = drawn(tiny(6))
    with pytest.raises(UserError, match="the network gives"):
        Model(model.network, model.preprocessing, [readout("", 3)])
