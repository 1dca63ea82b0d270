import io
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from gensynth import prototype
from gensynth.genome import INPUT, Add, Concat, Conv, Genome, InputShape
from gensynth.report import Picture, draw
from gensynth.report.blocks import Block, blocks
from gensynth.report.layout import TOP, lay_out
from gensynth.report.shapes import Box, Curve, Plus, Text
from tests.strategies import genomes, random_genome

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def nano(repository: Path) -> Genome:
    return prototype.load(repository / "prototypes" / "emotionnet_nano_b.yaml")


def homes(found: tuple[Block, ...]) -> dict[str, str]:
    """Block of every node, from what the blocks say that they hold."""
    listed = [
        (INPUT if block.kind == "input" else member.partition(":")[0], block.id)
        for block in found
        for member in block.members
    ]
    assert len(dict(listed)) == len(listed), "a node is drawn twice"
    return dict(listed)


@given(genomes())
@example(random_genome(np.random.default_rng(374), nodes=5))
def test_every_node_is_in_one_block_and_every_edge_between_blocks_is_drawn(genome: Genome):
    found = blocks(genome)
    home = homes(found)
    assert home.keys() == {INPUT, *(node.id for node in genome.nodes)}
    wanted = {
        (home[source], home[node.id])
        for node in genome.nodes
        for source in node.inputs
        if home[source] != home[node.id]
    }
    assert {(source, block.id) for block in found for source, _ in block.sources} == wanted
    order = [block.id for block in found]
    assert all(order.index(source) < order.index(reader) for source, reader in wanted)


@given(genomes())
def test_only_the_end_of_a_block_is_read_from_outside(genome: Genome):
    found = blocks(genome)
    home = homes(found)
    ends = {block.id: block.members[-1].partition(":")[0] for block in found[1:]} | {INPUT: INPUT}
    for node in genome.nodes:
        for source in node.inputs:
            assert home[source] == home[node.id] or source == ends[home[source]]


@given(genomes())
@example(random_genome(np.random.default_rng(374), nodes=5))
def test_blocks_stand_apart_after_what_they_read_and_on_the_page(genome: Genome):
    picture = draw(genome)
    plan = lay_out(blocks(genome))
    by_id = {place.block.id: place for place in plan.places}
    assert len({(place.x, place.axis) for place in plan.places}) == len(plan.places)
    for place in plan.places:
        for source, _ in place.block.sources:
            earlier = by_id[source]
            if earlier.row == place.row:
                assert earlier.column < place.column
    for item in picture.items:
        if isinstance(item, Box):
            assert item.x >= 0
            assert item.y >= 0
            assert item.x + item.width <= picture.width
            assert item.y + item.height <= picture.height


@given(genomes(nodes=8))
def test_svg_is_well_formed_and_always_the_same(genome: Genome):
    text = draw(genome).svg()
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert text == draw(Genome.parse(genome.model_dump(mode="json"))).svg()
    shown = {element.text for element in root.iter(f"{SVG}text")}
    assert "input" in shown


def test_the_published_figure_shows_its_layers_and_long_range_convolutions(nano: Genome):
    found = {block.id: block for block in blocks(nano)}
    layers = [block for block in found.values() if block.kind == "conv"]
    widths = [11, 9, 11, 8, 11, 7, 11, 27, 27, 19, 27, 26, 27, 36, 64, 39, 64, 24, 64]
    assert [int(block.label) for block in layers] == widths
    long_range = [block for block in found.values() if block.kind == "pointwise"]
    assert [(block.id, block.label, block.note) for block in long_range] == [
        ("p", "27", "1×1 /2"),
        ("q", "64", "1×1 /2"),
    ]
    assert all(block.linear for block in long_range)
    assert not any(block.linear for block in layers)
    readers = [block.id for block in found.values() if "q" in dict(block.sources)]
    assert len(readers) == 3
    assert [len(row) for row in lay_out(tuple(found.values())).rows] == [9, 7, 9]


