"""From a genome to a ``torch.nn.Module``."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, cast

import torch
from torch import Tensor, nn

from gensynth.cost import DEFAULT_LIMITS, Limits, check_limits
from gensynth.genome import INPUT, Genome
from gensynth.genome.operations.layers import Conv2d

__all__ = ["Conv2d", "Network", "build"]

Step = tuple[tuple[int, ...], int, tuple[int, ...]]


class Network(nn.Module):
    """A genome's network.

    The nodes run one after the other in the genome's order and every tensor is released after its
    last reader. Weights and normalisation statistics are in ``state_dict()`` under
    ``layers.<node id>``, a dot in the id written as ``/``.

    Attributes:
        genome: What was built.
        layers: One module a node, in the order in which they run.
    """

    def __init__(self, genome: Genome) -> None:
        super().__init__()
        self.genome = genome
        self.layers = nn.ModuleDict(_modules(genome))
        self._steps, self._outputs, self._slots = _plan(genome)

    def forward(self, images: Tensor) -> Tensor | dict[str, Tensor]:
        """Runs the network.

        Args:
            images: Floating point, (N, C, H, W), any memory format.

        Returns:
            The output, (N, features) or (N, C, H, W); for a genome with several outputs all of
            them by name.

        Raises:
            ValueError: If the images do not have the genome's shape.
        """
        if images.shape[1:] != self.genome.input.shape:
            raise ValueError(
                f"the network reads images of {self.genome.input.shape}, not {images.shape[1:]}"
            )
        values: list[Any] = [None] * self._slots
        values[0] = images
        for layer, (sources, target, released) in zip(
            self.layers.values(), self._steps, strict=True
        ):
            if len(sources) == 1:
                value = layer(values[sources[0]])
            else:
                value = layer([values[source] for source in sources])
            for slot in released:
                values[slot] = None
            values[target] = value
        if len(self._outputs) == 1:
            return cast(Tensor, values[next(iter(self._outputs.values()))])
        return {name: values[slot] for name, slot in self._outputs.items()}


def build(
    genome: Genome,
    *,
    seed: int,
    limits: Limits = DEFAULT_LIMITS,
    device: torch.device | str = "cpu",
) -> Network:
    """Builds a genome's network with fresh weights.

    The weights depend on the genome as listed and the seed alone: neither torch's global generator
    nor the device changes them, and the global generator is left as it was. Convolutions are drawn
    from N(0, 2 / fan_in), which keeps the variance of activations from layer to layer (He et al.
    2015, eq. 10) also in networks without normalisation and in depthwise layers, where fan_out
    would count channels that a weight never sees. Linear layers are drawn from
    U(-1/sqrt(fan_in), 1/sqrt(fan_in)), small enough to start from nearly uniform class
    probabilities. Biases are zero; normalisation is the identity.

    Args:
        genome: The network.
        seed: Of the weights.
        limits: What the genome may cost; checked before anything is allocated.
        device: Where the network is to live. On ``"meta"`` nothing is allocated at all.

    Returns:
        The network, in training mode, float32.

    Raises:
        GenomeError: If the genome exceeds a limit.
    """
    check_limits(genome, limits)
    if torch.device(device).type == "meta":
        with torch.device(device):
            return Network(genome)
    with torch.device("cpu"), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = Network(genome)
    _initialise(network, torch.Generator().manual_seed(seed))
    return network.to(device)


@torch.no_grad()
def _initialise(network: nn.Module, generator: torch.Generator) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            weight = torch.empty(module.weight.shape, device="cpu")
            fan_in = math.prod(weight.shape[1:])
            if isinstance(module, nn.Linear):
                bound = 1 / math.sqrt(fan_in)
                weight.uniform_(-bound, bound, generator=generator)
            else:
                weight.normal_(0, math.sqrt(2 / fan_in), generator=generator)
            module.weight.copy_(weight)
            if module.bias is not None:
                module.bias.zero_()


def _module_name(node_id: str) -> str:
    """A node's key among the layers; ``~`` keeps it apart from the container's own attributes."""
    key = node_id.replace(".", "/")
    return f"{key}~" if hasattr(nn.ModuleDict, key) or key in _OWN_ATTRIBUTES else key


_OWN_ATTRIBUTES = frozenset(vars(nn.ModuleDict()))


def _plan(genome: Genome) -> tuple[tuple[Step, ...], dict[str, int], int]:
    """Assigns every value a slot, to be reused once its last reader has run."""
    last_use = {source: at for at, node in enumerate(genome.nodes) for source in node.inputs}
    last_use.update(dict.fromkeys(genome.outputs.values(), len(genome.nodes)))
    slots = {INPUT: 0}
    free: list[int] = []
    used = 1
    steps: list[Step] = []
    for at, node in enumerate(genome.nodes):
        dying = [source for source in dict.fromkeys(node.inputs) if last_use[source] == at]
        released = tuple(slots[source] for source in dying)
        free.extend(released)
        if free:
            target = free.pop()
        else:
            target, used = used, used + 1
        steps.append((tuple(slots[source] for source in node.inputs), target, released))
        slots[node.id] = target
    return tuple(steps), {name: slots[node] for name, node in genome.outputs.items()}, used


def _modules(genome: Genome) -> dict[str, nn.Module]:
    """A module a node, which overwrites its input where nobody can notice."""
    readers = Counter(genome.outputs.values())
    readers.update(source for node in genome.nodes for source in node.inputs)
    given_away = {node.id for node in genome.nodes if node.own_output and readers[node.id] == 1}
    modules = {}
    for node in genome.nodes:
        shapes = genome.input_shapes(node)
        module = node.module_in_place(shapes) if given_away.issuperset(node.inputs) else None
        modules[_module_name(node.id)] = node.module(shapes) if module is None else module
    return modules
