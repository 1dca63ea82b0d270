import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

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
    assert "Best network: trial 1 (satisfied when confirmed): 279 parameters" in page.text
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


def test_the_first_screen_says_how_sure_it_is_and_what_to_type_next(page: Reader, tmp_path: Path):
    text = page.text
    assert "against a bound of 80.0%: met by the estimate, not by the whole interval" in text
    assert "It was trained again with 2 training seeds that the search never used" in text
    for command in ("evaluate", "train", "export", "dashboard", "search constraint=tiny"):
        assert f"gensynth {command}" in text
    assert text.index("What to do next") < text.index("Constraint")


def test_where_nothing_was_found_the_nearest_and_its_bound_are_named(tmp_path: Path):
    folder = make_run(tmp_path / "run")
    results = json.loads((folder / "results.json").read_text())
    for network in results["networks"]:
        network |= {"feasible": False, "confirmed": None}
        network["violations"] = {"accuracy.min": 0.5 - network["trial"] / 100}
    (folder / "results.json").write_text(json.dumps(results))
    text = read(Run(folder)).text
    assert "No network satisfies tiny. Nearest: trial 4 , which breaks accuracy.min by 46" in text
    assert "Why believe it" not in text
    assert "go on searching" in text


def test_the_prototype_is_what_the_best_network_is_compared_with(tmp_path: Path):
    width = {"start": 20, "choices": [10, 20]}
    prototype: dict[str, Any] = {"name": "one", "input": [1, 48, 48], "classes": 7}
    prototype["network"] = [
        {"op": "conv", "out_channels": width, "kernel": 3, "padding": "same"},
        {"op": "relu"},
        {"op": "global_avg_pool"},
        {"op": "flatten"},
        {"op": "linear", "out_features": 7},
    ]
    config = {"prototype": prototype, "search_space": {"kind": "open"}}
    run = Run(make_run(tmp_path / "run", config=config))
    assert run.prototype().shapes
    assert "347 → 279 parameters (−20 %)" in read(run).text


def test_tables_scroll_by_themselves_and_figures_have_words(page: Reader, tmp_path: Path):
    html = write_report(Run(make_run(tmp_path / "run"))).read_text(encoding="utf-8")
    assert html.count("<table") == html.count('<div class="scroll" tabindex="0"><table')
    assert html.count("<th ") == html.count('<th scope="col">')
    assert 'role="img" aria-label="accuracy against parameters' in html
    assert "prefers-color-scheme: dark" in html
