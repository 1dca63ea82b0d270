"""Flat vectors and what reads them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from gensynth.genome.operations.operation import (
    OPERATIONS,
    Count,
    Operation,
    Shape,
    ShapeError,
    Weightless,
)

if TYPE_CHECKING:
    from torch import nn


@OPERATIONS.register
class Flatten(Weightless):
    """A feature map as one vector, channel by channel."""

    op: Literal["flatten"] = "flatten"

    in_place: ClassVar[bool] = True

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        return (math.prod(shapes[0]),)

    def module(self, shapes: Sequence[Shape]) -> nn.Module:
        from torch import nn

        return nn.Flatten()


@OPERATIONS.register
class Linear(Operation):
    """Fully connected layer on a flat input."""

    op: Literal["linear"] = "linear"
    out_features: Count
    bias: bool = True

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        if len(shapes[0]) != 1:
            raise ShapeError(f"linear reads a flat input, not {shapes[0]}; put a flatten before it")
        return (self.out_features,)

    def parameters(self, shapes: Sequence[Shape]) -> int:
        return self.macs(shapes) + self.out_features * self.bias

    def macs(self, shapes: Sequence[Shape]) -> int:
        return shapes[0][0] * self.out_features

    def module(self, shapes: Sequence[Shape]) -> nn.Module:
        from gensynth.genome.operations.layers import Dense

        return Dense(shapes[0][0], self.out_features, self.bias)

    def sketch(self, shapes: Sequence[Shape]) -> tuple[str, str]:
        """Its width."""
        return str(self.out_features), "dense"
