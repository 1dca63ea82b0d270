"""The commands and programs of the guide do what the guide says."""

from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.documentation.blocks import Block, blocks, run

GUIDE = REPOSITORY / "docs" / "guide"
FIRST = GUIDE / "first-search.md"
QUICK = ("yaml", "sh", "console")
SLOW = ("bash", "py")
PAGES = sorted(GUIDE.glob("*.md"))


def having(*languages: str) -> list[Path]:
    return [page for page in PAGES if blocks(page, *languages)]


@pytest.mark.parametrize("page", having(*QUICK), ids=lambda page: page.stem)
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path):
    for block in blocks(page, *QUICK):
        run(block, tmp_path)


@pytest.mark.parametrize("page", having("python"), ids=lambda page: page.stem)
def test_the_programs_of_a_page_run(page: Path, tmp_path: Path):
    for block in blocks(page, "yaml"):
        run(block, tmp_path)
    found = blocks(page, "python")
    printed = run(Block("python", "".join(block.text for block in found)), tmp_path)
    assert printed


def test_the_guide_to_extending_shows_the_files_that_are_tested():
    shown = [block.text for block in blocks(GUIDE / "extending.md", "python3")]
    files = (REPOSITORY / "tests" / "extending").glob("[a-z]*.py")
    assert shown
    assert [file.name for file in files if file.read_text(encoding="utf-8") not in shown] == []


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after the first page: with ``runs/first`` in it."""
    folder = tmp_path_factory.mktemp("guide")
    for block in blocks(FIRST, *SLOW):
        run(block, folder)
    return folder


@pytest.mark.slow
def test_the_first_search_leaves_what_the_guide_goes_on_with(searched: Path):
    assert (searched / "runs" / "first" / "report.html").stat().st_size > 0
    assert (searched / "net.json").is_file()
    assert len(list((searched / "nets").glob("network-*.json"))) == 20


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in having(*SLOW) if page != FIRST], ids=lambda page: page.stem
)
def test_what_follows_a_search_runs(page: Path, searched: Path):
    for block in blocks(page, *QUICK, *SLOW):
        run(block, searched)
