"""A name for a network that does not depend on how its graph is written down.

Nodes are coloured by what they are and what surrounds them (colour refinement after Weisfeiler
and Leman 1968, one sweep down the graph and one up a round); nodes that refinement cannot tell
apart are split by trying each in turn, but for those that a symmetry already found maps to one
that was tried, and keeping the smallest result (individualisation and refinement, McKay and
Piperno 2014). The hash is over the whole graph in that canonical order, not over the colours, so
two networks share it only if they are isomorphic (or SHA-256 collides): two parallel convolutions
with weights of their own differ from one that is read twice.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gensynth.errors import UserError
from gensynth.genome.operations import Operation, Shape

MAX_STEPS = 6_000_000
MAX_SPLITS = 200
ORBIT_STEPS = 8
"""Applications of a symmetry to a node that take as long as one step over an edge."""

Colours = list[str]
Symmetry = list[int]


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
        self.size = len(nodes) + sum(map(len, self.sources))
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

    Without symmetries a few rounds of O(nodes + edges) hashes do; k interchangeable branches take
    O(k^2) rounds.

    Args:
        nodes: Operations in an executable order.
        shapes: Shape of every node's output and of ``"input"``.
        outputs: Name of each output and the node that gives it.

    Returns:
        SHA-256 in hex.

    Raises:
        UserError: If the graph has more symmetries than ``MAX_STEPS`` over nodes, edges and
            symmetries or ``MAX_SPLITS`` of tied nodes resolve, which takes a few seconds.
    """
    graph = _Graph(nodes, shapes, outputs)
    search = _Search(graph)
    leaves = search.explore(search.refine(graph.identities), MAX_SPLITS)
    return _digest(graph.encode(leaves.best))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class _Leaves:
    """Colourings below one point of the search that tell all nodes apart.

    Attributes:
        first: The one reached by always splitting the first tied node.
        best: The smallest.
        symmetries: Permutations of the nodes that leave the graph and the colours at that point
            as they are.
    """

    first: Colours
    best: Colours
    symmetries: list[Symmetry]


class _Search:
    """Splits tied nodes until all differ, within a budget.

    A colour is a digest over the node's former colours, so where two final colourings have the
    same encoding and colours, matching equal colours is a symmetry that keeps every node in the
    place that earlier splits gave it.
    """

    def __init__(self, graph: _Graph) -> None:
        self.graph = graph
        self.left = MAX_STEPS

    def spend(self, steps: int) -> None:
        """Counts work, and ends where there was enough of it."""
        self.left -= steps
        if self.left < 0:
            raise _too_symmetric()

    def refine(self, colours: Sequence[str]) -> Colours:
        """Recolours until no round tells more nodes apart; O(nodes + edges) hashes a round."""
        graph = self.graph
        classes = len(set(colours))
        refined = list(colours)
        while True:
            self.spend(graph.size)
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

    def split(self, colours: Colours, node: int) -> Colours:
        """Tells ``node`` from those of its colour."""
        marked = _digest(colours[node] + "*")
        return self.refine([*colours[:node], marked, *colours[node + 1 :]])

    def descend(self, colours: Colours) -> Colours:
        """Splits the first tied node until none is left."""
        while tied := _tied(colours):
            colours = self.split(colours, tied[0])
        return colours

    def explore(self, colours: Colours, splits: int) -> _Leaves:
        """Finds the smallest final colouring, at most ``splits`` splits deep."""
        tied = _tied(colours)
        if not tied:
            return _Leaves(colours, colours, [])
        if splits == 0:
            raise _too_symmetric()
        leaves = self.explore(self.split(colours, tied[0]), splits - 1)
        known = {self.key(leaf): leaf for leaf in (leaves.first, leaves.best)}
        explored = {tied[0]}
        for node in tied[1:]:
            orbit = _orbit(node, leaves.symmetries)
            self.spend(len(orbit) * len(leaves.symmetries) // ORBIT_STEPS)
            if explored & orbit:
                continue
            start = self.split(colours, node)
            leaf = self.descend(start)
            match = known.get(self.key(leaf))
            if match is not None:
                leaves.symmetries.append(_matching(leaf, match))
                continue
            others = self.explore(start, splits - 1)
            known |= {self.key(leaf): leaf for leaf in (others.first, others.best)}
            leaves.symmetries += others.symmetries
            leaves.best = min(leaves.best, others.best, key=self.key)
            explored.add(node)
        return leaves

    def key(self, leaf: Colours) -> tuple[str, str]:
        """What two final colourings share exactly if a symmetry maps one to the other."""
        self.spend(self.graph.size)
        return self.graph.encode(leaf), _digest("\n".join(sorted(leaf)))


def _too_symmetric() -> UserError:
    return UserError(
        "the genome's graph is too symmetric to be hashed",
        remedy="merge parallel branches of one kind into one wider branch",
    )


def _tied(colours: Colours) -> list[int]:
    """The nodes of the smallest colour that several nodes have; empty when all differ."""
    sizes = Counter(colours)
    shared = [colour for colour, size in sizes.items() if size > 1]
    if not shared:
        return []
    chosen = min(shared)
    return [node for node, colour in enumerate(colours) if colour == chosen]


def _matching(leaf: Colours, other: Colours) -> Symmetry:
    """The permutation that takes each node to the one of its colour in ``other``."""
    place = {colour: node for node, colour in enumerate(other)}
    return [place[colour] for colour in leaf]


def _orbit(node: int, symmetries: Sequence[Symmetry]) -> set[int]:
    """Where products of ``symmetries`` take ``node``.

    Inverses need no step of their own: the powers of a permutation include its inverse.
    """
    reached, waiting = {node}, [node]
    while waiting:
        start = waiting.pop()
        for symmetry in symmetries:
            if symmetry[start] not in reached:
                reached.add(symmetry[start])
                waiting.append(symmetry[start])
    return reached
