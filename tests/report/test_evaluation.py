import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from gensynth.errors import UserError
from gensynth.report import draw_evaluation, write_evaluation


def figures(**changes: Any) -> dict[str, Any]:
    return {
        "name": "net",
        "data": "ck48",
        "synthetic": False,
        "accuracy": 0.75,
        "interval": [0.7, 0.8],
        "images": 8,
        "sequences": 4,
        "classes": ["fear", "happy", "sadness"],
        "confusion": [[2, 6, 0], [0, 8, 0], [0, 0, 0]],
        "recall": {"fear": 0.25, "happy": 1.0},
        "seeds": [1, 2],
        "epochs": 1,
        "protocol": {"folds": {"count": 10, "by": "subject", "tested": [0, 1, 2]}},
        "chosen": [
            {
                "what": "network",
                "words": "chosen",
                "seen": [0],
                "unseen": {"folds": [1, 2], "accuracy": 0.5, "interval": [0.3, 0.7]},
            },
            {"what": "recipe", "words": "chosen", "seen": [0, 1, 2], "unseen": None},
        ],
        **changes,
    }


def words(svg: bytes) -> list[str]:
    root = ElementTree.fromstring(svg)
    return ["".join(one.itertext()).strip() for one in root.iter() if one.tag.endswith("text")]


def test_the_figure_states_what_it_is_of():
    shown = words(draw_evaluation(figures(), "svg"))
    for line in (
        "net on ck48: 75.0% (95 % interval 70.0% to 80.0%)",
        "8 images of 4 sequences, 3 folds by subject, 2 training seeds, 1 epoch",
        "on 2 folds that did not choose the network: 50.0% (95 % interval 30.0% to 70.0%)",
    ):
        assert line in shown
    assert not any("choose the recipe" in line for line in shown)


def test_shares_are_of_the_class_and_recalls_of_its_images():
    shown = words(draw_evaluation(figures(), "svg"))
    assert {"25.0% of 4", "100.0% of 4", "75"} <= set(shown)
    assert not any(line.endswith("of 0") for line in shown)


@pytest.mark.parametrize("synthetic", [True, False])
def test_synthetic_faces_are_marked(synthetic: bool):
    shown = words(draw_evaluation(figures(synthetic=synthetic), "svg"))
    assert any("SYNTHETIC faces" in line for line in shown) == synthetic


def test_the_figure_is_the_same_every_time():
    assert draw_evaluation(figures(), "svg") == draw_evaluation(figures(), "svg")
    assert Image.open(io.BytesIO(draw_evaluation(figures(), "png"))).format == "PNG"


def test_a_file_that_cannot_be_written_is_a_mistake(tmp_path: Path):
    write_evaluation(figures(), tmp_path / "drawn.svg")
    assert ElementTree.parse(tmp_path / "drawn.svg").getroot().tag.endswith("svg")
    with pytest.raises(UserError, match="cannot be written"):
        write_evaluation(figures(), tmp_path / "nowhere" / "drawn.svg")
