"""Modules that ``torch.nn`` does not have as the operations need them.

The only file of the genome that imports torch; operations import it when they build a module.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gensynth.genome.operations.activation import activation
from gensynth.genome.operations.attention import SqueezeExcite
from gensynth.genome.operations.convolution import Conv
from gensynth.genome.operations.operation import Shape
from gensynth.genome.operations.pooling import Pool
from gensynth.genome.operations.window import Pads


class Conv2d(nn.Conv2d):
    """A convolution that leaves its weights to its builder, and may pad unevenly.

    Attributes:
        margin: Columns left and right, rows above and below that are padded beforehand; None where
            ``padding`` says it all.
    """

    padding: tuple[int, int]

    def __init__(self, node: Conv, channels: int, pads: Pads) -> None:
        top, bottom, left, right = pads
        even = top == bottom and left == right
        super().__init__(
            channels,
            node.out_channels,
            node.kernel,
            node.stride,
            (top, left) if even else (0, 0),
            node.dilation,
            node.groups,
            node.bias,
        )
        self.margin: Pads | None = None if even else (left, right, top, bottom)

    def reset_parameters(self) -> None:
        pass

    def forward(self, input: Tensor) -> Tensor:
        if self.margin is not None:
            input = functional.pad(input, self.margin)
        if self.training and self.kernel_size == (1, 1) and self.stride != (1, 1):
            return self._of_sampled(input)
        return super().forward(input)

    def _of_sampled(self, input: Tensor) -> Tensor:
        """Applies a kernel of one pixel to the pixels that it reads, taken out beforehand.

        On CPUs torch 2.13 writes beyond the gradient of such a kernel with a stride if it reads
        feature maps channels last: seen with AVX2 for 3, 4, 5 and 7 channels, and with AVX-512.
        """
        top, left = self.padding
        down, across = self.stride
        sampled = functional.pad(input, (left, left, top, top))[:, :, ::down, ::across]
        return functional.conv2d(sampled, self.weight, self.bias, groups=self.groups)


class Dense(nn.Linear):
    """A linear layer that leaves its weights to its builder."""

    def reset_parameters(self) -> None:
        pass


class Excitation(nn.Module):
    """Squeeze-excite, its two linear layers as 1x1 convolutions."""

    def __init__(self, node: SqueezeExcite, channels: int) -> None:
        super().__init__()
        self.reduce = _pointwise(channels, node.channels)
        self.activation = activation(node.activation)
        self.expand = _pointwise(node.channels, channels)
        self.gate = activation(node.gate)

    def forward(self, input: Tensor) -> Tensor:
        """Weighs the channels of (N, C, H, W)."""
        squeezed = self.activation(self.reduce(functional.adaptive_avg_pool2d(input, 1)))
        return input * cast(Tensor, self.gate(self.expand(squeezed)))


def _pointwise(channels: int, out_channels: int) -> Conv2d:
    node = Conv(id="pointwise", inputs=("input",), out_channels=out_channels, kernel=(1, 1))
    return Conv2d(node, channels, (0, 0, 0, 0))


class PaddedMaxPool2d(nn.Module):
    """Maximum over windows that reach outside; what is outside never wins."""

    def __init__(self, node: Pool, pads: Pads) -> None:
        super().__init__()
        top, bottom, left, right = pads
        self.margin = (left, right, top, bottom)
        self.kernel, self.stride = node.kernel, node.stride

    def forward(self, input: Tensor) -> Tensor:
        """Pools (N, C, H, W)."""
        padded = functional.pad(input, self.margin, value=-math.inf)
        return functional.max_pool2d(padded, self.kernel, self.stride)


class PaddedAvgPool2d(nn.Module):
    """Average over windows that reach outside, of what is inside."""

    share: Tensor

    def __init__(self, node: Pool, shape: Shape, pads: Pads) -> None:
        super().__init__()
        top, bottom, left, right = pads
        self.margin = (left, right, top, bottom)
        self.kernel, self.stride = node.kernel, node.stride
        inside = functional.pad(torch.ones(1, 1, *shape[1:]), self.margin)
        share = functional.avg_pool2d(inside, self.kernel, self.stride)
        self.register_buffer("share", share, persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        """Pools (N, C, H, W)."""
        padded = functional.pad(input, self.margin)
        return functional.avg_pool2d(padded, self.kernel, self.stride) / self.share


class Sum(nn.Module):
    """Sum of values of one shape."""

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Adds up at least two values."""
        total = inputs[0] + inputs[1]
        for term in inputs[2:]:
            total += term
        return total


class Stack(nn.Module):
    """Feature maps one behind the other along the channels."""

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Stacks maps (N, C, H, W) of one size."""
        return torch.cat(inputs, 1)
