"""``gensynth audit`` as a person calls it."""

import json
import os
from pathlib import Path

import pytest

from gensynth.cli import main
from gensynth.data import SyntheticConfig, load, write_ck48

Captured = pytest.CaptureFixture[str]


def called(*arguments: object) -> object:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return caught.value.code


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    write_ck48(load(SyntheticConfig(subjects=24, frames=2)), tmp_path / "faces")
    return tmp_path / "faces"


def test_a_clean_data_set(faces: Path, capsys: Captured):
    assert called("audit", "data=ck48", f"data.root={faces}", "folds.count=4", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["data"], told["folds"], told["people"]) == ("ck48", "subject", 24)
    assert told["people_in_several_parts"] == told["duplicates_across_parts"] == 0
    assert told["broken"] == []


def test_planted_leaks_are_named(faces: Path, capsys: Captured):
    """The same person under another name, with another label."""
    source = next(iter(sorted((faces / "happy").iterdir())))
    copy = faces / "anger" / f"S800{source.name[4:]}"
    os.link(source, copy)
    folds = ("folds.count=4", "folds.by=subject")
    assert called("audit", "data=ck48", f"data.root={faces}", *folds) == 0
    shown = capsys.readouterr().out
    assert "labels disagree    " in shown
    assert "(happy)" in shown
    assert "S800" in shown
    assert called("audit", "data=ck48", f"data.root={faces}", "folds.by=image", "--json") == 0
    assert json.loads(capsys.readouterr().out)["people_in_several_parts"] > 20


def test_broken_files_are_all_named(faces: Path, capsys: Captured):
    for name in ("anger/S801_001_00000001.png", "fear/S802_001_00000001.png"):
        (faces / name).write_bytes(b"nothing")
    assert called("audit", "data=ck48", f"data.root={faces}") == 0
    shown = capsys.readouterr().out
    assert shown.count("broken file: ") == 2
    assert "the data cannot be loaded: " in shown


def test_data_without_people_are_split_as_they_can_be(tmp_path: Path, capsys: Captured):
    from gensynth.data.synthetic.wild import write_fer2013

    faces = load(SyntheticConfig(subjects=40, neutral=True, frames=1))
    write_fer2013(faces, tmp_path / "faces")
    root = f"data.root={tmp_path / 'faces'}"
    assert called("audit", "data=fer2013", root) == 0
    shown = capsys.readouterr().out
    assert "folds by official" in shown
    assert "people             unknown" in shown
    assert called("audit", "data=fer2013", root, "--network", "micro_expnet") == 2
    assert "folds by subject cannot be laid" in capsys.readouterr().err


def test_mistakes_are_one_line(tmp_path: Path, capsys: Captured):
    assert called("audit", "data=ck48", f"data.root={tmp_path / 'none'}") == 2
    assert capsys.readouterr().err.count("\n") == 1
