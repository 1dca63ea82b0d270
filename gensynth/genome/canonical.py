"""A name for a network that does not depend on how its graph is written down.

Nodes are coloured by what they are and what surrounds them (colour refinement after Weisfeiler
and Leman 1968, one sweep down the graph and one up a round); nodes that refinement cannot tell
apart are split by trying each in turn and keeping the smallest result (individualisation and
refinement, McKay and Piperno 2014). The hash is over the whole graph in that canonical order, not
over the colours, so two networks share it only if they are isomorphic (or SHA-256 collides): two
parallel convolutions with weights of their own differ from one that is read twice.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count

from gensynth.errors import UserError
from gensynth.genome.ops import Operation, Shape

MAX_REFINEMENTS = 20_000

Colours = list[str]


class _Graph:
    """Nodes as indices in an executable order, each with identity, sources and readers."""

    def __init__(
        self,
        nodes: Sequence[Operation],
        shapes: Mapping[str, Shape],
        outputs: Mapping[str, str],
    ) -> None:
        index = {node.id: position for position, node in enumerate(nodes)}
        names: list[list[str]] = [[] for _ in nodes]
        for name, source in outputs.items():
            names[index[source]].append(name)
        self.sources = [tuple(index.get(source, -1) for source in node.inputs) for node in nodes]
        self.ordered = [not node.commutative for node in nodes]
        self.identities = [
            repr((node.identity([shapes[source] for source in node.inputs]), sorted(given)))
            for node, given in zip(nodes, names, strict=True)
        ]
        self.image = repr(shapes["input"])
        self.readers: list[list[tuple[int, int]]] = [[] for _ in nodes]
        for reader, sources in enumerate(self.sources):
            for port, origin in enumerate(sources):
                if origin >= 0:
                    self.readers[origin].append((reader, port if self.ordered[reader] else -1))

    def encode(self, colours: Colours) -> str:
        """The graph as text, its nodes in the order of their (all different) colours."""
        order = sorted(range(len(colours)), key=colours.__getitem__)
        rank = {node: position for position, node in enumerate(order)} | {-1: -1}
        lines = [self.image]
        for node in order:
            edges = [rank[source] for source in self.sources[node]]
            lines.append(f"{self.identities[node]}{edges if self.ordered[node] else sorted(edges)}")
        return "\n".join(lines)


def canonical_hash(
    nodes: Sequence[Operation], shapes: Mapping[str, Shape], outputs: Mapping[str, str]
) -> str:
    """Hashes a network up to the names and the order of its nodes.

    Args:
        nodes: Operations in an executable order.
        shapes: Shape of every node's output and of ``"input"``.
        outputs: Name of each output and the node that gives it.

    Returns:
        SHA-256 in hex.

    Raises:
        UserError: If the graph has so many symmetries of different kinds that
            ``MAX_REFINEMENTS`` do not tell its nodes apart.
    """
    graph = _Graph(nodes, shapes, outputs)
    budget = count()
    colours = _refine(graph, graph.identities, budget)
    return _digest(_smallest_encoding(graph, colours, budget))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _refine(graph: _Graph, colours: Sequence[str], budget: count[int]) -> Colours:
    """Recolours until no round tells more nodes apart; O((nodes + edges) log) a round."""
    classes = len(set(colours))
    refined = list(colours)
    while True:
        if next(budget) >= MAX_REFINEMENTS:
            raise UserError(
                "the genome's graph is too symmetric to be hashed",
                remedy="merge parallel branches of one kind into one wider branch",
            )
        for node, sources in enumerate(graph.sources):
            seen = [refined[source] if source >= 0 else "" for source in sources]
            seen = seen if graph.ordered[node] else sorted(seen)
            refined[node] = _digest("\n".join([refined[node], *seen]))
        for node in range(len(refined) - 1, -1, -1):
            seen = sorted(f"{refined[reader]}{port}" for reader, port in graph.readers[node])
            refined[node] = _digest("\n".join([refined[node], *seen]))
        found = len(set(refined))
        if found == classes:
            return refined
        classes = found


def _split(graph: _Graph, colours: Colours, node: int, budget: count[int]) -> Colours:
    marked = [*colours[:node], _digest(colours[node] + "*"), *colours[node + 1 :]]
    return _refine(graph, marked, budget)


def _tied(colours: Colours) -> list[int]:
    """The nodes of the smallest colour that several nodes have; empty when all differ."""
    sizes = Counter(colours)
    shared = [colour for colour, size in sizes.items() if size > 1]
    if not shared:
        return []
    chosen = min(shared)
    return [node for node, colour in enumerate(colours) if colour == chosen]


def _greedy_encoding(graph: _Graph, colours: Colours, budget: count[int]) -> tuple[str, Colours]:
    while tied := _tied(colours):
        colours = _split(graph, colours, tied[0], budget)
    return graph.encode(colours), colours


def _smallest_encoding(graph: _Graph, colours: Colours, budget: count[int]) -> str:
    """The least encoding over every way to break ties.

    Where two tied nodes stand at one place of equal greedy encodings, an automorphism maps one to
    the other, and following one of them is enough.
    """
    tied = _tied(colours)
    if not tied:
        return graph.encode(colours)
    branches: dict[tuple[str, int], Colours] = {}
    for node in tied:
        split = _split(graph, colours, node, budget)
        encoding, final = _greedy_encoding(graph, split, budget)
        place = sum(colour < final[node] for colour in final)
        branches.setdefault((encoding, place), split)
    return min(_smallest_encoding(graph, split, budget) for split in branches.values())
