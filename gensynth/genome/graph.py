"""The genome: a network as a directed acyclic graph that is data and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from gensynth.errors import UserError
from gensynth.genome.canonical import canonical_hash
from gensynth.genome.ops import Count, Node, NodeId, Operation, Shape, ShapeError

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
    nodes: Annotated[tuple[Node, ...], Field(min_length=1, max_length=MAX_NODES)]
    outputs: Annotated[dict[str, NodeId], Field(min_length=1, max_length=64)]
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
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            key = ".".join(str(part) for part in first["loc"])
            problem = str(first["msg"]).removeprefix("Value error, ")
            raise GenomeError(f"{key}: {problem}" if key else problem, where=where) from error

    @model_validator(mode="after")
    def _is_a_network(self) -> Genome:
        ordered = _executable_order(self.nodes)
        object.__setattr__(self, "nodes", ordered)
        self.__dict__["shapes"] = _infer_shapes(self.input, ordered)
        _check_outputs(ordered, self.outputs)
        return self

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
        return tuple(self.shapes[source] for source in node.inputs)

    def same_network(self, other: Genome) -> bool:
        """Whether both are one network up to names, node order and provenance."""
        return self.hash == other.hash

    def described(self, *, name: str | None = None, **provenance: JsonValue) -> Genome:
        """The same network under another name, with ``provenance`` added to what is known."""
        return self.model_copy(
            update={
                "name": self.name if name is None else name,
                "provenance": {**self.provenance, **provenance},
            }
        )


def _executable_order(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Orders nodes so that each stands after all it reads; stable where that already holds.

    A depth-first post-order over the given order, iterative because a stranger chooses the depth.

    Raises:
        ValueError: For a repeated or reserved id, an unknown input or a cycle.
    """
    by_id: dict[str, Node] = {}
    for node in nodes:
        if node.id == INPUT:
            raise ValueError(f'node id "{INPUT}" is reserved for the image')
        if node.id in by_id:
            raise ValueError(f'node id "{node.id}" is used twice')
        low, high = node.arity
        if not low <= len(node.inputs) <= high:
            takes = "one input" if high == 1 else f"at least {low} inputs"
            raise ValueError(f'node "{node.id}": {node.op} takes {takes}, not {len(node.inputs)}')
        by_id[node.id] = node
    done: set[str] = {INPUT}
    if _is_executable(nodes, done):
        return nodes
    ordered: list[Node] = []
    for root in nodes:
        stack: list[tuple[Node, int]] = [(root, 0)] if root.id not in done else []
        open_ids = {root.id}
        while stack:
            node, position = stack.pop()
            if position == len(node.inputs):
                open_ids.discard(node.id)
                if node.id not in done:
                    done.add(node.id)
                    ordered.append(node)
                continue
            stack.append((node, position + 1))
            source = node.inputs[position]
            if source in done:
                continue
            if source not in by_id:
                raise ValueError(f'node "{node.id}" reads "{source}", which does not exist')
            if source in open_ids:
                raise ValueError(f'node "{node.id}" reads "{source}", which depends on it: a cycle')
            open_ids.add(source)
            stack.append((by_id[source], 0))
    return tuple(ordered)


def _is_executable(nodes: tuple[Node, ...], known: set[str]) -> bool:
    seen = set(known)
    for node in nodes:
        if not seen.issuperset(node.inputs):
            return False
        seen.add(node.id)
    return True


def _infer_shapes(image: InputShape, nodes: tuple[Node, ...]) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {INPUT: image.shape}
    for node in nodes:
        try:
            shapes[node.id] = node.infer([shapes[source] for source in node.inputs])
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
