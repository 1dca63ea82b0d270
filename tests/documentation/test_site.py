"""The documentation as a site."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.site.mathematics import on_page_content
from docs.site.roles import markdown
from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))
TABLES = "results/"
"""Pages of tables may be long."""
MOST_WORDS = 2000


@pytest.mark.parametrize("page", [page for page in PAGES if not page.startswith(TABLES)])
def test_a_page_can_be_read_at_one_go(page: str):
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    words = [word for line in lines if not line.startswith("|") for word in line.split()]
    assert len(words) <= MOST_WORDS


@pytest.mark.parametrize("folder", ["decisions", "results"])
def test_an_index_links_every_page_of_its_folder(folder: str):
    index = (DOCS / folder / "index.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\((\w[\w-]*\.md)\)", index))
    there = {page.name for page in (DOCS / folder).glob("*.md")} - {"index.md"}
    assert linked == there


def test_formulas_become_mathml():
    shown = on_page_content(r'<p><span class="arithmatex">\(a &lt; \frac{1}{b}\)</span></p>')
    assert shown.startswith("<p><math")
    assert "<mfrac>" in shown
    assert "arithmatex" not in shown


def test_roles_and_literal_blocks_become_markdown():
    said = "See :class:`~optuna.Trial` and :func:`gensynth.cost.cost`::\n\n    code\n"
    assert markdown(said) == "See `Trial` and `gensynth.cost.cost`:\n\n    code\n"


def test_a_table_of_a_docstring_keeps_its_lines():
    said = "Symbols:\n\n== ====\nx  size\n== ====\n\nMore."
    assert markdown(said) == "Symbols:\n\n    == ====\n    x  size\n    == ====\n\nMore."


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)],
        cwd=REPOSITORY,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return folder


@pytest.mark.slow
def test_the_site_loads_nothing_from_elsewhere(site: Path):
    loading = re.compile(r'<(?:script|img|iframe|source)[^>]*\ssrc="(?:https?:)?//|<link[^>]*//')
    pages = list(site.rglob("*.html"))
    assert len(pages) >= 30
    found = [page.name for page in pages if loading.search(page.read_text(encoding="utf-8"))]
    assert found == []
    styles = "".join(file.read_text(encoding="utf-8") for file in site.rglob("*.css"))
    assert re.search(r"url\([\"']?(?:https?:)?//|@import", styles) is None


@pytest.mark.slow
def test_the_api_is_made_from_docstrings(site: Path):
    shown = (site / "reference" / "api" / "generator" / "index.html").read_text(encoding="utf-8")
    assert "Proposes networks, or any parameters, that a learned generator makes" in shown
    assert ":class:" not in shown
