"""Branches that are the same, drawn once: three equal columns are one with "×3" on it.

A layout library places what it is given; that two branches compute the same thing only the blocks
know, so this comes before any layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gensynth.report.blocks import Block


@dataclass(frozen=True)
class Repeat:
    """Blocks that stand for ``copies`` equal branches, each with weights of its own."""

    members: frozenset[str]
    copies: int


def fold(found: Sequence[Block]) -> tuple[tuple[Block, ...], tuple[Repeat, ...]]:
    """Leaves the first of every group of equal branches that meet in one block.

    A branch is what nothing but its end reads, up to what others read too. Two are equal if their
    blocks do the same in the same order and they read the same blocks from outside.

    Args:
        found: Blocks, each after all that it reads.

    Returns:
        The blocks that remain, in order, and which of them stand for several.
    """
    kept = {block.id: block for block in found}
    repeats: list[Repeat] = []
    for target in found:
        if target.id not in kept:
            continue
        groups: dict[object, list[frozenset[str]]] = {}
        readers = _readers(kept)
        for end, port in kept[target.id].sources:
            branch = _branch(end, target.id, kept, readers)
            if branch:
                groups.setdefault((port, _signature(branch, kept)), []).append(branch)
        for first, *others in groups.values():
            if not others:
                continue
            gone = frozenset().union(*others)
            left = [end for end in kept[target.id].sources if end[0] not in gone]
            kept[target.id] = replace(kept[target.id], sources=left)
            kept = {name: block for name, block in kept.items() if name not in gone}
            repeats = [one for one in repeats if not one.members & gone]
            repeats.append(Repeat(first, 1 + len(others)))
    return tuple(kept.values()), tuple(repeats)


def _readers(blocks: Mapping[str, Block]) -> dict[str, set[str]]:
    readers: dict[str, set[str]] = {name: set() for name in blocks}
    for block in blocks.values():
        for source, _ in block.sources:
            readers[source].add(block.id)
    return readers


def _branch(
    end: str, target: str, blocks: Mapping[str, Block], readers: Mapping[str, set[str]]
) -> frozenset[str]:
    """What only ``end`` needs, if only ``target`` reads ``end``; nothing otherwise."""
    if readers[end] != {target} or blocks[end].kind == "input":
        return frozenset()
    inside = {end}
    for name in reversed(list(blocks)):
        if readers[name] and readers[name] <= inside and blocks[name].kind != "input":
            inside.add(name)
    return frozenset(inside)


def _signature(branch: frozenset[str], blocks: Mapping[str, Block]) -> object:
    """What a branch computes, without the names of its operations."""
    inside = [block for block in blocks.values() if block.id in branch]
    place = {block.id: number for number, block in enumerate(inside)}
    return tuple(
        (
            block.kind,
            block.shape,
            tuple(member.partition(": ")[2] for member in block.members),
            tuple((place.get(source, source), port) for source, port in block.sources),
        )
        for block in inside
    )
