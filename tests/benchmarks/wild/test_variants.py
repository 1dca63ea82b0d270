"""The table of the variants of 2018, from the layout of AffectNet to its lines."""

from pathlib import Path

import pytest

from benchmarks.wild.variants import PUBLISHED, SHOWN, rows
from gensynth.data import SyntheticConfig, load
from gensynth.data.synthetic.wild import write_affectnet


@pytest.mark.slow
def test_published_and_measured_figures_stand_in_lines_of_their_own(tmp_path: Path):
    drawn = SyntheticConfig(size=32, channels=3, neutral=True, frames=1, subjects=20)
    write_affectnet(load(drawn), tmp_path / "faces")
    lines = list(rows(tmp_path / "faces", 1, ["data.size=32", "workers=1"], faces="drawn faces"))
    assert [line[0].partition(", ")[::2] for line in lines] == [
        (name, kind) for name in PUBLISHED for kind in ("published", "drawn faces")
    ]
    for line in lines[1::2]:
        figures = dict(zip(SHOWN, map(float, line[2:]), strict=True))
        assert 0 <= figures["accuracy"] <= 1
        assert -1 <= figures["ccc_valence"] <= 1
    assert [line[1] for line in lines[::2]] == ["3 464 952", "3 753 016", "3 237 064"]
