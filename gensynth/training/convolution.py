"""Convolutions as a training computes them: forward, back, and for several pixels at a time.

oneDNN computes one output channel in each lane of a vector, of which there are sixteen with AVX-512
and eight with AVX2, so a convolution to few channels leaves most lanes idle. Written ``p`` times,
each a pixel further to the right, as a kernel of ``p * k`` output channels that is applied at every
``p``-th pixel, a kernel of ``k`` gives the same numbers; channels last they are even in the same
places, for ``p`` pixels of ``k`` channels are one of ``p * k``. It has ``s + p - 1`` columns for
``s``, in which each channel has zeros, which costs less than the lanes are worth
(``docs/results/engine.md``).
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from gensynth.network import Conv2d
from gensynth.training.elements import LANES
from gensynth.training.precision import is_slow_in_bfloat16

_CONVOLVE = torch.ops.aten.convolution.default
_CONVOLVE_BACKWARD = torch.ops.aten.convolution_backward.default
_ONE = (1, 1)
_MOST_PIXELS = 4
_LEAST_POSITIONS = 1 << 13
"""Of a batch's map; writing a kernel several times takes longer than what a smaller one wins."""
_LEAST_WIDTH = 8
"""Of a map. Where one column is left of it, torch 2.13 gives numbers from nowhere."""


class Multiplied(NamedTuple):
    """What a convolution read, in the precision in which it computed.

    Attributes:
        x: Feature maps, padded if the padding is uneven.
        weight: As the layer has it.
    """

    x: Tensor
    weight: Tensor


def channels_last(values: Tensor) -> Tensor:
    """In memory as everything here reads it: feature maps channels last, the rest in order."""
    last = torch.channels_last if values.ndim == 4 else torch.contiguous_format
    return values.contiguous(memory_format=last)


def convolve(conv: Conv2d, x: Tensor, dtype: torch.dtype) -> tuple[Tensor, Multiplied]:
    """What a layer makes of feature maps.

    Args:
        conv: The layer.
        x: (N, C, H, W), channels last.
        dtype: Of the result; it is computed in it unless float32 is faster.

    Returns:
        The result, (N, K, H', W'), channels last, and what :func:`back_over` has to know.
    """
    computed = torch.float32 if is_slow_in_bfloat16(conv) else dtype
    padded = x if conv.margin is None else functional.pad(x, conv.margin)
    given = Multiplied(padded.to(computed), conv.weight.to(computed))
    bias = None if conv.bias is None else conv.bias.to(computed)
    padding = _padding(conv)
    height, width = (
        side + 2 * more - kernel + 1
        for side, more, kernel in zip(given.x.shape[2:], padding, conv.kernel_size, strict=True)
    )
    if (pixels := _pixels_at_once(conv, conv.out_channels, len(x), height, width)) > 1:
        out = _convolve_at_once(*given, bias, padding, pixels)
    else:
        out = channels_last(_CONVOLVE(*given, bias, *_geometry(conv)))
    return out.to(dtype), given


def back_over(
    conv: Conv2d, given: Multiplied, gradient: Tensor, needed: bool
) -> tuple[Tensor | None, list[Tensor]]:
    """Gradients of what :func:`convolve` read.

    Args:
        conv: The layer.
        given: What it multiplied.
        gradient: That of the result, channels last.
        needed: Whether anybody wants the gradient of the feature maps.

    Returns:
        The gradient of the feature maps, and those of the weights and of the bias, if there is
        one, in float32.
    """
    gradient = gradient.to(given.x.dtype)
    of_weight = _pixels_at_once(conv, conv.out_channels, *_positions(gradient))
    of_maps = _pixels_at_once(conv, conv.in_channels, *_positions(given.x)) if needed else 1
    biased = conv.bias is not None
    alone = of_weight > 1 or _skips_pixels(conv)
    together = needed and of_maps == 1, not alone, not alone and biased
    found = _CONVOLVE_BACKWARD(
        gradient, *given, [conv.out_channels] if biased else None, *_geometry(conv), together
    )
    of_x, *of_parameters = found if biased else found[:2]
    if of_weight > 1:
        of_parameters = _gradients_at_once(conv, given, gradient, of_weight)
    elif alone:
        of_parameters = _gradients_of_sampled(conv, given, gradient)
    if of_maps > 1:
        of_x = _gradient_at_once(conv, given.weight, gradient, of_maps)
    if of_x is not None and conv.margin is not None:
        left, right, top, bottom = conv.margin
        height, width = of_x.shape[2:]
        of_x = of_x[:, :, top : height - bottom, left : width - right]
    return of_x, [value.float() for value in of_parameters]


