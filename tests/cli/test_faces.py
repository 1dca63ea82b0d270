from pathlib import Path

import numpy as np
import pytest

from gensynth.cli import main
from gensynth.data import (
    AffectNetConfig,
    CK48Config,
    FER2013Config,
    FERPlusConfig,
    RAFDBConfig,
    SyntheticConfig,
    load,
)


def called(*arguments: object) -> object:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return caught.value.code


def test_ck48_on_disk_is_the_data_set_that_is_drawn(tmp_path: Path):
    root = tmp_path / "faces"
    assert called("faces", "-o", root, "--layout", "ck48", "--seed", 3, "--subjects", 12) == 0
    read = load(CK48Config(kind="ck48", root=root))
    drawn = load(SyntheticConfig(seed=3, subjects=12))
    assert len(read.labels) == len(drawn.labels)
    assert sorted(map(bytes, read.images)) == sorted(map(bytes, drawn.images))
    assert np.bincount(read.labels).tolist() == np.bincount(drawn.labels).tolist()


def test_ckplus_on_disk_has_frames_labels_and_landmarks(tmp_path: Path):
    root = tmp_path / "faces"
    assert called("faces", "--output", root, "--subjects", 1) == 0
    frames = list(root.glob("cohn-kanade-images/*/*/*.png"))
    labels = list(root.glob("Emotion/*/*/*_emotion.txt"))
    assert len(frames) == len(list(root.glob("Landmarks/*/*/*_landmarks.txt"))) > 0
    assert len(labels) == len({frame.parent for frame in frames})


@pytest.mark.parametrize(
    ("layout", "kind", "count"),
    [
        ("fer2013-folders", FER2013Config, 7),
        ("ferplus", FERPlusConfig, 8),
        ("rafdb", RAFDBConfig, 7),
        ("affectnet-numbered", AffectNetConfig, 8),
    ],
)
def test_layouts_from_the_web_have_every_class(tmp_path: Path, layout: str, kind, count: int):
    root = tmp_path / "faces"
    assert called("faces", "-o", root, "--layout", layout, "--subjects", 20) == 0
    read = load(kind(root=root))
    assert len(read.classes) == count
    assert read.splits is not None


def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "something").touch()
    assert called("faces", "-o", tmp_path) == 2
    assert capsys.readouterr().err.endswith(
        "the folder is not empty; name a folder that is new or empty\n"
    )
    assert called("faces", "-o", tmp_path / "new", "--layout", "jaffe") == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("layout", ["ckplus", "ck48"])
def test_a_place_that_cannot_be_written_to_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], layout: str
):
    file = tmp_path / "file"
    file.touch()
    place = file / "faces"
    assert called("faces", "-o", place, "--layout", layout, "--subjects", 12) == 2
    assert capsys.readouterr().err == (
        f"{place}: cannot be written (Not a directory); name a folder that can be written to\n"
    )
