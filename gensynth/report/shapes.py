"""A picture as data: boxes, curves and words, written as SVG or painted as PNG.

Both come from the same list, need nothing but the standard library and Pillow, and are the same
bytes every time.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

import matplotlib
from PIL import Image, ImageDraw, ImageFont

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Box:
    """A rectangle with rounded corners; ``tooltip`` shows on hovering in a browser."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str = "none"
    radius: float = 4
    line: float = 1.2
    dashed: bool = False
    tooltip: str = ""


@dataclass(frozen=True)
class Curve:
    """A cubic Bézier curve from the first to the last of four points, or a line through two.

    ``arrow`` puts a head on its end.
    """

    points: tuple[Point, ...]
    stroke: str
    line: float = 1.4
    arrow: bool = False

    @property
    def head(self) -> tuple[Point, Point, Point]:
        """The corners of its arrowhead, the tip first."""
        (from_x, from_y), (x, y) = self.points[-2:]
        length = math.hypot(x - from_x, y - from_y) or 1.0
        along, across = (x - from_x) / length, (y - from_y) / length
        back, half = 6.0, 2.8
        foot = x - back * along, y - back * across
        return (
            (x, y),
            (foot[0] - half * across, foot[1] + half * along),
            (foot[0] + half * across, foot[1] - half * along),
        )


@dataclass(frozen=True)
class Plus:
    """A circle with a plus: a sum."""

    x: float
    y: float
    radius: float
    stroke: str
    tooltip: str = ""


@dataclass(frozen=True)
class Text:
    """A line of text; ``y`` is its vertical middle."""

    x: float
    y: float
    content: str
    size: float
    fill: str
    anchor: Anchor = "middle"
    bold: bool = False


Item = Box | Curve | Plus | Text


@dataclass(frozen=True)
class Picture:
    """Items from back to front on a white page of so many pixels."""

    width: float
    height: float
    items: tuple[Item, ...]
    title: str = ""
    description: str = ""

    def svg(self) -> str:
        """The picture as one SVG element that needs nothing from elsewhere."""
        body = "\n".join(line for item in self.items for line in _svg(item))
        width, height = round(self.width), round(self.height)
        described = f"<desc>{escape(self.description)}</desc>\n" if self.description else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" '
            f"font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n"
            f"<title>{escape(self.title)}</title>\n{described}"
            f'<rect width="100%" height="100%" fill="#ffffff"/>\n{body}\n</svg>\n'
        )

    def png(self, *, scale: int = 2) -> bytes:
        """The picture as PNG, ``scale`` times as many pixels each way."""
        oversampled = scale * _OVERSAMPLING
        size = round(self.width) * oversampled, round(self.height) * oversampled
        image = Image.new("RGB", size, "#ffffff")
        canvas = ImageDraw.Draw(image)
        for item in self.items:
            _paint(canvas, item, oversampled)
        image = image.reduce(_OVERSAMPLING)
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=1)
        return file.getvalue()


_OVERSAMPLING = 2


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _tooltip(item: Box | Plus) -> str:
    return f"<title>{escape(item.tooltip)}</title>" if item.tooltip else ""


