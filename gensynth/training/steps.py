"""The steps that the fused engine computes by itself, as functions of autograd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import torch
from torch import Tensor, autograd, nn
from torch.autograd.function import once_differentiable

from gensynth.network import Conv2d
from gensynth.training import kernels
from gensynth.training.convolution import Multiplied, back_over, channels_last, convolve


class Step(Protocol):
    """Computes a value from others, so that autograd can go back over it."""

    def __call__(self, *inputs: Tensor) -> Tensor: ...


def convolution(conv: Conv2d) -> Step:
    """What a layer makes of feature maps, see :func:`convolve`."""

    def step(*inputs: Tensor) -> Tensor:
        return _convolution(conv, *inputs, *conv.parameters())

    return step


def normalisation(norm: nn.BatchNorm2d, slope: float) -> Step:
    """Batch normalisation in training, the sum with a second value if there is one, the rectifier.

    Args:
        norm: Whose running statistics are updated.
        slope: Of the rectifier below zero; 1 for none.
    """

    def step(*inputs: Tensor) -> Tensor:
        value, added = inputs if len(inputs) == 2 else (*inputs, None)
        return _normalisation(norm, slope, value, added, norm.weight, norm.bias)

    return step


def addition(slope: float) -> Step:
    """The sum of values, or one alone, and the rectifier of it, see :func:`normalisation`."""

    def step(*inputs: Tensor) -> Tensor:
        return _addition(slope, *inputs)

    return step


class _Convolution(autograd.Function):
    @staticmethod
    def forward(ctx: Any, conv: Conv2d, x: Tensor, *parameters: Tensor) -> Tensor:
        dtype = torch.bfloat16 if torch.is_autocast_enabled("cpu") else x.dtype
        out, given = convolve(conv, channels_last(x), dtype)
        ctx.conv = conv
        ctx.save_for_backward(*given)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        given, needed = Multiplied(*ctx.saved_tensors), ctx.needs_input_grad[1]
        of_x, of_parameters = back_over(ctx.conv, given, channels_last(gradient), needed)
        return None, of_x, *of_parameters


class _Normalisation(autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        norm: nn.BatchNorm2d,
        slope: float,
        x: Tensor,
        added: Tensor | None,
        *parameters: Tensor,
    ) -> Tensor:
        x = channels_last(x)
        residual = None if added is None else channels_last(added.to(x.dtype))
        out, moments = _normalise(norm, x, residual, slope)
        ctx.norm, ctx.slope, ctx.added = norm, slope, added is not None
        ctx.save_for_backward(x, moments, out if slope != 1 else None)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, moments, seen = ctx.saved_tensors
        gradient = channels_last(gradient)
        of_x, passed, sums = _back_over_normalisation(ctx, gradient, x, moments, seen)
        of_added = (gradient if seen is None else passed) if ctx.added else None
        return None, None, of_x, of_added, *sums.unbind()


class _Addition(autograd.Function):
    @staticmethod
    def forward(ctx: Any, slope: float, *inputs: Tensor) -> Tensor:
        value = _combined(inputs, slope=slope)
        ctx.slope, ctx.count = slope, len(inputs)
        ctx.save_for_backward(value if slope != 1 else None)
        return value

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (seen,) = ctx.saved_tensors
        if seen is not None:
            gradient = _combined([gradient], seen, ctx.slope)
        return None, *[gradient] * ctx.count


_convolution: Callable[..., Tensor] = _Convolution.apply
_normalisation: Callable[..., Tensor] = _Normalisation.apply
_addition: Callable[..., Tensor] = _Addition.apply


def _normalise(
    norm: nn.BatchNorm2d, x: Tensor, residual: Tensor | None, slope: float
) -> tuple[Tensor, Tensor]:
    """The result, and mean and reciprocal deviation, (2, channels)."""
    out, moments = torch.empty_like(x), torch.empty(2, x.shape[1])
    kernels.normalise(
        *_layout(x),
        x.data_ptr(),
        0 if residual is None else residual.data_ptr(),
        out.data_ptr(),
        norm.weight.data_ptr(),
        norm.bias.data_ptr(),
        cast(Tensor, norm.running_mean).data_ptr(),
        cast(Tensor, norm.running_var).data_ptr(),
        moments.data_ptr(),
        _factor(norm),
        norm.eps,
        slope,
    )
    return out, moments


def _back_over_normalisation(
    ctx: Any, gradient: Tensor, x: Tensor, moments: Tensor, seen: Tensor | None
) -> tuple[Tensor, Tensor | None, Tensor]:
    """Gradients of what was normalised and of what was added, and (2, channels) of the scale's."""
    of_x, sums = torch.empty_like(x), torch.empty_like(moments)
    passed = torch.empty_like(x) if ctx.added and seen is not None else None
    kernels.normalise_backward(
        *_layout(x),
        gradient.data_ptr(),
        x.data_ptr(),
        x.data_ptr() if seen is None else seen.data_ptr(),
        ctx.norm.weight.data_ptr(),
        moments.data_ptr(),
        ctx.slope,
        of_x.data_ptr(),
        0 if passed is None else passed.data_ptr(),
        sums.data_ptr(),
    )
    return of_x, passed, sums


def _layout(maps: Tensor) -> tuple[bool, int, int, int]:
    """What the loops over a map have to know: half precision, elements, channels, period."""
    channels = maps.shape[1]
    return maps.dtype is torch.bfloat16, maps.numel(), channels, kernels.period(channels)


def _factor(norm: nn.BatchNorm2d) -> float:
    """Weight of this batch in the running statistics, as ``BatchNorm2d`` has it."""
    seen = cast(Tensor, norm.num_batches_tracked).add_(1)
    return 1 / int(seen) if norm.momentum is None else norm.momentum


def _combined(values: Sequence[Tensor], seen: Tensor | None = None, slope: float = 1.0) -> Tensor:
    """The rectified sum of values; of a gradient, with what came out of the rectifier."""
    dtype = values[0].dtype if seen is None else seen.dtype
    for value in values[1:]:
        dtype = torch.promote_types(dtype, value.dtype)
    read = [channels_last(value.to(dtype)) for value in values]
    result = torch.empty_like(read[0])
    kernels.combine(
        dtype is torch.bfloat16,
        result.numel(),
        tuple(value.data_ptr() for value in read),
        0 if seen is None else seen.data_ptr(),
        slope,
        result.data_ptr(),
    )
    return result
