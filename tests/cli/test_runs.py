from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_networks import called, mistake
from tests.fake_run import make_run

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished run, one that is not, and one whose results are damaged."""
    runs = tmp_path / "runs"
    make_run(runs / "done", judged=True)
    (make_run(runs / "begun") / "results.json").unlink()
    (make_run(runs / "torn") / "results.json").write_text('{"format": "gensy')
    return runs


def test_runs_are_listed_with_their_verdicts(folder: Path, capsys: Captured):
    assert called("runs", folder, "--json") == 0
    facts = {one["run"]: one for one in json.loads(capsys.readouterr().out)}
    assert facts["done"]["satisfied"] == "no"
    assert facts["done"]["constraint"] == "tiny"
    assert facts["begun"]["satisfied"] == "not finished"
    assert facts["torn"]["satisfied"].startswith("cannot be read: ")


def test_the_table_of_runs_has_a_line_for_each(folder: Path, capsys: Captured):
    assert called("runs", folder) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {"done", "begun", "torn"} <= {line.split()[0] for line in lines[1:]}


def test_a_folder_without_runs_is_a_mistake(tmp_path: Path, capsys: Captured):
    assert "holds no run" in mistake(capsys, "runs", tmp_path)


def test_showing_a_run_changes_nothing(folder: Path, capsys: Captured):
    before = {path: path.read_bytes() for path in (folder / "done").rglob("*") if path.is_file()}
    assert called("show", folder / "done") == 0
    assert "refuted after 4 folds" in capsys.readouterr().out
    assert called("show", folder / "done", "--json") == 0
    assert json.loads(capsys.readouterr().out)["format"] == "gensynth.results"
    after = {path: path.read_bytes() for path in (folder / "done").rglob("*") if path.is_file()}
    assert after == before
    assert "no results.json yet" in mistake(capsys, "show", folder / "begun")
