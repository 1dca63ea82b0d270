"""Pooling: the maximum or the mean of what stands in a window, channel by channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from gensynth.genome.operations.operation import (
    OPERATIONS,
    Shape,
    ShapeError,
    Weightless,
    feature_map,
)
from gensynth.genome.operations.window import Window

if TYPE_CHECKING:
    from torch import nn


@OPERATIONS.register
class Pool(Window, Weightless):
    """Maximum or average over a window, channel by channel.

    Padding never wins a maximum and is left out of an average.
    """

    op: Literal["max_pool", "avg_pool"]

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        top, bottom, left, right = self.pads(feature_map(shapes[0], self.op))
        if max(top, bottom) >= self.kernel[0] or max(left, right) >= self.kernel[1]:
            raise ShapeError(f"{self.op} padding must be smaller than its window")
        return super().infer(shapes)

    def module(self, shapes: Sequence[Shape]) -> nn.Module:
        from torch import nn

        from gensynth.genome.operations.layers import PaddedAvgPool2d, PaddedMaxPool2d

        pads = top, bottom, left, right = self.pads(shapes[0])
        in_torch = top == bottom <= self.kernel[0] // 2 and left == right <= self.kernel[1] // 2
        if self.op == "max_pool":
            if in_torch:
                return nn.MaxPool2d(self.kernel, self.stride, (top, left))
            return PaddedMaxPool2d(self, pads)
        if in_torch:
            return nn.AvgPool2d(self.kernel, self.stride, (top, left), count_include_pad=False)
        return PaddedAvgPool2d(self, shapes[0], pads)

    def sketch(self, shapes: Sequence[Shape]) -> tuple[str, str]:
        """Which of the two, over the window and its step."""
        return self.op.removesuffix("_pool"), super().sketch(shapes)[1]


@OPERATIONS.register
class GlobalAvgPool(Weightless):
    """Mean over height and width: (C, H, W) to (C, 1, 1)."""

    op: Literal["global_avg_pool"] = "global_avg_pool"

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        return feature_map(shapes[0], self.op)[0], 1, 1

    def module(self, shapes: Sequence[Shape]) -> nn.Module:
        from torch import nn

        return nn.AdaptiveAvgPool2d(1)

    def sketch(self, shapes: Sequence[Shape]) -> tuple[str, str]:
        return "avg", "global"
