"""The documents that people read first."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

from tests.small_search import SMALL

FOLDERS = ("prototypes", "search_spaces", "constraints", "experiments")
DOCUMENTS = ("README.md", "docs/**/*.md", "genomes/*.md")
PLACEHOLDER = re.compile(r"<!--|@\w+@")


@pytest.mark.parametrize("pattern", DOCUMENTS)
def test_no_document_has_a_placeholder_left(repository: Path, pattern: str):
    found = sorted(repository.glob(pattern))
    assert found
    left = [file.name for file in found if PLACEHOLDER.search(file.read_text(encoding="utf-8"))]
    assert left == []


def test_the_readme_is_short(repository: Path):
    assert len((repository / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_readme_names_what_ships(repository: Path, folder: str):
    text = (repository / "README.md").read_text(encoding="utf-8")
    names = [file.stem for file in (repository / folder).glob("*.yaml")]
    assert names
    assert [name for name in names if f"`{name}`" not in text] == []


def test_the_readme_names_every_command(repository: Path):
    from gensynth.cli import app

    text = (repository / "README.md").read_text(encoding="utf-8")
    group = typer.main.get_group(app)
    commands = group.list_commands(typer.Context(group))
    assert [name for name in commands if not re.search(rf"`(gensynth )?{name} ", text)] == []


@pytest.mark.slow
def test_the_readme_leads_from_a_search_to_a_labelled_picture(repository: Path, tmp_path: Path):
    """Its three commands, the search and the training cut short."""
    text = (repository / "README.md").read_text(encoding="utf-8")
    section = text.partition("## From a search to a labelled picture")[2]
    search, train, predict = section.split("```")[1].removeprefix("bash\n").splitlines()
    assert search == "make search CONSTRAINT=nano_b NAME=mine"
    small = [word for word in SMALL if not word.startswith("name")]
    take_picture(tmp_path / "face.png")
    said = ""
    for words in (
        ["gensynth", "search", *small, "name=mine"],
        [*train.split(), "--epochs", "1"],
        predict.split(),
    ):
        program = Path(sys.executable).parent / Path(words[0]).name
        done = subprocess.run(
            [program, *words[1:]], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        said = done.stdout
    assert re.fullmatch(r"face\.png: [a-z]+ \d+\.\d %, [a-z]+ \d+\.\d %, .*\n", said)


def take_picture(path: Path) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (200, 150, 3), dtype=np.uint8)).save(path)
