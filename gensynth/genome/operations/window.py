"""Windows that slide over a feature map: what convolutions and pooling have in common."""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from gensynth.genome.operations.operation import Operation, Shape, ShapeError, feature_map

Pads = tuple[int, int, int, int]


def _as_written(pair: tuple[int, int]) -> int | tuple[int, int]:
    return pair[0] if pair[0] == pair[1] else pair


def _as_pair(value: Any) -> Any:
    return (value, value) if isinstance(value, int) and not isinstance(value, bool) else value


_Positive = Annotated[int, Field(strict=True, ge=1, le=255)]
_Natural = Annotated[int, Field(strict=True, ge=0, le=255)]

# (height, width) in pixels; one integer stands for both.
Extent = Annotated[
    tuple[_Positive, _Positive],
    BeforeValidator(_as_pair, json_schema_input_type=_Positive | tuple[_Positive, _Positive]),
    PlainSerializer(_as_written),
]
Margin = Annotated[
    tuple[_Natural, _Natural],
    BeforeValidator(_as_pair, json_schema_input_type=_Natural | tuple[_Natural, _Natural]),
    PlainSerializer(_as_written),
]


class Window(Operation, ABC):
    """An operation that slides a window over a feature map.

    Attributes:
        kernel: Window size in pixels, one integer or ``[height, width]``.
        stride: Step in pixels.
        padding: Rows and columns of padding on each side, or ``"same"``: output size
            ``ceil(input / stride)``, the odd row and column at the bottom and right (TensorFlow's
            convention).
    """

    kernel: Extent
    stride: Extent = (1, 1)
    padding: Literal["same"] | Margin = (0, 0)

    def reach(self) -> tuple[int, int]:
        """Height and width in pixels that one application of the window spans."""
        return self.kernel

    def pads(self, shape: Shape) -> Pads:
        """Rows and columns of padding (top, bottom, left, right) on an input of ``shape``."""
        if self.padding != "same":
            vertical, horizontal = self.padding
            return vertical, vertical, horizontal, horizontal
        pads: list[int] = []
        for size, reach, stride in zip(shape[1:], self.reach(), self.stride, strict=True):
            total = max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
            pads += [total // 2, total - total // 2]
        return pads[0], pads[1], pads[2], pads[3]

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        channels, height, width = feature_map(shapes[0], self.op)
        top, bottom, left, right = self.pads((channels, height, width))
        (tall, wide), (down, across) = self.reach(), self.stride
        rows, columns = height + top + bottom - tall, width + left + right - wide
        if min(rows, columns) < 0:
            raise ShapeError(f"{self.op} window {tall}x{wide} is larger than {height}x{width}")
        return channels, rows // down + 1, columns // across + 1

    def identity(self, shapes: Sequence[Shape]) -> tuple[Any, ...]:
        """As for any operation; padding counts by its pixels, however it is written."""
        written = self._written(without=("id", "inputs", "padding"))
        return (*written, ("padding", self.pads(shapes[0])))

    def sketch(self, shapes: Sequence[Shape]) -> tuple[str, str]:
        """The output's channels, over the window and its step."""
        return str(self.infer(shapes)[0]), _times(self.kernel) + _step(self.stride)


def _times(pair: tuple[int, int]) -> str:
    return f"{pair[0]}×{pair[1]}"


def _step(pair: tuple[int, int]) -> str:
    if pair == (1, 1):
        return ""
    return f" /{pair[0]}" if pair[0] == pair[1] else f" /{_times(pair)}"
