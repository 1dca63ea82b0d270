"""Networks side by side, whose class scores are added: told apart, and put together again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from gensynth.genome import INPUT, Add, Genome, Operation
from gensynth.network import Network, build
from gensynth.training.precision import keep_slow_layers_in_float32


def columns(genome: Genome) -> tuple[Genome, ...]:
    """The networks whose sum a network's answer is.

    Args:
        genome: A network with one output.

    Returns:
        One network for each term of the sum, its nodes named as in ``genome``; ``genome`` alone if
        it does not end in a sum, or if two terms have a layer in common.
    """
    nodes = {node.id: node for node in genome.nodes}
    (output,) = genome.outputs.values()
    last = nodes[output]
    if not isinstance(last, Add):
        return (genome,)
    behind = [_behind(nodes, term) for term in last.inputs]
    if sum(map(len, behind)) > len(set().union(*behind)):
        return (genome,)
    return tuple(
        Genome.constructed(
            name=f"{genome.name}, column {number}",
            input=genome.input,
            nodes=tuple(node for node in genome.nodes if node.id in own),
            outputs=dict.fromkeys(genome.outputs, term),
        )
        for number, (own, term) in enumerate(zip(behind, last.inputs, strict=True), 1)
    )


def together(genome: Genome, parts: Sequence[Network]) -> Network:
    """The network of which each column has weights of its own, in evaluation mode.

    Args:
        genome: The whole network.
        parts: Each column, on one device.
    """
    device = next((value.device for value in parts[0].parameters()), torch.device("cpu"))
    network = build(genome, seed=0, device=device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    states = [part.state_dict() for part in parts]
    network.load_state_dict({name: value for state in states for name, value in state.items()})
    if device.type == "cpu":
        keep_slow_layers_in_float32(network)
    return network.eval()


def column_seed(seed: int, number: int) -> int:
    """Seed of a column: that of the whole for the first one, from 0, and independent ones."""
    if number == 0:
        return seed
    return int(np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)[0] >> 1)


def _behind(nodes: Mapping[str, Operation], last: str) -> set[str]:
    """A node and all that it is computed from, the image apart."""
    found, waiting = set(), [last]
    while waiting:
        name = waiting.pop()
        if name != INPUT and name not in found:
            found.add(name)
            waiting += nodes[name].inputs
    return found
