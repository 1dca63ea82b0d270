"""The control of a search: a known network made as small by scaling all of its widths alike."""

from __future__ import annotations

from gensynth.cost import cost
from gensynth.genome import Conv, Genome

STEPS = 128


def thinned(genome: Genome, params: float) -> Genome:
    """The largest uniform thinning that has at most so many parameters.

    Every convolution keeps the same share of its channels, in steps of 1/128, rounded to whole
    channels and at least one. For networks of plain convolutions: groups are not thinned.

    Args:
        genome: Network.
        params: Bound.

    Raises:
        ValueError: If even one channel everywhere is too large.
    """
    for step in range(STEPS, 0, -1):
        scaled = _scaled(genome, step / STEPS)
        if cost(scaled).params <= params:
            return scaled
    raise ValueError(f"{genome.name} cannot be thinned to {params:,.0f} parameters")


def _scaled(genome: Genome, factor: float) -> Genome:
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
