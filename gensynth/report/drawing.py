"""A genome as a picture: one row a resolution, one block a layer, an arc for every skip.

The height of a block is its width in channels, its colour what it computes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gensynth.genome import Genome
from gensynth.report.blocks import Block, Kind, Port, blocks
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

_INK, _FAINT, _FLOW = "#212529", "#868e96", "#495057"
_RIGHT = 18.0


def draw(genome: Genome) -> Picture:
    """Draws a network; milliseconds, and the same picture every time.

    Args:
        genome: Any genome.

    Returns:
        A picture about as wide as its longest row: ``.svg()`` or ``.png()`` of it.
    """
    found = blocks(genome)
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
    items: list[Item] = [*_backgrounds(plan.rows, plan.bands, width), *edges]
    for place in places:
        items += _drawn(place)
    items += _legend_items(legend)
    return Picture(width, plan.height, tuple(items), title=genome.name)


def _edge(source: Place, target: Place, port: Port, plan: Layout) -> Curve:
    """A straight line to the next block, a sweep to other rows and lanes, an arc over others."""
    end = target.enters(port)
    if source.row != target.row or source.line != target.line:
        start = source.leaves(1)
        if port == "in":
            end = target.middle, target.axis - target.reach
        bend = max(26.0, (end[1] - start[1]) * 0.5)
        below = max(start[1] + bend, source.axis + source.height / 2 + 22)
        points = (start, (start[0], below), (end[0], end[1] - bend), end)
        return Curve(points, _tint(target), 1.4)
    columns = target.column - source.column
    if source.lane == target.lane and columns == 1 and port != "sum_after":
        return Curve((source.leaves(0), end), _FLOW, 1.4)
    if source.lane != target.lane and _clear(source, target, port, plan):
        start = source.leaves(0)
        bend = max(16.0, (end[0] - start[0]) * 0.45)
        points = (start, (start[0] + bend, start[1]), (end[0] - 2, start[1]), end)
        return Curve(points, _tint(source), 1.4)
    start = source.leaves(-1)
    crests = plan.bands[source.row].crests
    top = min(crests[source.line, place.lane] for place in (source, target)) - rise(columns)
    end = end[0], end[1] - (SUM if port != "in" else 0.0)
    return Curve((start, (start[0], top), (end[0], top), end), _FLOW, 1.2)


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
    raised = 4.5 if block.note else 0.0
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
        items.append(Text(place.middle, place.axis + 7.5, block.note, 8, _FLOW))
    ports = {port for _, port in block.sources} - {"in"}
    items += [Plus(*place.enters(port), SUM, _FLOW) for port in sorted(ports)]
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
