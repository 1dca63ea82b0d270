"""A genome as a picture: one row a resolution, one block a layer, an arc for every skip.

The height of a block is its width in channels, its colour what it computes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from gensynth.genome import Genome
from gensynth.report.blocks import Block, Kind, Port, blocks
from gensynth.report.folding import Repeat, fold
from gensynth.report.layout import (
    COLUMNS,
    LEFT,
    PITCH,
    SUM,
    WIDE,
    Band,
    Layout,
    Place,
    lay_out,
    rise,
)
from gensynth.report.shapes import Box, Curve, Item, Picture, Plus, Text

STYLES: Mapping[Kind, tuple[str, str]] = {
    "input": ("#f1f3f5", "#868e96"),
    "conv": ("#d0e3f7", "#2f6fb2"),
    "pointwise": ("#fbdcc4", "#c8601a"),
    "depthwise": ("#d3efd9", "#2f8a4c"),
    "pool": ("#e9e3f5", "#7454b3"),
    "dense": ("#f7d6e0", "#b03060"),
    "merge": ("#ffffff", "#495057"),
    "other": ("#e9ecef", "#5c636a"),
}
"""Fill and outline of every kind of block."""

NAMES: Mapping[Kind, str] = {
    "conv": "convolution",
    "pointwise": "1×1 convolution",
    "depthwise": "depthwise convolution",
    "pool": "pooling",
    "dense": "fully connected",
}

_INK, _FAINT, _FLOW = "#212529", "#5c636a", "#495057"
_REPEAT = "#7454b3"
_RIGHT, _SIGN = 18.0, 34.0


def draw(genome: Genome) -> Picture:
    """Draws a network; milliseconds, and the same picture every time.

    Args:
        genome: Any genome.

    Returns:
        A picture about as wide as its longest row: ``.svg()`` or ``.png()`` of it.
    """
    found, repeats = fold(blocks(genome))
    plan = lay_out(found)
    places = plan.places
    by_id = {place.block.id: place for place in places}
    edges = [
        _edge(by_id[source], place, port, plan)
        for place in places
        for source, port in place.block.sources
    ]
    legend = _legend(found)
    columns_used = 1 + max(place.column % COLUMNS for place in places)
    width = LEFT + columns_used * PITCH + _RIGHT
    width = max(width, _RIGHT + sum(_legend_width(words) for words, _, _ in legend))
    reading = _reading(found, edges, repeats)
    width = max(width, _RIGHT + _SIGN * len(reading) + sum(5.2 * len(one) for one, _ in reading))
    items: list[Item] = [*_backgrounds(plan.rows, plan.bands, width)]
    items += [item for repeat in repeats for item in _frames(repeat, places)]
    items += edges
    for place in places:
        items += _drawn(place)
    items += _legend_items(legend)
    items += _reading_items(reading)
    return Picture(
        width, plan.height, tuple(items), title=genome.name, description=_described(found, repeats)
    )


def _described(found: Sequence[Block], repeats: Sequence[Repeat]) -> str:
    """The drawing in words, for who cannot see it."""
    count = Counter(block.kind for block in found)
    layers = ", ".join(f"{count[kind]} × {name}" for kind, name in NAMES.items() if count[kind])
    words = f"A network drawn from its input to its output: {layers}."
    for repeat in repeats:
        words += f" {len(repeat.members)} of these blocks stand {repeat.copies} times in parallel."
    return words


def _edge(source: Place, target: Place, port: Port, plan: Layout) -> Curve:
    """A straight line to the next block, a sweep to other rows and lanes, an arc over others."""
    end = target.enters(port)
    mark = SUM if port != "in" else 0.0
    if source.row != target.row or source.line != target.line:
        start = source.leaves(1)
        if port == "in":
            end = target.middle, target.axis - target.reach
        else:
            end = end[0], end[1] - mark
        bend = max(26.0, (end[1] - start[1]) * 0.5)
        below = max(start[1] + bend, source.axis + source.height / 2 + 22)
        points = (start, (start[0], below), (end[0], end[1] - bend), end)
        return Curve(points, _tint(target), 1.4, arrow=True)
    columns = target.column - source.column
    if source.lane == target.lane and columns == 1 and port != "sum_after":
        return Curve((source.leaves(0), (end[0] - mark, end[1])), _FLOW, 1.4, arrow=True)
    if source.lane != target.lane and _clear(source, target, port, plan):
        start = source.leaves(0)
        bend = max(16.0, (end[0] - start[0]) * 0.45)
        end = end[0], end[1] - mark
        points = (start, (start[0] + bend, start[1]), (end[0] - 2, start[1]), end)
        return Curve(points, _tint(source), 1.4, arrow=True)
    start = source.leaves(-1)
    crests = plan.bands[source.row].crests
    top = min(crests[source.line, place.lane] for place in (source, target)) - rise(columns)
    end = end[0], end[1] - mark
    return Curve((start, (start[0], top), (end[0], top), end), _FLOW, 1.2, arrow=True)


def _clear(source: Place, target: Place, port: Port, plan: Layout) -> bool:
    """Whether no block stands in the source's lane up to where an edge turns to the target."""
    last = target.column + (port == "sum_after")
    return not any(
        place.row == source.row
        and place.lane == source.lane
        and source.column < place.column < last
        for place in plan.places
    )


def _tint(place: Place) -> str:
    return STYLES[place.block.kind][1] if place.block.kind == "pointwise" else _FLOW