def _pixels_at_once(conv: Conv2d, channels: int, count: int, height: int, width: int) -> int:
    """How many neighbours of a row fill a vector; 1 where that is impossible or does not pay.

    Args:
        conv: The layer.
        channels: Of what is computed.
        count: Maps in the batch.
        height: Of what is computed.
        width: Of what is computed.
    """
    rows, columns = conv.kernel_size
    apart = conv.stride != _ONE or conv.dilation != _ONE or conv.groups > 1
    top, left = _padding(conv)
    outside = top >= rows or left >= columns
    small = width < _LEAST_WIDTH or count * height * width < _LEAST_POSITIONS
    if apart or outside or columns == 1 or small:
        return 1
    most = max(1, min(_lanes() // channels, _MOST_PIXELS))
    return next(pixels for pixels in range(most, 0, -1) if width % pixels == 0)


@cache
def _lanes() -> int:
    """Numbers in a vector of this processor."""
    return 8 if torch.backends.cpu.get_cpu_capability() == "AVX2" else LANES


def _convolve_at_once(
    x: Tensor, weight: Tensor, bias: Tensor | None, padding: tuple[int, int], pixels: int
) -> Tensor:
    bias = None if bias is None else bias.repeat(pixels)
    wide = _written_side_by_side(weight, pixels)
    out = channels_last(_CONVOLVE(x, wide, bias, *_at_once(padding, pixels)))
    count, _, height, width = out.shape
    channels = len(weight)
    return out.movedim(1, -1).reshape(count, height, width * pixels, channels).movedim(-1, 1)


def _gradient_at_once(conv: Conv2d, weight: Tensor, gradient: Tensor, pixels: int) -> Tensor:
    """That of the maps: the gradient convolved with the kernel turned by half a circle."""
    turned = channels_last(weight.flip(2, 3).transpose(0, 1))
    rows, columns = conv.kernel_size
    top, left = _padding(conv)
    return _convolve_at_once(gradient, turned, None, (rows - 1 - top, columns - 1 - left), pixels)


def _gradients_at_once(
    conv: Conv2d, given: Multiplied, gradient: Tensor, pixels: int
) -> list[Tensor]:
    """Those of the weights, and of the bias if there is one."""
    count, height, width = _positions(gradient)
    side_by_side = gradient.movedim(1, -1).reshape(count, height, width // pixels, -1)
    wide = _written_side_by_side(given.weight, pixels)
    biased = conv.bias is not None
    _, of_wide, of_bias = _CONVOLVE_BACKWARD(
        side_by_side.movedim(-1, 1),
        given.x,
        wide,
        [len(wide)] if biased else None,
        *_at_once(_padding(conv), pixels),
        (False, True, biased),
    )
    copies = _copies(channels_last(of_wide), pixels, conv.kernel_size[1])
    of_weight = copies.sum(0, dtype=torch.float32).movedim(-1, 1)
    if not biased:
        return [of_weight]
    return [of_weight, of_bias.view(pixels, -1).sum(0, dtype=torch.float32)]


def _skips_pixels(conv: Conv2d) -> bool:
    """Whether a kernel of one pixel is applied to some pixels only, as in a projection.

    On processors with AVX2 and no AVX-512, torch 2.13 writes beyond the gradient of such a kernel
    if it reads feature maps channels last: seen with 3, 4, 5 and 7 channels, not with 8, 12 and 16.
    """
    return conv.kernel_size == _ONE and conv.stride != _ONE


def _gradients_of_sampled(conv: Conv2d, given: Multiplied, gradient: Tensor) -> list[Tensor]:
    """Those of the weights, and of the bias if there is one, of a kernel of one pixel."""
    top, left = _padding(conv)
    down, across = conv.stride
    x = functional.pad(given.x, (left, left, top, top)) if top or left else given.x
    seen = channels_last(x[:, :, ::down, ::across])
    biased = conv.bias is not None
    _, of_weight, of_bias = _CONVOLVE_BACKWARD(
        gradient,
        seen,
        given.weight,
        [conv.out_channels] if biased else None,
        *(_ONE, (0, 0), _ONE, False, (0, 0), conv.groups),
        (False, True, biased),
    )
    return [of_weight, of_bias] if biased else [of_weight]


def _written_side_by_side(weight: Tensor, pixels: int) -> Tensor:
    """A kernel (K, C, R, S) as one of (pixels * K, C, R, S + pixels - 1), channels last."""
    channels, read, rows, columns = weight.shape
    wide = weight.new_zeros(pixels * channels, rows, columns + pixels - 1, read).movedim(-1, 1)
    _copies(wide, pixels, columns).copy_(weight.movedim(1, -1))
    return wide


def _copies(wide: Tensor, pixels: int, columns: int) -> Tensor:
    """The kernels that stand in a wide one, (pixels, K, R, columns, C), as a view of it."""
    kernels, read, rows, _ = wide.shape
    channels = kernels // pixels
    across, _, down, right = wide.stride()
    return wide.as_strided(
        (pixels, channels, rows, columns, read), (channels * across + right, across, down, right, 1)
    )


def _positions(maps: Tensor) -> tuple[int, int, int]:
    count, _, height, width = maps.shape
    return count, height, width


def _padding(conv: Conv2d) -> tuple[int, int]:
    """Above and below, left and right, beyond :attr:`Conv2d.margin`."""
    assert not isinstance(conv.padding, str)
    top, left = conv.padding
    return top, left


def _geometry(conv: Conv2d) -> tuple[Any, ...]:
    return conv.stride, conv.padding, conv.dilation, False, (0, 0), conv.groups


def _at_once(padding: tuple[int, int], pixels: int) -> tuple[Any, ...]:
    return (1, pixels), padding, _ONE, False, (0, 0), 1
