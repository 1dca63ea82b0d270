from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given

from gensynth import genome as genomes
from gensynth.genome import Add, Conv, Genome, InputShape, Operation
from gensynth.report import draw
from gensynth.report.blocks import blocks
from gensynth.report.folding import fold
from gensynth.report.shapes import Curve
from tests import strategies

SVG = "{http://www.w3.org/2000/svg}"


def conv(name: str, source: str, width: int = 2) -> Conv:
    return Conv(id=name, inputs=(source,), out_channels=width, kernel=(1, 1))


def network(*nodes: Operation, end: str) -> Genome:
    image = InputShape(channels=1, height=8, width=8)
    return Genome(input=image, nodes=nodes, outputs={"maps": end})


def test_three_equal_columns_are_drawn_once(repository: Path):
    found = blocks(genomes.load(repository / "genomes" / "ck48-33k.json"))
    kept, (repeat,) = fold(found)
    assert repeat.copies == 3
    assert len(found) - len(kept) == 2 * len(repeat.members)
    assert not any(block.id.startswith(("column2.", "column3.")) for block in kept)
    root = ElementTree.fromstring(draw(genomes.load(repository / "genomes/ck48-33k.json")).svg())
    assert "×3" in {element.text for element in root.iter(f"{SVG}text")}
    assert "3 times in parallel" in (root.findtext(f"{SVG}desc") or "")


def test_branches_that_differ_are_both_drawn():
    for other in (conv("b", "input", width=3), conv("b", "a")):
        ends = (other, conv("c", "a"), conv("d", "b"), Add(id="sum", inputs=("c", "d")))
        kept, repeats = fold(blocks(network(conv("a", "input"), *ends, end="sum")))
        assert len(kept) == 6
        assert not repeats


def test_a_branch_that_somebody_else_reads_is_drawn():
    genome = network(
        conv("a", "input"),
        conv("b", "input"),
        Add(id="sum", inputs=("a", "b")),
        conv("c", "b"),
        Add(id="end", inputs=("sum", "c")),
        end="end",
    )
    kept, repeats = fold(blocks(genome))
    assert {"a", "b"} <= {block.id for block in kept}
    assert not repeats


@given(strategies.genomes())
def test_what_is_left_reads_only_what_is_left_and_before_it(genome: Genome):
    found = blocks(genome)
    kept, repeats = fold(found)
    seen: set[str] = set()
    for block in kept:
        assert {source for source, _ in block.sources} <= seen
        seen.add(block.id)
    assert all(repeat.members <= seen and repeat.copies > 1 for repeat in repeats)
    assert len(kept) + sum(len(one.members) * (one.copies - 1) for one in repeats) <= len(found)


def test_every_connection_ends_in_an_arrowhead(repository: Path):
    picture = draw(genomes.load(repository / "genomes" / "ck48-33k.json"))
    curves = [item for item in picture.items if isinstance(item, Curve)]
    assert curves
    for curve in curves:
        assert curve.arrow
        assert curve.head[0] == curve.points[-1]
