"""What a search drew before it had learned anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.paper.replay import ASKS, FOUND, Draw, draws, printed, replayed
from gensynth import genome as genomes
from tests.fake_run import tiny

UNTRAINED = "untrained generator (trial {})"


def test_a_draw_is_named_and_what_is_no_draw_is_said_to_be_none(tmp_path: Path):
    for width in (2, 3):
        told = tiny(width).model_copy(update={"provenance": {"study": "s", "trial": width}})
        genomes.save(told, tmp_path / f"{width}.json")
    text = printed({tiny(2).hash: Draw("nano", 2, tiny(2))}, tmp_path)
    assert "| 2.json | s, trial 2 | untrained generator, trial 2 of `nano` |" in text
    assert f"| 3.json | s, trial 3 | none of the first {ASKS} draws |" in text


@pytest.fixture(scope="module")
def drawn() -> Mapping[str, Draw]:
    """The first draws of all searches."""
    return replayed(9)


@pytest.mark.slow
def test_draws_repeat_and_the_prototype_is_none_of_them(drawn: Mapping[str, Draw]):
    first = list(draws("ck48_accurate", 3))
    assert [draw.trial for draw in first] == [1, 2]
    for draw in first:
        assert drawn[draw.genome.hash].trial == draw.trial


@pytest.mark.slow
def test_the_table_of_found_networks_credits_no_learning_that_did_not_happen(
    drawn: Mapping[str, Draw],
):
    text = (FOUND / "README.md").read_text(encoding="utf-8")
    heads = next(line for line in text.splitlines() if line.startswith("| file |"))
    column = [cell.strip() for cell in heads.split("|")].index("drawn by")
    credited = {}
    for file in sorted(FOUND.glob("*.json")):
        genome = genomes.load(file)
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{file.name}`")]
        cell = row.split("|")[column].strip()
        draw = drawn.get(genome.hash)
        assert (draw is not None) == cell.startswith("untrained"), file.name
        if draw is not None:
            assert draw.trial == genome.provenance["trial"]
            assert cell == UNTRAINED.format(draw.trial)
            credited[file.stem] = draw.trial
    assert credited == {"ck48-10k": 0, "ck48-33k": 8}
