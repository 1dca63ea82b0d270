"""A network's forward and backward pass in training, in as few steps as its graph allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gensynth.genome import INPUT, Activation, Add, BatchNorm, Conv, Genome, Operation
from gensynth.network import Conv2d, Network
from gensynth.training import kernels
from gensynth.training.precision import has_slow_gradient_in_bfloat16, is_slow_in_bfloat16


@dataclass(frozen=True)
class _Step:
    """What computes one value from others, all named after nodes."""

    run: Callable[..., Tensor]
    sources: tuple[str, ...]
    target: str
    released: tuple[str, ...]


class Fused(nn.Module):
    """Computes in training what a network of one output computes, in fewer passes over memory.

    Outputs, gradients and running statistics are those of the network up to rounding. A convolution
    takes along the normalisation that is its only reader, that takes along the sum of two, and
    either the rectifier, as long as nobody else reads what is in between.

    Args:
        network: Whose layers are used and whose statistics are updated.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        (self._output,) = network.genome.outputs.values()
        self._steps = _steps(network)

    def forward(self, images: Tensor) -> Tensor:
        """The output for images, float32 (N, C, H, W); in bfloat16 under autocast."""
        values = {INPUT: images}
        for step in self._steps:
            value = step.run(*[values[name] for name in step.sources])
            for name in step.released:
                del values[name]
            values[step.target] = value
        return values[self._output]


