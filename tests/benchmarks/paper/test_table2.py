from __future__ import annotations

import numpy as np
import pytest

from benchmarks.paper import table2
from benchmarks.paper.table2 import HEADS, REFERENCE, Speed, main, networks, ratio
from tests.fake_run import tiny


def speed(turns: list[float]) -> Speed:
    return Speed(np.array(turns), np.array(turns))


def test_rows_are_what_was_found_the_published_network_and_its_peers(repository):
    rows = networks()
    found = [file.stem for file in sorted((repository / "genomes").glob("*.json"))]
    assert list(rows)[: len(found)] == found
    assert rows[REFERENCE].input.shape == (1, 48, 48)
    assert rows["mobilenet_v1-224"].input.shape == (3, 224, 224)


def test_a_ratio_is_taken_turn_by_turn_so_that_a_busy_machine_cancels_out():
    busy = np.repeat([1.0, 9.0, 1.0, 5.0], 5)
    times, low, high = ratio(speed(list(busy)), speed(list(3 * busy)))
    assert (times, low, high) == pytest.approx((3, 3, 3))


def test_the_interval_holds_the_median():
    turns = list(np.random.default_rng(0).lognormal(size=40))
    times, low, high = ratio(speed(turns), speed([2.0] * 40))
    assert low < times < high


def test_it_prints_what_it_measures_beside_what_is_published(capsys, monkeypatch):
    rows = {"net": tiny(6), REFERENCE: networks()[REFERENCE]}
    monkeypatch.setattr(table2, "networks", lambda: rows)
    assert main(["--turns", "2"]) == 0
    head, _, *lines = capsys.readouterr().out.splitlines()[:5]
    assert [cell.strip() for cell in head.strip("|").split("|")] == list(HEADS)
    found, nano_b, nano_a = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines
    )
    fps = HEADS.index("FPS")
    assert float(found[fps].replace(" ", "")) > float(nano_b[fps].replace(" ", ""))
    assert nano_b[-2:] == ["32.8 / 72.9", "2.19 / 2.43"]
    assert nano_a[fps] == "–"


def test_a_row_that_there_is_not_is_a_mistake(capsys):
    assert main(["--rows", "nano_c"]) == 2
    assert "no row 'nano_c'" in capsys.readouterr().err
