from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.sampler.problem import Evaluation
from benchmarks.sampler.runs import Results, Run
from benchmarks.sampler.versions import HEADS, table

ACCURACY = HEADS.index("difference [95 %]")


def kept(folder: Path, better: float) -> Results:
    results = Results(folder)
    for seed in range(6):
        found = [Evaluation((80 + better + seed % 3, 0.3), 0.0)] * 50
        run = Run(seed=seed, made="x", evaluations=found, refused={}, seconds=1.0)
        results.add("cifar10", "gensynth", run)
    return results


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]


def test_versions_are_compared_seed_by_seed(tmp_path: Path):
    before, now = kept(tmp_path / "a", 0.0), kept(tmp_path / "b", 2.0)
    rows = cells(table(before, now, "gensynth"))
    assert [row[HEADS.index("after")] for row in rows] == ["20", "50"]  # nobody reached 100
    assert {row[ACCURACY] for row in rows} == {"-2.000 [-2.000, -2.000]"}
    assert {row[HEADS.index("seeds")] for row in rows} == {"6"}
    assert all(float(row[HEADS.index("p")]) < 0.05 for row in rows)


def test_a_version_does_not_differ_from_itself(tmp_path: Path):
    same = kept(tmp_path / "a", 0.0)
    rows = cells(table(same, same, "gensynth"))
    assert {row[ACCURACY] for row in rows} == {"+0.000 [+0.000, +0.000]"}
    assert {float(row[HEADS.index("p")]) for row in rows} == {1.0}


@pytest.mark.parametrize("seed", [0, 5])
def test_a_seed_that_was_run_again_counts_once(tmp_path: Path, seed: int):
    results = kept(tmp_path / "a", 0.0)
    again = replace(results.latest("cifar10", "gensynth")[seed], seconds=9.0)
    results.add("cifar10", "gensynth", again)
    latest = results.latest("cifar10", "gensynth")
    assert (len(latest), latest[seed].seconds) == (6, 9.0)
