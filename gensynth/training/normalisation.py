"""From gray levels to what a network reads."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from gensynth.training.recipe import LocalContrast

GRAY_LEVEL, CONTRAST = 1.0, 0.01
"""Least deviation that gray levels, and local contrast, are divided by."""

AT_ONCE = 256
"""Images whose sums are kept in memory together."""


@dataclass(frozen=True)
class Normalisation:
    """How images are read: their levels, less a mean, over a standard deviation.

    Attributes:
        mean: Of the levels of each channel, float32 (1, C, 1, 1).
        deviation: The same, of the standard deviation.
        local_contrast: If given, levels are local contrast; otherwise gray levels from 0 to 255.
    """

    mean: Tensor
    deviation: Tensor
    local_contrast: LocalContrast | None = None

    @classmethod
    def of(cls, images: Tensor, local_contrast: LocalContrast | None = None) -> Normalisation:
        """Measures images, uint8 (N, C, H, W)."""
        levels = _levels(images, local_contrast).transpose(0, 1).flatten(1).to(torch.float64)
        least = GRAY_LEVEL if local_contrast is None else CONTRAST
        mean, deviation = levels.mean(1), levels.std(1, correction=0).clamp(min=least)
        shape = (1, len(levels), 1, 1)
        return cls(mean.float().reshape(shape), deviation.float().reshape(shape), local_contrast)

    def __call__(self, images: Tensor) -> Tensor:
        """Turns images like those measured into float32 with mean 0 and deviation 1."""
        return (_levels(images, self.local_contrast).float() - self.mean) / self.deviation


def _levels(images: Tensor, contrast: LocalContrast | None) -> Tensor:
    return images if contrast is None else local_contrast(images, contrast)


def local_contrast(images: Tensor, contrast: LocalContrast) -> Tensor:
    """Local contrast normalisation, after Jarrett, Kavukcuoglu, Ranzato, LeCun 2009, section 2.

    (x - m) / (s + floor), with m and s the mean and the standard deviation of the gray levels in
    the window around each pixel, of the part of it that lies inside the image. Simpler than theirs:
    the floor is fixed and added, each channel is by itself, and the window is square and not
    Gaussian, which takes a few additions a pixel whatever its size (running sums).

    Args:
        images: uint8 (N, C, H, W).
        contrast: Size of the window, and the floor.

    Returns:
        float32 (N, C, H, W), the same to the bit on any machine: all sums are of integers.
    """
    return torch.cat([_local_contrast(part, contrast) for part in torch.split(images, AT_ONCE)])


def _local_contrast(images: Tensor, contrast: LocalContrast) -> Tensor:
    height, width = images.shape[-2:]
    reach = contrast.reach(height), contrast.reach(width)
    levels = images.to(torch.float64)
    pixels = _window_sums(torch.ones(1, 1, height, width, dtype=torch.float64), reach)
    mean = _window_sums(levels, reach) / pixels
    square = _window_sums(levels.square(), reach) / pixels
    deviation = (square - mean.square()).clamp(min=0).sqrt()
    return ((levels - mean) / (deviation + contrast.floor)).float()


def _window_sums(maps: Tensor, reach: tuple[int, int]) -> Tensor:
    """Sum over each pixel's window, which reaches so many rows up and down and columns sideways."""
    for axis, far in zip((-2, -1), reach, strict=True):
        size = maps.shape[axis]
        sums = functional.pad(maps.cumsum(axis), (1, 0) if axis == -1 else (0, 0, 1, 0))
        place = torch.arange(size)
        ends = (place + far + 1).clamp(max=size)
        starts = (place - far).clamp(min=0)
        maps = sums.index_select(axis, ends) - sums.index_select(axis, starts)
    return maps
