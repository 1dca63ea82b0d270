import io
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gensynth.errors import UserError
from gensynth.export import Run
from gensynth.report import draw_front, front_of, write_front
from gensynth.report.front import FrontFigure
from gensynth.report.interactive import interactive_front
from gensynth.search.outcome import Outcome, front, objectives_of
from gensynth.task import Classification
from tests.fake_run import INDICATOR, make_run


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(make_run(tmp_path_factory.mktemp("runs") / "drawn"))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(make_run(tmp_path_factory.mktemp("runs") / "real", synthetic=False))


def words(svg: bytes) -> str:
    root = ElementTree.fromstring(svg)
    return "\n".join(
        "".join(element.itertext()) for element in root.iter() if "text" in element.tag
    )


def test_the_figure_tells_apart_how_candidates_ended(synthetic: Run):
    shown = words(draw_front(front_of(synthetic), "svg"))
    for line in (
        "satisfied when confirmed (2)",
        "satisfied in the search only (1)",
        "violates the constraint (2)",
        "stopped early (1)",
        "refused untrained (31)",
        "confirmed, Wilson 95 %",
        "accuracy ≥ 80 %",
        "parameters ≤ 2 000",
        "1 stopped early below",
    ):
        assert line in shown


def test_published_figures_stand_beside_real_data_only(synthetic: Run, real: Run):
    drawn, measured = (words(draw_front(front_of(run), "svg")) for run in (synthetic, real))
    assert "SYNTHETIC" in drawn
    assert "SYNTHETIC" not in measured
    assert "published" not in drawn
    assert "published (Lee et al. 2021)" in measured
    assert "Nano-B" in measured
    names = [
        [trace["name"] for trace in json.loads(interactive_front(front_of(run)).to_json())["data"]]
        for run in (synthetic, real)
    ]
    assert set(names[1]) - set(names[0]) == {"published (Lee et al. 2021)"}


def test_the_figure_is_the_same_every_time(synthetic: Run):
    assert draw_front(front_of(synthetic), "svg") == draw_front(front_of(synthetic), "svg")


def test_files_by_their_ending(synthetic: Run, tmp_path: Path):
    write_front(synthetic, tmp_path / "front.png")
    assert Image.open(tmp_path / "front.png").size == (1440, 880)
    write_front(synthetic, tmp_path / "front.svg")
    assert ElementTree.parse(tmp_path / "front.svg").getroot().tag.endswith("svg")
    with pytest.raises(UserError, match=r"front\.gif: a figure is written as \.png or \.svg"):
        write_front(synthetic, tmp_path / "front.gif")
    with pytest.raises(UserError, match="cannot be written"):
        write_front(synthetic, tmp_path / "nowhere" / "front.png")


def test_a_search_that_has_only_begun_has_a_figure():
    empty = FrontFigure("begun", False, INDICATOR, (), ())
    assert Image.open(io.BytesIO(draw_front(empty, "png"))).format == "PNG"
    assert [trace["name"] for trace in interactive_front(empty).data] == [
        "published (Lee et al. 2021)"
    ]


def test_bounds_that_the_figure_has_no_axis_for_are_left_out():
    other = INDICATOR.model_validate({"name": "fast", "bounds": {"macs": {"max": 4.4e6}}})
    shown = words(draw_front(FrontFigure("fast", True, other, (), ()), "svg"))
    assert "≤" not in shown
    assert "≥" not in shown


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.5, 0.6, 0.7]),
            st.sampled_from([100, 200, 300]),
            st.sampled_from([1e6, 2e6]),
            st.sampled_from(["feasible", "infeasible", "stopped"]),
        ),
        max_size=12,
    )
)
def test_the_front_is_what_no_feasible_candidate_dominates(rows):
    found = [
        Outcome(
            trial=number,
            decisions={},
            genome=str(number),
            metrics={"accuracy": accuracy, "params": params, "macs": macs},
            violations={},
            performance=None,
            fidelity=1.0,
            feasible=ending == "feasible",
            complete=ending != "stopped",
        )
        for number, (accuracy, params, macs, ending) in enumerate(rows)
    ]
    best = {one.trial for one in front(found, objectives_of(Classification()))}
    for number, (accuracy, params, macs, ending) in enumerate(rows):
        beaten = any(
            other[0] >= accuracy
            and other[1] <= params
            and other[2] <= macs
            and other[:3] != (accuracy, params, macs)
            for other in rows
            if other[3] == "feasible"
        )
        assert (number in best) == (ending == "feasible" and not beaten)


@pytest.mark.parametrize("name", ["a$_$b", "$\\frac{$", "<b>&", "\\"])
def test_a_name_is_no_formula(tmp_path: Path, name: str):
    run = Run(make_run(tmp_path / "run"))
    figure = replace(front_of(run), name=name)
    assert name in words(draw_front(figure, "svg"))
