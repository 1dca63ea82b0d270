"""Normalisation and regularisation: what is folded away, or does nothing, at inference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from gensynth.genome.operations.convolution import Conv
from gensynth.genome.operations.operation import (
    OPERATIONS,
    Operation,
    Shape,
    Weightless,
    feature_map,
)

if TYPE_CHECKING:
    from torch import nn


@OPERATIONS.register
class BatchNorm(Operation):
    """Batch normalisation of a feature map's channels with scale and shift."""

    op: Literal["batch_norm"] = "batch_norm"

    in_place: ClassVar[bool] = True
    own_output: ClassVar[bool] = True

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        return feature_map(shapes[0], self.op)

    def parameters(self, shapes: Sequence[Shape]) -> int:
        return 2 * shapes[0][0]

    def statistics(self, shapes: Sequence[Shape]) -> int:
        return 2 * shapes[0][0]

    def macs(self, shapes: Sequence[Shape]) -> int:
        return 0

    def module(self, shapes: Sequence[Shape]) -> nn.Module:
        from torch import nn

        return nn.BatchNorm2d(shapes[0][0])

    def folded_values(self, source: Operation | None) -> int:
        """It becomes a convolution's bias: scale and shift go, and the bias that was there."""
        if not isinstance(source, Conv):
            return 0
        return source.out_channels * (2 if source.bias else 1)

    def sketch(self, shapes: Sequence[Shape]) -> tuple[str, str]:
        return "norm", ""


@OPERATIONS.register
class Dropout(Weightless):
    """Dropout at training time, the identity at inference."""

    op: Literal["dropout"] = "dropout"
    rate: Annotated[float, Field(strict=True, ge=0, lt=1, allow_inf_nan=False)]

    in_place: ClassVar[bool] = True

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        return shapes[0]

    def module(self, shapes: Sequence[Shape]) -> nn.Module:
        from torch import nn

        return nn.Dropout(self.rate)
