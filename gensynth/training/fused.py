"""A network's forward and backward pass in training, in as few steps as its graph allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from gensynth.genome import INPUT, Activation, Add, BatchNorm, Conv, Genome, Operation
from gensynth.network import Conv2d, Network
from gensynth.training.steps import Step, addition, convolution, normalisation


class Fused(nn.Module):
    """Computes in training what a network computes, in fewer passes over memory.

    Outputs, gradients and running statistics are those of the network up to rounding. A
    normalisation takes along the sum of two that is its only reader, and either of them the
    rectifier, as long as nobody else reads what is in between. Convolutions to few channels compute
    several pixels at once. In evaluation mode it is the network itself.

    Args:
        network: Whose layers are used and whose statistics are updated.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self._plan = _plan(network)

    def forward(self, images: Tensor) -> Tensor | dict[str, Tensor]:
        """The output for images, float32 (N, C, H, W), or several by name; bfloat16 under autocast.

        Raises:
            ValueError: If the images do not have the genome's shape, or are not float32.
        """
        if not self.training:
            return cast("Tensor | dict[str, Tensor]", self.network(images))
        genome = self.network.genome
        if images.shape[1:] != genome.input.shape or images.dtype != torch.float32:
            raise ValueError(
                f"the network reads float32 images of {genome.input.shape}, "
                f"not {images.dtype} of {tuple(images.shape[1:])}"
            )
        values = {INPUT: images}
        for planned in self._plan:
            values[planned.target] = planned.step(*[values[name] for name in planned.sources])
        found = {name: values[node] for name, node in genome.outputs.items()}
        return found if len(found) > 1 else next(iter(found.values()))


@dataclass(frozen=True)
class _Planned:
    """A step and the values that it takes and gives, all named after nodes."""

    step: Step
    sources: tuple[str, ...]
    target: str


def _plan(network: Network) -> tuple[_Planned, ...]:
    genome = network.genome
    layers = dict(zip((node.id for node in genome.nodes), network.layers.values(), strict=True))
    return tuple(
        _Planned(_step(chain, layers), _sources(chain), chain[-1].id) for chain in _chains(genome)
    )


def _chains(genome: Genome) -> list[tuple[Operation, ...]]:
    """All nodes, in an order in which they can run, those together that are computed in one step.

    In a chain each node is the only reader of the one before. It runs where its last node stands.
    """
    readers: dict[str, list[Operation | None]] = {name: [] for name in genome.shapes}
    for node in genome.nodes:
        for source in node.inputs:
            readers[source].append(node)
    for name in genome.outputs.values():
        readers[name].append(None)
    chains: dict[str, tuple[Operation, ...]] = {}
    taken: set[str] = set()
    for node in genome.nodes:
        if node.id in taken:
            continue
        chain: list[Operation] = [node]
        while len(following := readers[chain[-1].id]) == 1:
            (reader,) = following
            if reader is None or reader.id in taken or not _continues(chain, reader):
                break
            chain.append(reader)
        taken.update(member.id for member in chain)
        chains[chain[-1].id] = tuple(chain)
    return [chains[node.id] for node in genome.nodes if node.id in chains]


def _continues(chain: Sequence[Operation], reader: Operation) -> bool:
    match chain[-1], reader:
        case BatchNorm(), Add():
            return len(reader.inputs) == 2
        case ((BatchNorm() | Add()), Activation()):
            return reader.op in _RECTIFIERS
    return False


def _sources(chain: Sequence[Operation]) -> tuple[str, ...]:
    inside = {node.id for node in chain}
    return tuple(name for node in chain for name in node.inputs if name not in inside)


def _step(chain: Sequence[Operation], layers: Mapping[str, nn.Module]) -> Step:
    layer, slope = layers[chain[0].id], _slope(chain[-1], layers[chain[-1].id])
    match chain[0]:
        case Conv():
            return convolution(cast(Conv2d, layer))
        case BatchNorm():
            return normalisation(cast(nn.BatchNorm2d, layer), slope)
        case Add():
            return addition(slope)
    return _layer(layer) if slope == 1 else addition(slope)


def _layer(layer: nn.Module) -> Step:
    """Any layer; one that overwrites what it reads gets a copy, which others may have kept."""
    overwrites = getattr(layer, "inplace", False)

    def step(*inputs: Tensor) -> Tensor:
        read = [value.clone() for value in inputs] if overwrites else list(inputs)
        return cast(Tensor, layer(read[0] if len(read) == 1 else read))

    return step


_RECTIFIERS = ("relu", "leaky_relu")


def _slope(node: Operation, layer: nn.Module) -> float:
    """Below zero; 1 where it is no rectifier."""
    if not isinstance(node, Activation) or node.op not in _RECTIFIERS:
        return 1.0
    return layer.negative_slope if isinstance(layer, nn.LeakyReLU) else 0.0
