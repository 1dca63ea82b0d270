"""A genome as a person would draw it: one block for a layer with its normalisation and activation.

Sums that only one block reads, or that directly follow a convolution as in ResNet, become a mark on
that block, so that the drawing shows layers and where their inputs come from, and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gensynth.genome import (
    INPUT,
    Activation,
    Add,
    BatchNorm,
    Concat,
    Conv,
    Dropout,
    Flatten,
    Genome,
    GlobalAvgPool,
    Linear,
    Operation,
    Pool,
    Shape,
)

Kind = Literal["input", "conv", "pointwise", "depthwise", "pool", "dense", "merge", "other"]
Port = Literal["in", "sum_before", "sum_after"]


@dataclass
class Block:
    """Operations drawn as one box.

    Attributes:
        id: Id of the operation that the block is about.
        kind: What the box looks like.
        shape: Shape of the block's output.
        label: What stands in the box: its width.
        note: What stands under the box: kernel and stride; empty where there is nothing to say.
        members: Every operation in the block, in order.
        activated: Whether a non-linearity is part of the block.
        sources: Blocks read, and the port at which each arrives.
    """

    id: str
    kind: Kind
    shape: Shape
    label: str
    note: str
    members: tuple[str, ...]
    activated: bool
    sources: list[tuple[str, Port]] = field(default_factory=list)

    @property
    def linear(self) -> bool:
        """Whether this is a convolution with no non-linearity after it."""
        return self.kind in ("conv", "pointwise", "depthwise") and not self.activated

    @property
    def tooltip(self) -> str:
        """What the block does, in full."""
        return "\n".join(self.members)


def blocks(genome: Genome) -> tuple[Block, ...]:
    """Groups a genome's nodes into blocks, each after all that it reads; the first is the input."""
    groups = _Groups(genome)
    image = Block(INPUT, "input", genome.input.shape, "input", "", ("input image",), True)
    found = [image] + [groups.block(head) for head in groups.heads]
    return tuple(found)


class _Groups:
    """Which node is drawn in which block."""

    def __init__(self, genome: Genome) -> None:
        self.shapes = genome.shapes
        self.nodes: dict[str, Operation] = {node.id: node for node in genome.nodes}
        self.readers: Mapping[str, list[str]] = _readers(genome)
        self.outputs = set(genome.outputs.values())
        self.home: dict[str, str] = {INPUT: INPUT}
        self.tails: dict[str, list[str]] = {}
        self.before: dict[str, str] = {}
        self.after: dict[str, str] = {}
        for node in genome.nodes:
            self._place(node)
        place = {node.id: number for number, node in enumerate(genome.nodes)}
        self.heads = tuple(sorted(self.tails, key=lambda head: place[self.tails[head][-1]]))

    def _place(self, node: Operation) -> None:
        if isinstance(node, Add):
            reader = self._only_reader(node.id)
            follows = self._plain_layer_before(node)
            if follows is not None:
                self.after[follows] = node.id
                self._append(follows, node.id)
            elif reader is not None and _takes_a_sum(self.nodes[reader]):
                self.before[reader] = node.id
                self.home[node.id] = reader
            else:
                self._open(node.id)
        elif isinstance(node, _FOLLOWERS) and self._continues(node):
            self._append(self.home[node.inputs[0]], node.id)
        else:
            self._open(node.id)

    def _open(self, node: str) -> None:
        self.home[node] = node
        self.tails[node] = [node]

    def _append(self, head: str, node: str) -> None:
        self.home[node] = head
        self.tails[head].append(node)

    def _only_reader(self, node: str) -> str | None:
        readers = self.readers[node]
        return readers[0] if len(readers) == 1 and node not in self.outputs else None

    def _continues(self, node: Operation) -> bool:
        source = node.inputs[0]
        if source == INPUT or self._only_reader(source) != node.id:
            return False
        return self.home[source] in self.tails

    def _plain_layer_before(self, add: Add) -> str | None:
        """The convolution whose activation waits for this sum, the last one if there are several.

        It needs an activation after the sum: without one the sum belongs to its reader.
        """
        reader = self._only_reader(add.id)
        if reader is None or not isinstance(self.nodes[reader], Activation):
            return None
        candidates = [
            head
            for source in add.inputs
            if (head := self.home[source]) in self.tails
            and self.tails[head][-1] == source
            and self._only_reader(source) == add.id
            and isinstance(self.nodes[head], Conv)
            and not self._activated(head)
        ]
        order = list(self.tails)
        return max(candidates, key=order.index, default=None)

    def _activated(self, head: str) -> bool:
        return any(isinstance(self.nodes[node], Activation) for node in self.tails[head])

    def block(self, head: str) -> Block:
        node = self.nodes[head]
        read = [self.shapes[source] for source in node.inputs]
        label, note = node.sketch(read)
        members = [self.before[head]] if head in self.before else []
        members += self.tails[head]
        last = self.tails[head][-1]
        return Block(
            id=head,
            kind=_kind(node, read),
            shape=self.shapes[last],
            label=label,
            note=note,
            members=tuple(f"{name}: {describe(self.nodes[name], self.shapes)}" for name in members),
            activated=self._activated(head),
            sources=self._sources(head),
        )

    def _sources(self, head: str) -> list[tuple[str, Port]]:
        found: dict[tuple[str, Port], None] = {}
        first = self.before.get(head)
        read = self.nodes[first].inputs if first is not None else self.nodes[head].inputs
        for source in read:
            found[self.home[source], "in" if first is None else "sum_before"] = None
        last = self.after.get(head)
        if last is not None:
            for source in self.nodes[last].inputs:
                if self.home[source] != head:
                    found[self.home[source], "sum_after"] = None
        return list(found)


def _takes_a_sum(reader: Operation) -> bool:
    return len(reader.inputs) == 1 and not isinstance(reader, _FOLLOWERS)


_FOLLOWERS = BatchNorm | Activation | Dropout | Flatten


def _readers(genome: Genome) -> dict[str, list[str]]:
    readers: dict[str, list[str]] = defaultdict(list)
    for node in genome.nodes:
        for source in dict.fromkeys(node.inputs):
            readers[source].append(node.id)
    return readers


def _kind(node: Operation, shapes: Sequence[Shape]) -> Kind:
    """What the box of a block about ``node`` looks like."""
    match node:
        case Conv() if node.is_depthwise(shapes):
            return "depthwise"
        case Conv():
            return "pointwise" if node.kernel == (1, 1) else "conv"
        case Pool() | GlobalAvgPool():
            return "pool"
        case Linear():
            return "dense"
        case Add() | Concat():
            return "merge"
    return "other"


def describe(node: Operation, shapes: Mapping[str, Shape]) -> str:
    """One operation in words: what it is, its attributes and the shape it gives."""
    given = node.model_dump(mode="json", exclude={"id", "op", "inputs"}, exclude_defaults=True)
    words = ", ".join(f"{key} {value}" for key, value in given.items())
    size = "×".join(str(value) for value in shapes[node.id])
    name = node.op.replace("_", " ")
    return f"{name} ({words}) → {size}" if words else f"{name} → {size}"
