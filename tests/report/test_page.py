import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gensynth.errors import UserError
from gensynth.export import Run
from gensynth.report import write_report
from tests.fake_run import make_run


class Reader(HTMLParser):
    """Collects words and checks that every element is closed."""

    VOID = frozenset({"meta", "br", "img", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "data") and value:
                self.references.append(value)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data.replace("\N{NARROW NO-BREAK SPACE}", " "))

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read(run: Run) -> Reader:
    reader = Reader()
    reader.feed(write_report(run).read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return read(Run(make_run(tmp_path_factory.mktemp("runs") / "drawn")))


def test_the_page_needs_nothing_from_elsewhere(page: Reader):
    assert all(reference.startswith("#") for reference in page.references)
    assert "script" not in page.open


def test_synthetic_data_is_announced_and_nothing_published_is_shown(page: Reader, tmp_path: Path):
    assert "SYNTHETIC DATA." in page.text
    assert "Nano-A" not in page.text
    real = read(Run(make_run(tmp_path / "real", synthetic=False)))
    assert "SYNTHETIC" not in real.text
    assert "published figures, not measured here" in real.text
    assert "Front. Artif. Intell. 3:609673" in real.text


def test_search_and_confirmed_figures_stand_side_by_side(page: Reader):
    assert "Best confirmed network: trial 1, 279 parameters" in page.text
    assert re.search(
        r"1 279 0\.3 M .* 81\.0 % 10 folds "
        r"80\.5 % \[76\.5, 83\.5\] 79\.5 % \[74\.5, 83\.5\] ",
        page.text,
    )
    assert "violates params.max" in page.text
    assert "violates accuracy.min" in page.text
    assert "with training seeds that follow from run seed 0" in page.text
    assert "with seeds 7, 8, which no search training used" in page.text


def test_counts_times_and_constraint_are_there(page: Reader):
    for line in (
        "accuracy ≥ 80.0 %",
        "params ≤ 2 000",
        "refused untrained by params.max 31",
        "duplicates, not trained again 3",
        "stopped early 1",
        "training in the search, over all workers 300.0",
        "gensynth search constraint=tiny",
    ):
        assert line in page.text
    assert "The recipe was chosen by folds 1 to 9." in page.text


def test_every_network_is_drawn(page: Reader):
    for width in (8, 16, 48, 96, 160):
        assert f"{width} 3×3" in page.text


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path):
    run = Run(make_run(tmp_path / "run"))
    with pytest.raises(UserError, match="cannot be written"):
        write_report(run, tmp_path / "no" / "report.html")


def test_a_link_in_a_strangers_run_is_not_written_through(tmp_path: Path):
    run = Run(make_run(tmp_path / "run"))
    (tmp_path / "elsewhere").write_text("mine")
    (run.path / "report.html").symlink_to(tmp_path / "elsewhere")
    write_report(run)
    assert (tmp_path / "elsewhere").read_text() == "mine"
    assert not (run.path / "report.html").is_symlink()