@dataclass(frozen=True)
class _Chain:
    """Layers that are computed in one step; those that are missing are None.

    The sum is that of the result so far and a second argument.
    """

    conv: Conv2d | None = None
    norm: nn.BatchNorm2d | None = None
    add: nn.Module | None = None
    rectifier: nn.Module | None = None

    def __call__(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        half = self.conv is not None and torch.is_autocast_enabled("cpu")
        dtype = torch.bfloat16 if half else x.dtype
        if residual is not None:
            residual = residual.to(dtype)
        if self.conv is not None and self.conv.margin is not None:
            x = functional.pad(x, self.conv.margin)
        weights = (None, None) if self.conv is None else (self.conv.weight, self.conv.bias)
        affine = (None, None) if self.norm is None else (self.norm.weight, self.norm.bias)
        return _compute(self, dtype, x, residual, *weights, *affine)


class _Fused(torch.autograd.Function):
    """A chain; its parameters are arguments, so that autograd sees them."""

    @staticmethod
    def forward(
        ctx: Any,
        chain: _Chain,
        dtype: torch.dtype,
        x: Tensor,
        residual: Tensor | None,
        weight: Tensor | None,
        bias: Tensor | None,
        scale: Tensor | None,
        shift: Tensor | None,
    ) -> Tensor:
        ctx.chain, ctx.given, ctx.added = chain, x.dtype, residual is not None
        out = _last(x)
        if chain.conv is not None and weight is not None:
            computed = torch.float32 if is_slow_in_bfloat16(chain.conv) else dtype
            x, weight = out.to(computed), weight.to(computed)
            bias = None if bias is None else bias.to(computed)
            out = _last(_CONVOLVE(x, weight, bias, *_geometry(chain.conv)).to(dtype))
        z, saved = out, None
        if chain.norm is not None and scale is not None and shift is not None:
            out, saved = _normalise(chain, z, residual, scale, shift)
        elif chain.rectifier is not None:
            kernels.rectify(dtype is torch.bfloat16, out.numel(), out.data_ptr())
        seen = out if chain.rectifier is not None else None
        ctx.save_for_backward(x, weight, z if saved is not None else None, seen, scale, saved)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        x, weight, z, seen, scale, saved = ctx.saved_tensors
        chain: _Chain = ctx.chain
        gradient = _last(gradient)
        passed, of_scale, of_shift, of_weight, of_bias = None, None, None, None, None
        if chain.norm is not None:
            gradient, passed, sums = _normalise_backward(chain, gradient, z, seen, scale, saved)
            of_scale, of_shift = sums[0], sums[1]
        elif chain.rectifier is not None:
            gradient = _rectify_backward(gradient, seen)
        if chain.conv is not None:
            channels = None if chain.conv.bias is None else [len(weight)]
            exact = has_slow_gradient_in_bfloat16(chain.conv)
            dtype = torch.float32 if exact else x.dtype
            gradient, of_weight, of_bias = _CONVOLVE_BACKWARD(
                gradient.to(dtype),
                x.to(dtype),
                weight.to(dtype),
                channels,
                *_geometry(chain.conv),
                (ctx.needs_input_grad[2], True, channels is not None),
            )
            of_weight = of_weight.float()
            of_bias = None if channels is None else of_bias.float()
        of_x = gradient.to(ctx.given) if ctx.needs_input_grad[2] else None
        return None, None, of_x, passed, of_weight, of_bias, of_scale, of_shift


_compute: Callable[..., Tensor] = _Fused.apply
_CONVOLVE = torch.ops.aten.convolution.default
_CONVOLVE_BACKWARD = torch.ops.aten.convolution_backward.default


def _geometry(conv: nn.Conv2d) -> tuple[Any, ...]:
    none = (0, 0)
    return conv.stride, conv.padding, conv.dilation, False, none, conv.groups


def _last(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)


def _normalise(
    chain: _Chain, z: Tensor, residual: Tensor | None, scale: Tensor, shift: Tensor
) -> tuple[Tensor, Tensor]:
    norm, channels = cast(nn.BatchNorm2d, chain.norm), z.shape[1]
    out, saved = torch.empty_like(z), torch.empty(2, channels)
    residual = None if residual is None else _last(residual)
    kernels.normalise(
        z.dtype is torch.bfloat16,
        z.numel(),
        channels,
        kernels.period(channels),
        z.data_ptr(),
        0 if residual is None else residual.data_ptr(),
        out.data_ptr(),
        scale.data_ptr(),
        shift.data_ptr(),
        cast(Tensor, norm.running_mean).data_ptr(),
        cast(Tensor, norm.running_var).data_ptr(),
        saved.data_ptr(),
        _factor(norm),
        norm.eps,
        chain.rectifier is not None,
    )
    return out, saved


def _normalise_backward(
    chain: _Chain,
    gradient: Tensor,
    z: Tensor,
    seen: Tensor | None,
    scale: Tensor,
    saved: Tensor,
) -> tuple[Tensor, Tensor | None, Tensor]:
    """Gradients of what was normalised, of what was added and of scale and shift."""
    result, sums = torch.empty_like(z), torch.empty_like(saved)
    passed = torch.empty_like(z) if chain.add is not None and seen is not None else None
    channels = z.shape[1]
    kernels.normalise_backward(
        z.dtype is torch.bfloat16,
        z.numel(),
        channels,
        kernels.period(channels),
        gradient.data_ptr(),
        z.data_ptr(),
        z.data_ptr() if seen is None else seen.data_ptr(),
        scale.data_ptr(),
        saved.data_ptr(),
        seen is not None,
        result.data_ptr(),
        0 if passed is None else passed.data_ptr(),
        sums.data_ptr(),
    )
    return result, gradient if passed is None and chain.add is not None else passed, sums


def _rectify_backward(gradient: Tensor, out: Tensor) -> Tensor:
    result = torch.empty_like(out)
    kernels.rectify_backward(
        out.dtype is torch.bfloat16,
        out.numel(),
        gradient.data_ptr(),
        out.data_ptr(),
        result.data_ptr(),
    )
    return result


def _factor(norm: nn.BatchNorm2d) -> float:
    """Weight of this batch in the running statistics, as ``BatchNorm2d`` has it."""
    seen = cast(Tensor, norm.num_batches_tracked).add_(1)
    return 1 / int(seen) if norm.momentum is None else norm.momentum


def _steps(network: Network) -> tuple[_Step, ...]:
    genome = network.genome
    layers = dict(zip((node.id for node in genome.nodes), network.layers.values(), strict=True))
    chains = _chains(genome)
    drafts = [(_runner(chain, layers), _sources(chain), chain[-1].id) for chain in chains]
    last = {name: at for at, (_, sources, _) in enumerate(drafts) for name in sources}
    last |= dict.fromkeys(genome.outputs.values(), len(drafts))
    return tuple(
        _Step(run, sources, target, tuple(n for n in dict.fromkeys(sources) if last[n] == at))
        for at, (run, sources, target) in enumerate(drafts)
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
        case (Conv() | BatchNorm(), Activation(op="relu")):
            return True
        case Add(), Activation(op="relu"):
            return len(chain) > 1
    return False


def _sources(chain: Sequence[Operation]) -> tuple[str, ...]:
    inside = {node.id for node in chain}
    return tuple(name for node in chain for name in node.inputs if name not in inside)


def _runner(chain: Sequence[Operation], layers: Mapping[str, nn.Module]) -> Callable[..., Tensor]:
    first, layer = chain[0], layers[chain[0].id]
    if isinstance(first, Conv | BatchNorm):
        return _Chain(*(_layer(chain, layers, kind) for kind in (Conv, BatchNorm, Add, Activation)))
    if len(first.inputs) == 1:
        return layer
    return lambda *values: cast(Tensor, layer(list(values)))


def _layer(
    chain: Sequence[Operation], layers: Mapping[str, nn.Module], kind: type[Operation]
) -> Any:
    return next((layers[node.id] for node in chain if isinstance(node, kind)), None)
