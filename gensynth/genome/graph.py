"""The genome: a network as a directed acyclic graph that is data and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from gensynth.errors import UserError
from gensynth.genome.canonical import canonical_hash
from gensynth.genome.operations import Count, Node, NodeId, Operation, Shape, ShapeError
from gensynth.validation import validate

if TYPE_CHECKING:
    from gensynth.network import Network

INPUT = "input"
MAX_NODES = 10_000


class GenomeError(UserError):
    """A genome that is not a network."""


class InputShape(BaseModel):
    """Shape of one image: channels, and height and width in pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: Count
    height: Count
    width: Count

    @property
    def shape(self) -> Shape:
        """(channels, height, width)."""
        return self.channels, self.height, self.width


class Genome(BaseModel):
    """A network, typed and versioned.

    ``nodes`` may come in any order and are kept in an executable one: the given order wherever it
    is executable. That order is also the schedule of :func:`gensynth.cost.cost`'s peak memory.

    Attributes:
        name: A label for people; not part of the network's identity.
        input: Shape of the image.
        nodes: The operations.
        outputs: Name of each output and the node that gives it.
        provenance: Where the genome comes from (prototype, space, seed, metrics, ...).

    Raises:
        pydantic.ValidationError: If the data is not a network. :meth:`parse` raises a one-line
            :class:`GenomeError` instead.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["gensynth.genome"] = "gensynth.genome"
    version: Literal[1] = 1
    name: Annotated[str, Field(min_length=1, max_length=256)] = "network"
    input: InputShape
    nodes: Annotated[
        tuple[Node, ...], Field(max_length=MAX_NODES, json_schema_extra={"minItems": 1})
    ]
    outputs: Annotated[dict[NodeId, NodeId], Field(min_length=1, max_length=64)]
    provenance: dict[str, JsonValue] = Field(default_factory=dict)

    @classmethod
    def parse(cls, data: Any, *, where: str = "genome") -> Genome:
        """Validates plain data.

        Args:
            data: What ``json.loads`` gives.
            where: The file, for the error.

        Raises:
            GenomeError: One line that names the file, the key and what is wrong.
        """
        try:
            return validate(cls, data, where=where)
        except UserError as error:
            raise GenomeError(error.problem, where=error.where, remedy=error.remedy) from error

    @classmethod
    def constructed(
        cls, *, input: InputShape, nodes: tuple[Node, ...], outputs: dict[str, str], **labels: Any
    ) -> Genome:
        """A genome whose maker answers for it: nothing is checked, and it is made in microseconds.

        Args:
            input: Shape of the image.
            nodes: Valid operations in an executable order, each of which feeds an output.
            outputs: Name of each output and its node.
            labels: ``name`` and ``provenance``.
        """
        return cls.model_construct(input=input, nodes=nodes, outputs=outputs, **labels)

    @model_validator(mode="after")
    def _is_a_network(self) -> Genome:
        ordered = _executable_order(self.nodes)
        object.__setattr__(self, "nodes", ordered)
        self.__dict__["shapes"] = _infer_shapes(self.input, ordered)
        _check_outputs(ordered, self.outputs)
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some attributes changed; like any copy of pydantic, it is not validated."""
        copy = super().model_copy(update=update, deep=deep)
        if {"input", "nodes", "outputs"} & set(update or ()):
            copy.__dict__.pop("shapes", None)
            copy.__dict__.pop("hash", None)
        return copy

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        """Shape of every node's output, and of ``"input"``, per sample."""
        return _infer_shapes(self.input, self.nodes)

    @cached_property
    def hash(self) -> str:
        """Canonical SHA-256 in hex: equal exactly for networks equal up to node names and order."""
        return canonical_hash(self.nodes, self.shapes, self.outputs)

    def input_shapes(self, node: Operation) -> tuple[Shape, ...]:
        """Shapes that ``node`` reads."""
        shapes = self.shapes
        return tuple([shapes[source] for source in node.inputs])

    def same_network(self, other: Genome) -> bool:
        """Whether both are one network up to names, node order and provenance."""
        return self.hash == other.hash

    def build(self, *, seed: int = 0) -> Network:
        """The network as a ``torch.nn.Module`` with fresh weights.

        Args:
            seed: Of the weights.

        Raises:
            UserError: If the network is larger than what is built without being asked twice, see
                :func:`gensynth.network.build`.
        """
        from gensynth.network import build

        return build(self, seed=seed)

    def _repr_svg_(self) -> str:
        """The drawing that a notebook shows."""
        from gensynth.report.drawing import draw

        return draw(self).svg()

    def described(self, *, name: str | None = None, **provenance: JsonValue) -> Genome:
        """The same network under another name, with ``provenance`` added to what is known."""
        return self.model_copy(
            update={
                "name": self.name if name is None else name,
                "provenance": {**self.provenance, **provenance},
            }
        )


def _index(nodes: tuple[Node, ...]) -> dict[str, Node]:
    """Nodes by id.

    Raises:
        ValueError: Without nodes, or for a repeated or reserved id, an unknown input or a wrong
            number of inputs.
    """
    if not nodes:
        raise ValueError("a network needs at least one node")
    by_id = {node.id: node for node in nodes}
    if INPUT in by_id:
        raise ValueError(f'node id "{INPUT}" is reserved for the image')
    if len(by_id) < len(nodes):
        twice = next(node.id for node in reversed(nodes) if by_id[node.id] is not node)
        raise ValueError(f'node id "{twice}" is used twice')
    for node in nodes:
        low, high = node.arity
        if not low <= len(node.inputs) <= high:
            takes = "one input" if high == 1 else f"at least {low} inputs"
            raise ValueError(f'node "{node.id}": {node.op} takes {takes}, not {len(node.inputs)}')
        for source in node.inputs:
            if source not in by_id and source != INPUT:
                raise ValueError(f'node "{node.id}" reads "{source}", which does not exist')
    return by_id


def _executable_order(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Orders nodes so that each stands after all it reads; the given order where that holds.

    Raises:
        ValueError: For a repeated or reserved id, an unknown input or a cycle.
    """
    by_id = _index(nodes)
    if _is_executable(nodes):
        return nodes
    try:
        order = TopologicalSorter({node.id: node.inputs for node in nodes}).static_order()
        return tuple(by_id[name] for name in order if name != INPUT)
    except CycleError as error:
        cycle = ", ".join(error.args[1][:4])
        raise ValueError(f"nodes read each other in a cycle: {cycle}, ...") from error


def _is_executable(nodes: tuple[Node, ...]) -> bool:
    seen = {INPUT}
    for node in nodes:
        if not seen.issuperset(node.inputs):
            return False
        seen.add(node.id)
    return True


def _infer_shapes(image: InputShape, nodes: tuple[Node, ...]) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {INPUT: image.shape}
    for node in nodes:
        try:
            shapes[node.id] = node.shape(tuple([shapes[source] for source in node.inputs]))
        except ShapeError as error:
            raise ValueError(f'node "{node.id}": {error}') from error
    return shapes


def _check_outputs(nodes: tuple[Node, ...], outputs: Mapping[str, str]) -> None:
    ids = {node.id for node in nodes}
    for name, source in outputs.items():
        if source not in ids:
            raise ValueError(f'output "{name}" is node "{source}", which does not exist')
    used = set(outputs.values())
    for node in reversed(nodes):
        if node.id not in used:
            raise ValueError(f'node "{node.id}" feeds no output; remove it or connect it')
        used.update(node.inputs)
