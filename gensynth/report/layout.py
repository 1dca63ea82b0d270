"""Where everything in a drawing of a genome stands.

One row a resolution. Blocks stand in the column of their depth within the row; the longest chain
runs along the bottom lane and whatever is parallel to it (shortcuts, long-range convolutions,
branches) stands in the lanes above. A row of more than ``COLUMNS`` columns goes on in a new line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gensynth.report.blocks import Block, Port
from gensynth.report.shapes import Point

PITCH, WIDE, LOW, HIGH = 72.0, 46.0, 30.0, 58.0
LEFT, TOP, GAP, PAD = 62.0, 54.0, 10.0, 13.0
SUM, COLUMNS = 6.0, 12


@dataclass(frozen=True)
class Place:
    """Where a block stands.

    Attributes:
        lane: 0 at the bottom.
        x: Left edge.
        axis: Vertical middle, where the chain runs.
        crowned: Whether its sum reads other rows only and so stands on top of it.
    """

    block: Block
    row: int
    column: int
    lane: int
    x: float
    axis: float
    height: float
    crowned: bool

    @property
    def line(self) -> int:
        """Which line of a row that is too long for one."""
        return self.column // COLUMNS

    @property
    def middle(self) -> float:
        return self.x + WIDE / 2

    @property
    def reach(self) -> float:
        """Half the height of what stands on the axis."""
        return SUM if self.block.kind == "merge" else self.height / 2

    def enters(self, port: Port) -> Point:
        """Where an edge that ends at ``port`` meets the block."""
        if self.block.kind == "merge":
            return self.middle - SUM, self.axis
        if port == "sum_before" and self.crowned:
            return self.middle, self.axis - self.reach - SUM
        return self.x + {"in": 0.0, "sum_before": -SUM, "sum_after": WIDE + SUM}[port], self.axis

    def leaves(self, side: int) -> Point:
        """Where an edge leaves upwards (-1), to the right (0) or downwards (1)."""
        if any(port == "sum_after" for _, port in self.block.sources):
            x = self.x + WIDE + SUM
            return (x, self.axis + side * SUM) if side else (x + SUM, self.axis)
        if side:
            return self.middle, self.axis + side * self.reach
        return (self.middle + SUM if self.block.kind == "merge" else self.x + WIDE), self.axis


@dataclass(frozen=True)
class Band:
    """Top and bottom of a row, the axis of its lowest lane and how far its blocks reach up."""

    top: float
    bottom: float
    axis: float
    crests: Mapping[tuple[int, int], float]


@dataclass(frozen=True)
class Layout:
    """Every block's place, every row's band, and the height of it all in pixels."""

    rows: Sequence[Sequence[Block]]
    places: Sequence[Place]
    bands: Sequence[Band]
    height: float


def lay_out(found: Sequence[Block]) -> Layout:
    """Gives every block a place; linear in blocks and edges."""
    rows = _rows(found)
    columns = [_columns(row) for row in rows]
    lanes = [_lanes(row, column) for row, column in zip(rows, columns, strict=True)]
    spread = [_spread(column, lane) for column, lane in zip(columns, lanes, strict=True)]
    places, bands, height = _placed(rows, spread, lanes)
    return Layout(rows, places, bands, height)


def _rows(found: Sequence[Block]) -> list[list[Block]]:
    """Blocks by resolution in order of first appearance; what is 1×1 or flat ends the last map."""
    rows: dict[tuple[int, ...], list[Block]] = {}
    home: dict[str, tuple[int, ...]] = {}
    for block in found:
        size = block.shape[1:]
        flat = not size or size == (1, 1)
        key = home[block.sources[-1][0]] if flat and block.sources else size
        home[block.id] = key
        rows.setdefault(key, []).append(block)
    return list(rows.values())


def _columns(row: Sequence[Block]) -> dict[str, int]:
    """Depth of every block within its row: one more than the deepest block of the row it reads."""
    found: dict[str, int] = {}
    for block in row:
        inside = [found[source] for source, _ in block.sources if source in found]
        found[block.id] = 1 + max(inside) if inside else 0
    return found


def _lanes(row: Sequence[Block], columns: Mapping[str, int]) -> dict[str, int]:
    """Lane of every block: 0 along the longest chain, then the lane of what it reads if free."""
    by_id = {block.id: block for block in row}
    deepest = max(row, key=lambda block: columns[block.id])
    lanes: dict[str, int] = {}
    step: Block | None = deepest
    while step is not None:
        lanes[step.id] = 0
        inside = [by_id[source] for source, _ in step.sources if source in by_id]
        step = max(inside, key=lambda block: columns[block.id], default=None)
    taken = {(columns[name], 0) for name in lanes}
    for block in row:
        if block.id in lanes:
            continue
        near = [lanes[source] for source, _ in block.sources if lanes.get(source, 0) > 0]
        lane = near[0] if near else 1
        while (columns[block.id], lane) in taken:
            lane += 1
        taken.add((columns[block.id], lane))
        lanes[block.id] = lane
    return lanes


def _spread(columns: dict[str, int], lanes: Mapping[str, int]) -> dict[str, int]:
    """Gives what stands above the head of the chain a column of its own, left of the chain."""
    aside = {name for name, column in columns.items() if column == 0 and lanes[name] > 0}
    return {name: column + (name not in aside and bool(aside)) for name, column in columns.items()}


def _placed(
    rows: Sequence[Sequence[Block]],
    columns: Sequence[Mapping[str, int]],
    lanes: Sequence[Mapping[str, int]],
) -> tuple[list[Place], list[Band], float]:
    widest = max(block.shape[0] for row in rows for block in row if len(block.shape) == 3)
    places: list[Place] = []
    bands: list[Band] = []
    y = TOP
    for number, row in enumerate(rows):
        column, lane = columns[number], lanes[number]
        top, axis, crests = y, y, {}
        for line in range(1 + max(column.values()) // COLUMNS):
            here = [block for block in row if column[block.id] // COLUMNS == line]
            y += _arch(here, column, lane)
            for level in range(max(lane[block.id] for block in here), -1, -1):
                same = [block for block in here if lane[block.id] == level]
                tallest = max((_height(block, widest) for block in same), default=0.0)
                y += SUM if any(_crowned(block, column) for block in same) else 0.0
                crests[line, level], axis = y, y + tallest / 2
                places += [
                    Place(
                        block,
                        number,
                        column[block.id],
                        level,
                        LEFT + column[block.id] % COLUMNS * PITCH,
                        axis,
                        _height(block, widest),
                        _crowned(block, column),
                    )
                    for block in same
                ]
                y += tallest + PAD
        bands.append(Band(top, y, axis, crests))
        y += GAP
    return places, bands, y


def _crowned(block: Block, row: Mapping[str, int]) -> bool:
    read = [source for source, port in block.sources if port == "sum_before"]
    return bool(read) and not any(source in row for source in read)


def _height(block: Block, widest: int) -> float:
    if block.kind in ("merge", "input", "dense") or len(block.shape) != 3:
        return LOW
    if block.shape[1:] == (1, 1):
        return LOW
    return LOW + (HIGH - LOW) * min(1.0, block.shape[0] / widest)


def _arch(row: Sequence[Block], columns: Mapping[str, int], lanes: Mapping[str, int]) -> float:
    """Room that the arcs of a line need above its blocks."""
    highest = max(lanes[block.id] for block in row)
    spans = [
        columns[block.id] - columns[source]
        for block in row
        for source, _ in block.sources
        if source in columns and lanes[source] == lanes[block.id]
    ]
    longest = max(spans, default=1)
    needed = 0.75 * rise(longest) + 6 if longest > 1 else PAD
    return max(PAD, needed - highest * HIGH)


def rise(span: float) -> float:
    """How far the control points of an arc over ``span`` columns stand above the blocks."""
    return 12 + 7 * min(span, 9)
