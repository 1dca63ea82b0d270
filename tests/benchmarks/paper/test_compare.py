"""Accuracies of two evaluations, compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.paper.compare import main, welch
from gensynth.evaluation import EvaluationDirectory


def kept(folder: Path, *accuracies: float, **changes: Any) -> str:
    figures = {
        "name": folder.name,
        "data": "ck48",
        "epochs": 40,
        "protocol": {"training": {"flip_test": False}},
        "accuracy": sum(accuracies) / len(accuracies),
        "per_seed": list(accuracies),
        **changes,
    }
    folder.mkdir()
    EvaluationDirectory(folder).figures.write_text(json.dumps(figures), encoding="utf-8")
    return str(folder)


def test_welch_by_hand():
    """Means 3 and 6, variances of the means 1/3 and 4/3: t = -3 / sqrt(5/3), df = 50 / 17."""
    found = welch([2, 3, 4], [4, 6, 8])
    assert found.difference == -3
    assert found.t == pytest.approx(-3 / (5 / 3) ** 0.5)
    assert found.freedom == pytest.approx((5 / 3) ** 2 / ((1 / 3) ** 2 / 2 + (4 / 3) ** 2 / 2))
    assert found.interval[0] < -3 < found.interval[1]
    assert 0.05 < found.p < 0.15


def test_the_withdrawn_comparisons_are_within_the_noise():
    found = {
        "ck48-33k": welch([96.9, 96.8, 95.4], [95.5, 95.0, 94.3]),
        "ck48-7k": welch([95.5, 94.5, 94.6], [95.2, 91.9, 93.0]),
        "ck48-17k": welch([94.0, 91.3, 93.0], [95.7, 93.7, 92.3]),
    }
    assert {name: round(one.p, 2) for name, one in found.items()} == {
        "ck48-33k": 0.08,
        "ck48-7k": 0.26,
        "ck48-17k": 0.42,
    }
    assert all(one.interval[0] < 0 < one.interval[1] for one in found.values())


def test_one_seed_is_no_sample():
    with pytest.raises(ValueError, match="one training seed"):
        welch([0.9], [0.8, 0.9])


def test_a_line_for_each_other(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    first = kept(tmp_path / "a", 0.95, 0.94)
    others = [kept(tmp_path / "b", 0.90, 0.91, 0.92), kept(tmp_path / "c", 0.96)]
    assert main([first, *others]) == 0
    _, _, several, single = capsys.readouterr().out.splitlines()
    assert several.startswith("| a: 94.5 % (95.0, 94.0) | b: 91.0 % (90.0, 91.0, 92.0) | +3.5 |")
    assert "| -1.5 |" in single
    assert "one training seed does not tell its spread" in single


def test_different_protocols_are_not_compared(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    first = kept(tmp_path / "a", 0.95, 0.94)
    flipped = kept(tmp_path / "b", 0.9, 0.9, protocol={"training": {"flip_test": True}})
    assert main([first, flipped]) == 2
    assert "a and b differ in protocol" in capsys.readouterr().err
    assert main([first, str(tmp_path / "nowhere")]) == 2
    assert "no figures" in capsys.readouterr().err
