"""Convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from gensynth.genome.operations.operation import OPERATIONS, Count, Shape, ShapeError
from gensynth.genome.operations.window import Extent, Window

if TYPE_CHECKING:
    from torch import nn


@OPERATIONS.register
class Conv(Window):
    """2-D cross-correlation, as ``torch.nn.Conv2d``."""

    op: Literal["conv"] = "conv"
    out_channels: Count
    groups: Count = 1
    dilation: Extent = (1, 1)
    bias: bool = True

    own_output: ClassVar[bool] = True

    def reach(self) -> tuple[int, int]:
        (tall, wide), (down, across) = self.kernel, self.dilation
        return (tall - 1) * down + 1, (wide - 1) * across + 1

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        channels, height, width = super().infer(shapes)
        if channels % self.groups or self.out_channels % self.groups:
            raise ShapeError(
                f"conv cannot split {channels} input and {self.out_channels} output channels "
                f"into {self.groups} groups"
            )
        return self.out_channels, height, width

    def parameters(self, shapes: Sequence[Shape]) -> int:
        return self._weights(shapes) + self.out_channels * self.bias

    def macs(self, shapes: Sequence[Shape]) -> int:
        _, height, width = self.shape(tuple(shapes))
        return self._weights(shapes) * height * width

    def module(self, shapes: Sequence[Shape]) -> nn.Module:
        from gensynth.genome.operations.layers import Conv2d

        return Conv2d(self, shapes[0][0], self.pads(shapes[0]))

    def _weights(self, shapes: Sequence[Shape]) -> int:
        tall, wide = self.kernel
        return self.out_channels * (shapes[0][0] // self.groups) * tall * wide

    def is_depthwise(self, shapes: Sequence[Shape]) -> bool:
        """Whether every channel of several is convolved by itself."""
        return self.groups > 1 and self.groups == shapes[0][0]

    def sketch(self, shapes: Sequence[Shape]) -> tuple[str, str]:
        """The output's channels, over the window, its step and the groups."""
        width, note = super().sketch(shapes)
        grouped = self.groups > 1 and not self.is_depthwise(shapes)
        return width, f"{note} g{self.groups}" if grouped else note
