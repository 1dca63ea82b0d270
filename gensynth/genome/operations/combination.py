"""Operations that read several nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from gensynth.genome.operations.operation import (
    OPERATIONS,
    Shape,
    ShapeError,
    Weightless,
    feature_map,
)

if TYPE_CHECKING:
    from torch import nn


@OPERATIONS.register
class Add(Weightless):
    """Elementwise sum of inputs of one shape; their order has no meaning."""

    op: Literal["add"] = "add"

    commutative: ClassVar[bool] = True
    arity: ClassVar[tuple[int, int]] = (2, 1024)
    own_output: ClassVar[bool] = True

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        if len(set(shapes)) > 1:
            raise ShapeError(f"add needs inputs of one shape, not {sorted(set(shapes))}")
        return shapes[0]

    def module(self, shapes: Sequence[Shape]) -> nn.Module:
        from gensynth.genome.operations.layers import Sum

        return Sum()

    def sketch(self, shapes: Sequence[Shape]) -> tuple[str, str]:
        return "+", ""


@OPERATIONS.register
class Concat(Weightless):
    """Feature maps of one height and width, stacked along the channels."""

    op: Literal["concat"] = "concat"

    arity: ClassVar[tuple[int, int]] = (2, 1024)
    own_output: ClassVar[bool] = True

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        maps = [feature_map(shape, self.op) for shape in shapes]
        if len({size[1:] for size in maps}) > 1:
            raise ShapeError(f"concat needs inputs of one height and width, not {maps}")
        return sum(size[0] for size in maps), maps[0][1], maps[0][2]

    def module(self, shapes: Sequence[Shape]) -> nn.Module:
        from gensynth.genome.operations.layers import Stack

        return Stack()

    def sketch(self, shapes: Sequence[Shape]) -> tuple[str, str]:
        return "‖", ""
