"""A network's forward and backward pass in training, in as few steps as its graph allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, autograd, nn
from torch.autograd.function import once_differentiable

from gensynth.genome import INPUT, Activation, Add, BatchNorm, Conv, Genome, Operation
from gensynth.network import Network
from gensynth.training.steps import Addition, Chain, Layer, Step


class Fused(nn.Module):
    """Computes in training what a network computes, in fewer passes over memory.

    Outputs, gradients and running statistics are those of the network up to rounding. A convolution
    takes along the normalisation that is its only reader, that takes along the sum of two, and
    any of them the rectifier, as long as nobody else reads what is in between. Going back, what
    several readers say of a value is added in the pass that needs the sum, and no pass of its own.
    In evaluation mode it is the network itself.

    Args:
        network: Whose layers are used and whose statistics are updated.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self._outputs = tuple(network.genome.outputs.values())
        self._plan = _plan(network)
        self._learned = [value for planned in self._plan for value in planned.step.parameters]

    def forward(self, images: Tensor) -> Tensor | dict[str, Tensor]:
        """The output for images, float32 (N, C, H, W), or several by name; bfloat16 under autocast.

        Raises:
            ValueError: If the images do not have the genome's shape, or are not float32.
        """
        if not self.training:
            return cast("Tensor | dict[str, Tensor]", self.network(images))
        if images.shape[1:] != self.network.genome.input.shape or images.dtype != torch.float32:
            raise ValueError(
                f"the network reads float32 images of {self.network.genome.input.shape}, "
                f"not {images.dtype} of {tuple(images.shape[1:])}"
            )
        values = _run(self._plan, self._outputs, images, *self._learned)
        names = self.network.genome.outputs
        return values[0] if len(names) == 1 else dict(zip(names, values, strict=True))


@dataclass(frozen=True)
class _Planned:
    """A step and the values that it takes and gives, all named after nodes.

    Attributes:
        released: Values that no later step reads.
    """

    step: Step
    sources: tuple[str, ...]
    target: str
    released: tuple[str, ...]


class _Pass(autograd.Function):
    """All steps; their parameters are arguments, so that autograd sees them."""

    @staticmethod
    def forward(
        ctx: Any, plan: Sequence[_Planned], outputs: Sequence[str], images: Tensor, *given: Tensor
    ) -> tuple[Tensor, ...]:
        values, records = {INPUT: images}, []
        for planned in plan:
            value, saved = planned.step.forward(*[values[name] for name in planned.sources])
            records.append(saved)
            for name in planned.released:
                del values[name]
            values[planned.target] = value
        ctx.plan, ctx.outputs, ctx.records = plan, outputs, records
        return tuple(values[name].detach() for name in outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: Tensor) -> tuple[Any, ...]:
        wanted = ctx.needs_input_grad[2]
        gradients: dict[str, list[Tensor]] = {}
        for name, gradient in zip(ctx.outputs, given, strict=True):
            gradients.setdefault(name, []).append(gradient)
        found: list[Tensor | None] = []
        for planned, saved in zip(reversed(ctx.plan), reversed(ctx.records), strict=True):
            needed = wanted or planned.sources != (INPUT,)
            of_sources, of_parameters = planned.step.backward(
                saved, gradients.pop(planned.target), needed
            )
            for name, value in zip(planned.sources, of_sources, strict=True):
                if value is not None:
                    gradients.setdefault(name, []).append(value)
            found[:0] = of_parameters
        of_images = sum(gradients[INPUT]) if wanted else None
        return None, None, of_images, *found


_run: Callable[..., tuple[Tensor, ...]] = _Pass.apply


def _plan(network: Network) -> tuple[_Planned, ...]:
    genome = network.genome
    layers = dict(zip((node.id for node in genome.nodes), network.layers.values(), strict=True))
    chains = _chains(genome)
    drafts = [(_step(chain, layers), _sources(chain), chain[-1].id) for chain in chains]
    last = {name: at for at, (_, sources, _) in enumerate(drafts) for name in sources}
    last |= dict.fromkeys(genome.outputs.values(), len(drafts))
    return tuple(
        _Planned(step, sources, target, tuple(n for n in dict.fromkeys(sources) if last[n] == at))
        for at, (step, sources, target) in enumerate(drafts)
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
        case Conv(), BatchNorm():
            return True
        case BatchNorm(), Add():
            return len(reader.inputs) == 2
        case ((Conv() | BatchNorm() | Add()), Activation()):
            return reader.op in _RECTIFIERS
    return False


def _sources(chain: Sequence[Operation]) -> tuple[str, ...]:
    inside = {node.id for node in chain}
    return tuple(name for node in chain for name in node.inputs if name not in inside)


def _step(chain: Sequence[Operation], layers: Mapping[str, nn.Module]) -> Step:
    kinds = {type(node): layers[node.id] for node in chain}
    slope = _slope(chain[-1], layers[chain[-1].id])
    if isinstance(chain[0], Conv | BatchNorm):
        conv, norm = kinds.get(Conv), kinds.get(BatchNorm)
        return Chain(cast(Any, conv), cast(Any, norm), Add in kinds, slope)
    if Add in kinds or slope != 1:
        return Addition(slope)
    return Layer(layers[chain[0].id])


_RECTIFIERS = ("relu", "leaky_relu")


def _slope(node: Operation, layer: nn.Module) -> float:
    """Below zero; 1 where it is no rectifier."""
    if not isinstance(node, Activation) or node.op not in _RECTIFIERS:
        return 1.0
    return layer.negative_slope if isinstance(layer, nn.LeakyReLU) else 0.0