def test_residual_sums_are_marks_on_the_layer_before_them(repository: Path):
    found = blocks(prototype.load(repository / "prototypes" / "resnet20.yaml"))
    ports = [port for block in found for _, port in block.sources]
    assert ports.count("sum_after") == 9
    assert not any(block.kind == "merge" for block in found)
    marks = [item for item in _drawn(repository).items if isinstance(item, Plus)]
    in_rows = [mark for mark in marks if mark.y > TOP]
    assert (len(in_rows), len(marks)) == (9, 10), "nine sums and the legend's"


def _drawn(repository: Path) -> Picture:
    return draw(prototype.load(repository / "prototypes" / "resnet20.yaml"))


def test_png_shows_the_same_picture_quickly(nano: Genome):
    picture = draw(nano)
    started = time.perf_counter()
    content = picture.png(scale=2)
    assert time.perf_counter() - started < 2
    image = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert image.shape == (2 * round(picture.height), 2 * round(picture.width), 3)
    boxes = [item for item in picture.items if isinstance(item, Box) and item.tooltip]
    assert len(boxes) == len([b for b in blocks(nano) if b.kind != "merge"])
    for box in boxes:
        colour = image[2 * round(box.y + 5), 2 * round(box.x + 5)]
        assert "#" + bytes(colour).hex() == box.fill
    assert content == picture.png(scale=2)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
def test_words_from_a_stranger_cannot_leave_the_text(words: str):
    items = (
        Box(0, 0, 10, 10, "#ffffff", tooltip=words),
        Text(5, 5, words, 9, "#000000"),
        Curve(((0, 0), (10, 10)), "#000000"),
    )
    root = ElementTree.fromstring(Picture(10, 10, items, title=words).svg())
    assert [element.tag.removeprefix(SVG) for element in root] == [
        "title",
        "rect",
        "rect",
        "text",
        "path",
    ]
    assert (root[0].text or "") == (root[3].text or "") == words


def test_a_sum_that_a_concatenation_reads_with_others_stays_a_block_of_its_own():
    genome = Genome(
        input=InputShape(channels=1, height=8, width=8),
        nodes=(
            Conv(id="a", inputs=("input",), out_channels=2, kernel=(1, 1)),
            Conv(id="b", inputs=("input",), out_channels=2, kernel=(1, 1)),
            Conv(id="c", inputs=("input",), out_channels=2, kernel=(1, 1)),
            Add(id="sum", inputs=("a", "b")),
            Concat(id="both", inputs=("sum", "c")),
        ),
        outputs={"maps": "both"},
    )
    found = {block.id: block for block in blocks(genome)}
    assert found["both"].sources == [("sum", "in"), ("c", "in")]
    assert found["sum"].sources == [("a", "in"), ("b", "in")]


def test_the_legend_names_every_stride_and_every_number_of_branches():
    nodes: list[dict[str, Any]] = [
        {"id": "a", "op": "conv", "inputs": ["input"], "out_channels": 4, "kernel": 3, "stride": 2},
        {"id": "b", "op": "conv", "inputs": ["a"], "out_channels": 4, "kernel": 3, "stride": 3},
    ]
    for start, count, end in (("b", 2, "two"), ("two", 3, "three")):
        branches = [f"{end}{number}" for number in range(count)]
        nodes += [
            {"id": name, "op": "conv", "inputs": [start], "out_channels": 4, "kernel": 3}
            for name in branches
        ]
        nodes.append({"id": end, "op": "concat", "inputs": branches})
    nodes.append({"id": "flat", "op": "flatten", "inputs": ["three"]})
    size = {"channels": 1, "height": 48, "width": 48}
    genome = Genome.parse({"input": size, "nodes": nodes, "outputs": {"y": "flat"}})
    drawn = draw(genome).svg()
    for words in ("stride 2", "stride 3", "2 equal branches", "3 equal branches"):
        assert words in drawn
