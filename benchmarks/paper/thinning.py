"""The control of a search: its prototype made as small by scaling all of its widths alike."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from gensynth.cost import cost
from gensynth.genome import INPUT, Add, Conv, Genome, Operation
from gensynth.training.columns import columns

STEPS = 128


def control(prototype: Genome, found: Genome, metric: str) -> Genome:
    """φ thinned to a network's cost, with as many columns and cells as the network has.

    So the two differ in how widths and layers are laid out, and in nothing that scaling does.

    Args:
        prototype: φ of the search.
        found: The network.
        metric: The cost in which they are to be equal: ``params``, ``macs`` or another metric of
            :func:`gensynth.cost.cost`.

    Raises:
        ValueError: If φ cannot be made so small, or not with the same cells.
    """
    ours = columns(found)
    column = columns(prototype)[0].model_copy(update={"name": prototype.name})
    column = _with_head(column, ours[0])
    return thinned(_side_by_side(column, len(ours)), _cost(found, metric), metric)


def thinned(genome: Genome, bound: float, metric: str = "params") -> Genome:
    """The largest uniform thinning that costs at most so much.

    Every convolution keeps the same share of its channels, in steps of 1/128, rounded to whole
    channels and at least one. For networks of plain convolutions: groups are not thinned.

    Args:
        genome: Network.
        bound: Greatest cost.
        metric: Of what: a metric of :func:`gensynth.cost.cost`.

    Raises:
        ValueError: If even one channel everywhere costs more.
    """
    steps = range(1, STEPS + 1)
    within = bisect_right(steps, bound, key=lambda step: _cost(_scaled(genome, step), metric))
    if within == 0:
        raise ValueError(f"{genome.name} cannot be thinned to {metric} {bound:,.0f}")
    return _scaled(genome, steps[within - 1])


def _cost(genome: Genome, metric: str) -> float:
    return cost(genome).metrics()[metric]


def _scaled(genome: Genome, step: int) -> Genome:
    factor = step / STEPS
    nodes = tuple(
        node.model_copy(update={"out_channels": max(1, round(factor * node.out_channels))})
        if isinstance(node, Conv)
        else node
        for node in genome.nodes
    )
    return Genome(
        name=f"{genome.name} thinned to {factor:.3g}",
        input=genome.input,
        nodes=nodes,
        outputs=genome.outputs,
        provenance={**genome.provenance, "thinned": factor},
    )


def _with_head(genome: Genome, other: Genome) -> Genome:
    """A network that pools its last maps as another one does."""
    ours, theirs = _pool(genome), _pool(other)
    pool = theirs.model_copy(update={"id": ours.id, "inputs": ours.inputs})
    changed = _rebuilt(genome, [pool if node.id == ours.id else node for node in genome.nodes])
    if changed.shapes[ours.id][1:] != other.shapes[theirs.id][1:]:
        raise ValueError(f"{genome.name} has no cells as {other.name} has them")
    return changed


def _pool(genome: Genome) -> Operation:
    """The last node whose output still has places."""
    return [node for node in genome.nodes if len(genome.shapes[node.id]) == 3][-1]


def _side_by_side(column: Genome, count: int) -> Genome:
    """So many copies of a network, whose outputs are added."""
    if count == 1:
        return column
    ((name, last),) = column.outputs.items()
    nodes = [
        node.model_copy(update={"id": _named(number, node.id), "inputs": _read(number, node)})
        for number in range(count)
        for node in column.nodes
    ]
    answers = tuple(_named(number, last) for number in range(count))
    return _rebuilt(column, [*nodes, Add(id="columns", inputs=answers)], {name: "columns"})


def _named(number: int, node: str) -> str:
    return node if node == INPUT else f"column{number + 1}.{node}"


def _read(number: int, node: Operation) -> tuple[str, ...]:
    return tuple(_named(number, source) for source in node.inputs)


def _rebuilt(
    genome: Genome, nodes: Sequence[Operation], outputs: Mapping[str, str] | None = None
) -> Genome:
    return Genome(
        name=genome.name,
        input=genome.input,
        nodes=tuple(nodes),
        outputs=dict(outputs or genome.outputs),
        provenance=genome.provenance,
    )
