"""The operations a genome is made of, and the shape each of them gives.

A shape is per sample: ``(channels, height, width)`` for a feature map, ``(features,)`` after
:class:`Flatten`. Defaults are those of ``torch.nn``; a JSON genome always spells them out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)

Shape = tuple[int, ...]
Pads = tuple[int, int, int, int]

NodeId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}$")]
Count = Annotated[int, Field(strict=True, ge=1, le=65_536)]


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


class ShapeError(ValueError):
    """The inputs of an operation have shapes that it cannot take."""


class Operation(BaseModel):
    """One node: an operation, its attributes and the nodes it reads.

    Attributes:
        id: Unique name within the genome; it says nothing about the network.
        inputs: Ids of the nodes read, in order; ``"input"`` is the image.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: NodeId
    inputs: Annotated[tuple[NodeId, ...], Field(min_length=1, max_length=1024)]

    commutative: ClassVar[bool] = False
    arity: ClassVar[tuple[int, int]] = (1, 1)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some attributes changed and nothing else remembered."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("_inferred", None)
        return copy

    @cached_property
    def _inferred(self) -> dict[tuple[Shape, ...], Shape]:
        return {}

    def shape(self, shapes: tuple[Shape, ...]) -> Shape:
        """What :meth:`infer` gives, remembered."""
        known = self._inferred.get(shapes)
        if known is None:
            known = self._inferred[shapes] = self.infer(shapes)
        return known

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        """Gives the shape of the output.

        Args:
            shapes: Shape of every input, in the order of ``inputs``.

        Raises:
            ShapeError: If the operation cannot take them.
        """
        return shapes[0]

    def identity(self, shapes: Sequence[Shape]) -> tuple[Any, ...]:
        """Everything about the node that makes the network what it is, but for its edges.

        Two spellings of one operation on inputs of one shape (padding ``"same"`` or ``1``) have
        one identity.
        """
        written = {"id", "inputs", "padding"}
        pads = self.pads(shapes[0]) if isinstance(self, Window) else None
        values = (
            (name, getattr(self, name)) for name in type(self).model_fields if name not in written
        )
        return (*values, ("padding", pads))


def _feature_map(shape: Shape, op: str) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ShapeError(f"{op} reads a feature map (channels, height, width), not {shape}")
    return shape[0], shape[1], shape[2]


class Window(Operation):
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
        channels, height, width = _feature_map(shapes[0], self.op_name)
        top, bottom, left, right = self.pads((channels, height, width))
        (tall, wide), (down, across) = self.reach(), self.stride
        rows, columns = height + top + bottom - tall, width + left + right - wide
        if min(rows, columns) < 0:
            raise ShapeError(f"{self.op_name} window {tall}x{wide} is larger than {height}x{width}")
        return channels, rows // down + 1, columns // across + 1

    @property
    def op_name(self) -> str:
        """The op as written in JSON."""
        return str(getattr(self, "op", "window"))


class Conv(Window):
    """2-D cross-correlation, as ``torch.nn.Conv2d``."""

    op: Literal["conv"] = "conv"
    out_channels: Count
    groups: Count = 1
    dilation: Extent = (1, 1)
    bias: bool = True

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


class Pool(Window):
    """Maximum or average over a window, channel by channel.

    Padding never wins a maximum and is left out of an average.
    """

    op: Literal["max_pool", "avg_pool"]

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        top, bottom, left, right = self.pads(_feature_map(shapes[0], self.op))
        if max(top, bottom) >= self.kernel[0] or max(left, right) >= self.kernel[1]:
            raise ShapeError(f"{self.op} padding must be smaller than its window")
        return super().infer(shapes)


class GlobalAvgPool(Operation):
    """Mean over height and width: (C, H, W) to (C, 1, 1)."""

    op: Literal["global_avg_pool"] = "global_avg_pool"

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        return _feature_map(shapes[0], self.op)[0], 1, 1


class BatchNorm(Operation):
    """Batch normalisation of a feature map's channels with scale and shift."""

    op: Literal["batch_norm"] = "batch_norm"

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        return _feature_map(shapes[0], self.op)


ActivationName = Literal[
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "gelu",
    "silu",
    "hard_swish",
    "sigmoid",
    "hard_sigmoid",
    "tanh",
]


class Activation(Operation):
    """An elementwise non-linearity with the defaults of ``torch.nn.functional``."""

    op: ActivationName


class Add(Operation):
    """Elementwise sum of inputs of one shape; their order has no meaning."""

    op: Literal["add"] = "add"

    commutative: ClassVar[bool] = True
    arity: ClassVar[tuple[int, int]] = (2, 1024)

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        if len(set(shapes)) > 1:
            raise ShapeError(f"add needs inputs of one shape, not {sorted(set(shapes))}")
        return shapes[0]


class Concat(Operation):
    """Feature maps of one height and width, stacked along the channels."""

    op: Literal["concat"] = "concat"

    arity: ClassVar[tuple[int, int]] = (2, 1024)

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        maps = [_feature_map(shape, self.op) for shape in shapes]
        if len({size[1:] for size in maps}) > 1:
            raise ShapeError(f"concat needs inputs of one height and width, not {maps}")
        return sum(size[0] for size in maps), maps[0][1], maps[0][2]


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
        return _feature_map(shapes[0], self.op)


class Dropout(Operation):
    """Dropout at training time, the identity at inference."""

    op: Literal["dropout"] = "dropout"
    rate: Annotated[float, Field(strict=True, ge=0, lt=1, allow_inf_nan=False)]


class Flatten(Operation):
    """A feature map as one vector, channel by channel."""

    op: Literal["flatten"] = "flatten"

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        return (math.prod(shapes[0]),)


class Linear(Operation):
    """Fully connected layer on a flat input."""

    op: Literal["linear"] = "linear"
    out_features: Count
    bias: bool = True

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        if len(shapes[0]) != 1:
            raise ShapeError(f"linear reads a flat input, not {shapes[0]}; put a flatten before it")
        return (self.out_features,)


Node = Annotated[
    Conv
    | Pool
    | GlobalAvgPool
    | BatchNorm
    | Activation
    | Add
    | Concat
    | SqueezeExcite
    | Dropout
    | Flatten
    | Linear,
    Field(discriminator="op"),
]

OPERATIONS: Mapping[str, type[Operation]] = {
    op: model
    for model in get_args(get_args(Node)[0])
    for op in get_args(model.model_fields["op"].annotation)
}
