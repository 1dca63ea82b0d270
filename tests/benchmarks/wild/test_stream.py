"""A long table is read as it was written."""

import sys
from pathlib import Path

import pytest

from benchmarks.wild.stream import REPORTED, read, write

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for its memory")


def test_every_row_is_an_image(tmp_path: Path):
    found = read(tmp_path, write(tmp_path, 1000))
    assert found.images == 1000 + REPORTED
    assert found.pixels == found.images * 3 * 48 * 48
    assert not found.mapped
    assert found.held > 0