def _drawn(place: Place) -> list[Item]:
    block = place.block
    if block.kind == "merge" and block.label == "+":
        return [Plus(place.middle, place.axis, SUM, _FLOW, block.tooltip)]
    fill, stroke = STYLES[block.kind]
    top = place.axis - place.height / 2
    size = 11.5 if len(block.label) < 4 else 9.5
    raised = 5.5 if block.note else 0.0
    items: list[Item] = [
        Box(
            place.x,
            top,
            WIDE,
            place.height,
            fill,
            stroke,
            dashed=block.linear,
            tooltip=block.tooltip,
        ),
        Text(place.middle, place.axis - raised, block.label, size, _INK, bold=True),
    ]
    if block.note:
        items.append(Text(place.middle, place.axis + 8, block.note, 9, _FLOW))
    if _long_range(place):
        name = block.id.removesuffix(".conv").rpartition(".")[2]
        below = top + place.height + 6
        items.append(Text(place.middle + 6, below, name, 9, _tint(place), "start", bold=True))
    ports = {port for _, port in block.sources} - {"in"}
    items += [Plus(*place.enters(port), SUM, _FLOW) for port in sorted(ports)]
    return items


def _long_range(place: Place) -> bool:
    """Whether this is a convolution beside the chain, which carries maps to a later stage."""
    return place.block.kind == "pointwise" and place.lane > 0


def _frames(repeat: Repeat, places: Sequence[Place]) -> list[Item]:
    """A frame around what stands for several, one in every line that it takes part in."""
    lines: dict[tuple[int, int], list[Place]] = {}
    for place in places:
        if place.block.id in repeat.members:
            lines.setdefault((place.row, place.line), []).append(place)
    items: list[Item] = []
    for inside in lines.values():
        left = min(place.x for place in inside) - 14
        right = max(place.x for place in inside) + WIDE + 14
        top = min(place.axis - place.height / 2 for place in inside) - 11
        bottom = max(place.axis + place.height / 2 for place in inside) + 11
        items.append(
            Box(left, top, right - left, bottom - top, "#eef1f4", _REPEAT, radius=8, dashed=True)
        )
        words = f"×{repeat.copies}"
        items.append(Text(left - 4, top + 4, words, 11, _REPEAT, anchor="end", bold=True))
    return items


def _backgrounds(
    rows: Sequence[Sequence[Block]], bands: Sequence[Band], width: float
) -> list[Item]:
    items: list[Item] = []
    for row, band in zip(rows, bands, strict=True):
        size = next((block.shape[1:] for block in row if len(block.shape) == 3), ())
        words = "×".join(str(value) for value in size) or "flat"
        items.append(Box(6, band.top, width - 12, band.bottom - band.top, "#f6f7f9", radius=6))
        items.append(Text(13, band.axis, words, 10, _FAINT, anchor="start"))
    return items


def _legend(found: Sequence[Block]) -> list[tuple[str, Kind, bool]]:
    """What the legend says: the words, the kind whose colours it shows, whether dashed."""
    kinds = {block.kind for block in found}
    lines: list[tuple[str, Kind, bool]] = [
        (name, kind, False) for kind, name in NAMES.items() if kind in kinds
    ]
    if any(block.linear for block in found):
        lines.append(("no activation", "input", True))
    return lines


def _legend_width(words: str) -> float:
    return 26 + 6.0 * len(words)


def _legend_items(lines: Sequence[tuple[str, Kind, bool]]) -> list[Item]:
    items: list[Item] = []
    x = 10.0
    for words, kind, dashed in lines:
        fill, stroke = STYLES[kind]
        items.append(Box(x, 11, 11, 11, fill, stroke, radius=2, line=1, dashed=dashed))
        items.append(Text(x + 16, 17, words, 10, _FLOW, anchor="start"))
        x += _legend_width(words)
    return items


def _reading(
    found: Sequence[Block], edges: Sequence[Curve], repeats: Sequence[Repeat]
) -> list[tuple[str, str]]:
    """How to read the signs that the drawing uses: the words and the sign."""
    lines = [("channels", "8")]
    strides = {block.note.partition("/")[2].split()[0] for block in found if "/" in block.note}
    lines += [(f"stride {stride}", f"/{stride}") for stride in sorted(strides)]
    ports = {port for block in found for _, port in block.sources}
    if ports - {"in"} or any(block.kind == "merge" and block.label == "+" for block in found):
        lines.append(("sum", "+"))
    if any(edge.stroke != _FLOW for edge in edges):
        lines.append(("to or from a 1×1 convolution", "line"))
    for copies in sorted({repeat.copies for repeat in repeats}):
        lines.append((f"{copies} equal branches, each with its own weights", f"×{copies}"))
    return lines


def _reading_items(lines: Sequence[tuple[str, str]]) -> list[Item]:
    items: list[Item] = []
    x, y = 10.0, 37.0
    for words, sign in lines:
        if sign == "+":
            items.append(Plus(x + 8, y, SUM, _FLOW))
        elif sign == "line":
            tint = STYLES["pointwise"][1]
            items.append(Curve(((x, y), (x + 18, y)), tint, 1.4, arrow=True))
        else:
            tint = _REPEAT if sign.startswith("×") else _INK
            items.append(Text(x + 9, y, sign, 10, tint, bold=True))
        items.append(Text(x + 22, y, words, 10, _FLOW, anchor="start"))
        x += _SIGN + 5.2 * len(words)
    return items
