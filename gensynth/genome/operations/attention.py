"""Attention: maps weighed by what is in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from gensynth.genome.operations.activation import ActivationName
from gensynth.genome.operations.operation import (
    OPERATIONS,
    Count,
    Operation,
    Shape,
    feature_map,
)

if TYPE_CHECKING:
    from torch import nn


@OPERATIONS.register
class SqueezeExcite(Operation):
    """Channel attention (Hu, Shen, Sun 2018): pool, reduce, activate, expand, gate, scale.

    Attributes:
        channels: Width of the squeezed layer. Both 1x1 layers have biases.
    """

    op: Literal["squeeze_excite"] = "squeeze_excite"
    channels: Count
    activation: ActivationName = "relu"
    gate: Literal["sigmoid", "hard_sigmoid"] = "sigmoid"

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        return feature_map(shapes[0], self.op)

    def parameters(self, shapes: Sequence[Shape]) -> int:
        return self.macs(shapes) + self.channels + shapes[0][0]

    def macs(self, shapes: Sequence[Shape]) -> int:
        """Those of its two 1x1 layers; pooling and scaling are not counted."""
        return 2 * shapes[0][0] * self.channels

    def module(self, shapes: Sequence[Shape]) -> nn.Module:
        from gensynth.genome.operations.layers import Excitation

        return Excitation(self, shapes[0][0])

    def working_values(self, shapes: Sequence[Shape]) -> int:
        """It runs as four steps: pool, reduce, expand, scale; the gates are alive throughout."""
        return shapes[0][0] + max(math.prod(shapes[0]), self.channels)

    def sketch(self, shapes: Sequence[Shape]) -> tuple[str, str]:
        """Its initials, over the width of the squeezed layer."""
        return "SE", str(self.channels)
