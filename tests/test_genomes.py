"""The networks that searches have found, as they are committed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gensynth import genome as genomes
from gensynth.cost import cost

FOLDER = Path(__file__).parents[1] / "genomes"
FILES = sorted(FOLDER.glob("*.json"))


def test_the_table_lists_every_network():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`([\w.-]+\.json)`", text)) == {file.name for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_network_is_what_its_provenance_and_the_table_say(file: Path):
    genome = genomes.load(file)
    counted = cost(genome).metrics()
    told = genome.provenance["metrics"]
    assert isinstance(told, dict)
    assert {name: told[name] for name in counted} == counted
    assert genome.provenance["synthetic"] is False
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith(f"| `{file.name}`")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1] == f"{counted['params']:,.0f}".replace(",", " ")
    assert cells[2] == f"{counted['macs'] / 1e6:.2f} M"
