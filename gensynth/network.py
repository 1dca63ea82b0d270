"""From a genome to a ``torch.nn.Module``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gensynth.cost import DEFAULT_LIMITS, Limits, check_limits
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
    SqueezeExcite,
)

Step = tuple[tuple[int, ...], int, tuple[int, ...]]
Padding = tuple[int, int, int, int]


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
        in_place = _safe_in_place(genome)
        self.layers = nn.ModuleDict(
            {
                _module_name(node.id): _module(node, genome.input_shapes(node), node.id in in_place)
                for node in genome.nodes
            }
        )
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
    nor the device changes them. Convolutions are drawn from N(0, 2 / fan_in), which keeps the
    variance of activations from layer to layer (He et al. 2015, eq. 10) also in networks without
    normalisation and in depthwise layers, where fan_out would count channels that a weight never
    sees. Linear layers are drawn from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), small enough to start
    from nearly uniform class probabilities. Biases are zero; normalisation is the identity.

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
    with torch.device(device):
        network = Network(genome)
    if torch.device(device).type != "meta":
        _initialise(network, torch.Generator().manual_seed(seed))
    return network


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


# Their derivative needs the result, not the input, so overwriting the input loses nothing.
_OVERWRITING = frozenset({"relu", "relu6", "leaky_relu", "elu"})
# Give a tensor that is theirs alone and that their own derivative does not need.
_OVERWRITABLE = (Conv, BatchNorm, Add, Concat)


def _safe_in_place(genome: Genome) -> frozenset[str]:
    """Activations that may overwrite their input without anybody noticing."""
    readers = dict.fromkeys(genome.shapes, 0)
    for source in [*genome.outputs.values(), *(s for node in genome.nodes for s in node.inputs)]:
        readers[source] += 1
    overwritable = {
        node.id
        for node in genome.nodes
        if isinstance(node, _OVERWRITABLE) and readers[node.id] == 1
    }
    return frozenset(
        node.id
        for node in genome.nodes
        if isinstance(node, Activation)
        and node.op in _OVERWRITING
        and node.inputs[0] in overwritable
    )


class Conv2d(nn.Conv2d):
    """A convolution that leaves its weights to :func:`build`, and may pad unevenly.

    Attributes:
        margin: Columns left and right, rows above and below that are padded beforehand; None where
            ``padding`` says it all.
    """

    def __init__(self, node: Conv, channels: int, pads: Padding) -> None:
        top, bottom, left, right = pads
        even = top == bottom and left == right
        super().__init__(
            channels,
            node.out_channels,
            node.kernel,
            node.stride,
            (top, left) if even else 0,
            node.dilation,
            node.groups,
            node.bias,
        )
        self.margin: Padding | None = None if even else (left, right, top, bottom)

    def reset_parameters(self) -> None:
        pass

    def forward(self, input: Tensor) -> Tensor:
        if self.margin is not None:
            input = functional.pad(input, self.margin)
        return super().forward(input)


class _Linear(nn.Linear):
    """A linear layer that leaves its weights to :func:`build`."""

    def reset_parameters(self) -> None:
        pass


class _SqueezeExcite(nn.Module):
    def __init__(self, node: SqueezeExcite, channels: int) -> None:
        super().__init__()
        self.reduce = _pointwise(channels, node.channels)
        self.activation = _ACTIVATIONS[node.activation](False)
        self.expand = _pointwise(node.channels, channels)
        self.gate = _ACTIVATIONS[node.gate](False)

    def forward(self, input: Tensor) -> Tensor:
        squeezed = self.activation(self.reduce(functional.adaptive_avg_pool2d(input, 1)))
        return input * cast(Tensor, self.gate(self.expand(squeezed)))


def _pointwise(channels: int, out_channels: int) -> Conv2d:
    node = Conv(id="pointwise", inputs=("input",), out_channels=out_channels, kernel=(1, 1))
    return Conv2d(node, channels, (0, 0, 0, 0))


class _PaddedMaxPool2d(nn.Module):
    """Maximum over windows that reach outside; what is outside never wins."""

    def __init__(self, node: Pool, pads: Padding) -> None:
        super().__init__()
        top, bottom, left, right = pads
        self.margin = (left, right, top, bottom)
        self.kernel, self.stride = node.kernel, node.stride

    def forward(self, input: Tensor) -> Tensor:
        padded = functional.pad(input, self.margin, value=-math.inf)
        return functional.max_pool2d(padded, self.kernel, self.stride)


class _PaddedAvgPool2d(nn.Module):
    """Average over windows that reach outside, of what is inside."""

    share: Tensor

    def __init__(self, node: Pool, shape: Shape, pads: Padding) -> None:
        super().__init__()
        top, bottom, left, right = pads
        self.margin = (left, right, top, bottom)
        self.kernel, self.stride = node.kernel, node.stride
        inside = functional.pad(torch.ones(1, 1, *shape[1:]), self.margin)
        share = functional.avg_pool2d(inside, self.kernel, self.stride)
        self.register_buffer("share", share, persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        padded = functional.pad(input, self.margin)
        return functional.avg_pool2d(padded, self.kernel, self.stride) / self.share


class _Add(nn.Module):
    def forward(self, inputs: list[Tensor]) -> Tensor:
        total = inputs[0] + inputs[1]
        for term in inputs[2:]:
            total += term
        return total


class _Concat(nn.Module):
    def forward(self, inputs: list[Tensor]) -> Tensor:
        return torch.cat(inputs, 1)


_ACTIVATIONS: Mapping[str, Callable[[bool], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": lambda in_place: nn.LeakyReLU(inplace=in_place),
    "elu": lambda in_place: nn.ELU(inplace=in_place),
    "gelu": lambda _: nn.GELU(),
    "silu": lambda _: nn.SiLU(),
    "hard_swish": lambda _: nn.Hardswish(),
    "sigmoid": lambda _: nn.Sigmoid(),
    "hard_sigmoid": lambda _: nn.Hardsigmoid(),
    "tanh": lambda _: nn.Tanh(),
}


def _pool(node: Pool, shape: Shape) -> nn.Module:
    pads = top, bottom, left, right = node.pads(shape)
    in_torch = top == bottom <= node.kernel[0] // 2 and left == right <= node.kernel[1] // 2
    if node.op == "max_pool":
        if in_torch:
            return nn.MaxPool2d(node.kernel, node.stride, (top, left))
        return _PaddedMaxPool2d(node, pads)
    if in_torch:
        return nn.AvgPool2d(node.kernel, node.stride, (top, left), count_include_pad=False)
    return _PaddedAvgPool2d(node, shape, pads)


def _module(node: Operation, shapes: tuple[Shape, ...], in_place: bool) -> nn.Module:
    shape = shapes[0]
    match node:
        case Conv():
            return Conv2d(node, shape[0], node.pads(shape))
        case Pool():
            return _pool(node, shape)
        case GlobalAvgPool():
            return nn.AdaptiveAvgPool2d(1)
        case BatchNorm():
            return nn.BatchNorm2d(shape[0])
        case Activation():
            return _ACTIVATIONS[node.op](in_place)
        case Add():
            return _Add()
        case Concat():
            return _Concat()
        case SqueezeExcite():
            return _SqueezeExcite(node, shape[0])
        case Dropout():
            return nn.Dropout(node.rate)
        case Flatten():
            return nn.Flatten()
        case Linear():
            return _Linear(shape[0], node.out_features, node.bias)
    raise TypeError(f"no module for {type(node).__name__}")