def _svg(item: Item) -> Iterator[str]:
    if isinstance(item, Box):
        dash = ' stroke-dasharray="3 2"' if item.dashed else ""
        yield (
            f'<rect x="{_number(item.x)}" y="{_number(item.y)}" width="{_number(item.width)}" '
            f'height="{_number(item.height)}" rx="{_number(item.radius)}" fill="{item.fill}" '
            f'stroke="{item.stroke}" stroke-width="{item.line}"{dash}>{_tooltip(item)}</rect>'
        )
    elif isinstance(item, Curve):
        first, *rest = (f"{_number(x)},{_number(y)}" for x, y in item.points)
        letter = "C" if len(rest) == 3 else "L"
        yield (
            f'<path d="M{first}{letter}{" ".join(rest)}" fill="none" stroke="{item.stroke}" '
            f'stroke-width="{item.line}"/>'
        )
        if item.arrow:
            corners = "L".join(f"{_number(x)},{_number(y)}" for x, y in item.head)
            yield f'<path d="M{corners}Z" fill="{item.stroke}"/>'
    elif isinstance(item, Plus):
        x, y, reach = item.x, item.y, item.radius * 0.6
        yield (
            f'<circle cx="{_number(x)}" cy="{_number(y)}" r="{_number(item.radius)}" '
            f'fill="#ffffff" stroke="{item.stroke}" stroke-width="1.2">{_tooltip(item)}</circle>'
        )
        yield (
            f'<path d="M{_number(x - reach)},{_number(y)}H{_number(x + reach)}'
            f'M{_number(x)},{_number(y - reach)}V{_number(y + reach)}" stroke="{item.stroke}" '
            f'stroke-width="1.2"/>'
        )
    else:
        weight = ' font-weight="bold"' if item.bold else ""
        yield (
            f'<text x="{_number(item.x)}" y="{_number(item.y)}" font-size="{_number(item.size)}" '
            f'fill="{item.fill}" text-anchor="{item.anchor}" dominant-baseline="central" '
            f"pointer-events={quoteattr('none')}{weight}>{escape(item.content)}</text>"
        )


def _paint(canvas: ImageDraw.ImageDraw, item: Item, scale: int) -> None:
    if isinstance(item, Box):
        _paint_box(canvas, item, scale)
    elif isinstance(item, Curve):
        points = [(x * scale, y * scale) for x, y in _sampled(item.points)]
        canvas.line(points, fill=item.stroke, width=round(item.line * scale), joint="curve")
        if item.arrow:
            canvas.polygon([(x * scale, y * scale) for x, y in item.head], fill=item.stroke)
    elif isinstance(item, Plus):
        x, y, radius = item.x * scale, item.y * scale, item.radius * scale
        reach, line = radius * 0.6, round(1.2 * scale)
        corners = (x - radius, y - radius, x + radius, y + radius)
        canvas.ellipse(corners, fill="#ffffff", outline=item.stroke, width=line)
        canvas.line((x - reach, y, x + reach, y), fill=item.stroke, width=line)
        canvas.line((x, y - reach, x, y + reach), fill=item.stroke, width=line)
    else:
        font = _font(round(item.size * scale), item.bold)
        anchor = {"start": "lm", "middle": "mm", "end": "rm"}[item.anchor]
        place = (item.x * scale, item.y * scale)
        canvas.text(place, item.content, fill=item.fill, font=font, anchor=anchor)


def _paint_box(canvas: ImageDraw.ImageDraw, box: Box, scale: int) -> None:
    corners = tuple(edge * scale for edge in (box.x, box.y, box.x + box.width, box.y + box.height))
    line = round(box.line * scale)
    radius = box.radius * scale
    outline = None if box.stroke == "none" or box.dashed else box.stroke
    canvas.rounded_rectangle(corners, radius, fill=box.fill, outline=outline, width=line)
    if box.dashed:
        left, top, right, bottom = corners
        for start, end in (
            ((left, top), (right, top)),
            ((right, top), (right, bottom)),
            ((right, bottom), (left, bottom)),
            ((left, bottom), (left, top)),
        ):
            _dash(canvas, start, end, box.stroke, line)


def _dash(canvas: ImageDraw.ImageDraw, start: Point, end: Point, stroke: str, line: int) -> None:
    length = abs(end[0] - start[0]) + abs(end[1] - start[1])
    pieces = max(3, round(length / (4 * line)) | 1)
    for piece in range(0, pieces, 2):
        low, high = piece / pieces, (piece + 1) / pieces
        a = tuple(s + (e - s) * low for s, e in zip(start, end, strict=True))
        b = tuple(s + (e - s) * high for s, e in zip(start, end, strict=True))
        canvas.line((*a, *b), fill=stroke, width=line)


def _sampled(points: Sequence[Point]) -> list[Point]:
    if len(points) != 4:
        return list(points)
    found = []
    for step in range(33):
        t = step / 32
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        found.append(
            (
                sum(w * x for w, (x, _) in zip(weights, points, strict=True)),
                sum(w * y for w, (_, y) in zip(weights, points, strict=True)),
            )
        )
    return found


@lru_cache(maxsize=32)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", name)), size)
