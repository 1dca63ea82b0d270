from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.reading.fuzz import Reader, damaged, fuzz, readers

READERS = readers()


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path: Path, name: str):
    found = fuzz(READERS[name], tmp_path, inputs=150, seconds=3)
    assert found.crashes == ()
    assert found.inputs > 5
    assert found.slowest < 5


@pytest.mark.parametrize("name", READERS)
def test_a_good_file_is_read(tmp_path: Path, name: str):
    reader = READERS[name]
    path = tmp_path / f"good{reader.suffix}"
    path.write_bytes(reader.good[-1])
    reader.read(path)


def test_a_crash_is_seen(tmp_path: Path):
    def broken(path: Path) -> None:
        raise KeyError(path.name)

    found = fuzz(Reader(".x", broken, (b"good",)), tmp_path, inputs=3, seconds=9)
    assert len(found.crashes) == found.inputs == 3


def test_damage_is_the_same_for_the_same_seed():
    assert damaged(b"abcdef", random.Random(3)) == damaged(b"abcdef", random.Random(3))
