"""What an operation is, and everything that has to be said of one.

A shape is per image: ``(channels, height, width)`` for a feature map, ``(features,)`` for a flat
vector.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gensynth.registry import Models

if TYPE_CHECKING:
    from torch import nn

Shape = tuple[int, ...]

NodeId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}$")]
Count = Annotated[int, Field(strict=True, ge=1, le=65_536)]


class ShapeError(ValueError):
    """The inputs of an operation have shapes that it cannot take."""


class Counts(NamedTuple):
    """What an operation costs for inputs of certain shapes, see :class:`Operation`."""

    parameters: int
    macs: int
    working_values: int


class Operation(BaseModel, ABC):
    """One node: an operation, its attributes and the nodes it reads.

    A subclass names itself by a field ``op``, has its attributes as further fields, and defines
    :meth:`infer`, :meth:`parameters`, :meth:`macs` and :meth:`module`::

        @OPERATIONS.register
        class ChannelShuffle(Operation):
            op: Literal["channel_shuffle"] = "channel_shuffle"
            groups: Count

            def infer(self, shapes): ...
            def parameters(self, shapes): return 0
            def macs(self, shapes): return 0
            def module(self, shapes): return nn.ChannelShuffle(self.groups)

    It is then an ``op`` of genomes and prototypes, counted, built, drawn and in the JSON Schema.
    ``shapes`` are always those of the inputs, in the order of ``inputs``.

    Attributes:
        id: Unique name within the genome; it says nothing about the network.
        inputs: Ids of the nodes read, in order; ``"input"`` is the image.
        commutative: Whether the order of the inputs has no meaning.
        arity: Least and greatest number of inputs.
        in_place: Whether inference can overwrite the input.
        own_output: Whether the module's output is a tensor of its own that its derivative does not
            need, so that what reads it may overwrite it in training too.
        sign: What stands in the operation's box in a drawing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: NodeId
    inputs: Annotated[tuple[NodeId, ...], Field(min_length=1, max_length=1024)]

    commutative: ClassVar[bool] = False
    arity: ClassVar[tuple[int, int]] = (1, 1)
    in_place: ClassVar[bool] = False
    own_output: ClassVar[bool] = False

    if TYPE_CHECKING:

        @property
        def op(self) -> str:
            """The operation's name; a field of each subclass."""

    @abstractmethod
    def infer(self, shapes: Sequence[Shape]) -> Shape:
        """Gives the shape of the output.

        Raises:
            ShapeError: If the operation cannot take these inputs.
        """

    @abstractmethod
    def parameters(self, shapes: Sequence[Shape]) -> int:
        """Values that an optimiser trains."""

    @abstractmethod
    def macs(self, shapes: Sequence[Shape]) -> int:
        """Multiply-accumulates for one image, by the conventions of :mod:`gensynth.cost`."""

    @abstractmethod
    def module(self, shapes: Sequence[Shape]) -> nn.Module:
        """The module: reads (N, *shape), a list of them where ``arity`` allows several inputs.

        Convolutions and linear layers in it get their first weights from
        :func:`gensynth.network.build`; other parameters are drawn as torch does by default.
        """

    def module_in_place(self, shapes: Sequence[Shape]) -> nn.Module | None:
        """The module that overwrites its input in training; None where that loses something."""
        return None

    def working_values(self, shapes: Sequence[Shape]) -> int:
        """Most values alive at once while it runs, beside its inputs: by default its output."""
        return math.prod(self.shape(tuple(shapes)))

    def statistics(self, shapes: Sequence[Shape]) -> int:
        """Values that training measures and no optimiser trains; some count them as parameters."""
        return 0

    def folded_values(self, source: Operation | None) -> int:
        """Parameters that inference need not store if it alone reads ``source``."""
        return 0

    def sketch(self, shapes: Sequence[Shape]) -> tuple[str, str]:
        """What stands in the operation's box in a drawing, and under it."""
        first, *rest = self.op.split("_")
        initials = "".join(word[:1] for word in (first, *rest)).upper()
        return initials if rest else first[:4], ""

    def identity(self, shapes: Sequence[Shape]) -> tuple[Any, ...]:
        """Everything about the node that makes the network what it is, but for its edges.

        Two spellings of one operation on inputs of one shape have one identity.
        """
        return (*self._written(without=("id", "inputs")), ("padding", None))

    def _written(self, *, without: tuple[str, ...]) -> list[tuple[str, Any]]:
        names = (name for name in type(self).model_fields if name not in without)
        return [(name, getattr(self, name)) for name in names]

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some attributes changed and nothing else remembered."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("_inferred", None)
        copy.__dict__.pop("_counted", None)
        return copy

    @cached_property
    def _inferred(self) -> dict[tuple[Shape, ...], Shape]:
        return {}

    @cached_property
    def _counted(self) -> dict[tuple[Shape, ...], Counts]:
        return {}

    def shape(self, shapes: tuple[Shape, ...]) -> Shape:
        """What :meth:`infer` gives, remembered."""
        known = self._inferred.get(shapes)
        if known is None:
            known = self._inferred[shapes] = self.infer(shapes)
        return known

    def counts(self, shapes: tuple[Shape, ...]) -> Counts:
        """What it costs, remembered."""
        known = self._counted.get(shapes)
        if known is None:
            known = self._counted[shapes] = Counts(
                self.parameters(shapes), self.macs(shapes), self.working_values(shapes)
            )
        return known


class Weightless(Operation, ABC):
    """An operation that trains nothing and multiplies nothing that is counted."""

    def parameters(self, shapes: Sequence[Shape]) -> int:
        return 0

    def macs(self, shapes: Sequence[Shape]) -> int:
        return 0


OPERATIONS: Models[Operation] = Models("operation", "gensynth.operations", tag="op")
"""Every operation by its name."""

Node = Annotated[Operation, OPERATIONS]
"""Any registered operation, as the type of a field."""


def feature_map(shape: Shape, op: str) -> tuple[int, int, int]:
    """A shape as (channels, height, width).

    Raises:
        ShapeError: If it is that of a flat vector.
    """
    if len(shape) != 3:
        raise ShapeError(f"{op} reads a feature map (channels, height, width), not {shape}")
    return shape[0], shape[1], shape[2]
