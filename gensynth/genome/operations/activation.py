"""Non-linearities, value by value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from gensynth.genome.operations.operation import OPERATIONS, Shape, Weightless

if TYPE_CHECKING:
    from torch import nn

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

# Their derivative needs the result, not the input, so overwriting the input loses nothing.
_OVERWRITING = frozenset({"relu", "relu6", "leaky_relu", "elu"})


@OPERATIONS.register
class Activation(Weightless):
    """An elementwise non-linearity with the defaults of ``torch.nn.functional``."""

    op: ActivationName

    in_place: ClassVar[bool] = True

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        return shapes[0]

    def module(self, shapes: Sequence[Shape]) -> nn.Module:
        return activation(self.op)

    def module_in_place(self, shapes: Sequence[Shape]) -> nn.Module | None:
        return activation(self.op, in_place=True) if self.op in _OVERWRITING else None

    def sketch(self, shapes: Sequence[Shape]) -> tuple[str, str]:
        return "f", ""


def activation(name: ActivationName, *, in_place: bool = False) -> nn.Module:
    """The module of a non-linearity.

    Args:
        name: Which.
        in_place: Whether it overwrites what it reads; only those can whose derivative needs the
            result alone.
    """
    from torch import nn

    match name:
        case "relu":
            return nn.ReLU(in_place)
        case "relu6":
            return nn.ReLU6(in_place)
        case "leaky_relu":
            return nn.LeakyReLU(inplace=in_place)
        case "elu":
            return nn.ELU(inplace=in_place)
        case "gelu":
            return nn.GELU()
        case "silu":
            return nn.SiLU()
        case "hard_swish":
            return nn.Hardswish()
        case "sigmoid":
            return nn.Sigmoid()
        case "hard_sigmoid":
            return nn.Hardsigmoid()
        case "tanh":
            return nn.Tanh()
