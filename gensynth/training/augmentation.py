"""Random changes of training images, computed for a whole epoch at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from gensynth.training.recipe import Augmentation

MAX_ASPECT = 2.0


def augment(images: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Moves, mirrors and erases; blending (mixup) is a matter of batches, see :func:`mixup`.

    Rotation, shift, zoom and flip are one affine resampling (bilinear; what lies outside repeats
    the border). Without the first three, flips are exact.

    Args:
        images: Normalised images, so that 0 is the mean gray, float32 (N, C, H, W).
        augmentation: What may change and how much.
        generator: Source of every draw, on the CPU: devices differ by rounding alone.

    Returns:
        As many images; the same tensor where nothing may change.
    """
    if augmentation.rotation or augmentation.shift or augmentation.zoom:
        images = _moved(images, augmentation, generator)
    elif augmentation.flip:
        mirrored = torch.rand(len(images), 1, 1, 1, generator=generator) < 0.5
        images = torch.where(mirrored.to(images.device), images.flip(-1), images)
    if augmentation.erase:
        images = _erased(images, augmentation, generator)
    return images


def mixup(images: Tensor, alpha: float, generator: torch.Generator) -> tuple[Tensor, Tensor, float]:
    """Blends each image of a batch with another one, all in one proportion.

    Args:
        images: A batch, float32 (N, C, H, W).
        alpha: Parameter of Beta(α, α), which the proportion is drawn from.
        generator: Source of every draw.

    Returns:
        The blended batch, the index of each image's partner (N,), and the share, from 0.5 to 1,
        of the image itself.
    """
    concentration = torch.tensor([alpha, alpha], dtype=torch.float64)
    gammas = torch._standard_gamma(concentration, generator=generator)
    share = float(gammas.max() / gammas.sum()) if gammas.sum() > 0 else 1.0
    partners = torch.randperm(len(images), generator=generator)
    return torch.lerp(images[partners], images, share), partners, share


def _uniform(count: int, limit: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=generator) * 2 - 1) * limit


def _moved(images: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    count, _, height, width = images.shape
    angle = _uniform(count, math.radians(augmentation.rotation), generator)
    scale = 1 / (1 + _uniform(count, augmentation.zoom, generator))
    shift = _uniform(2 * count, 2 * augmentation.shift, generator).reshape(count, 2)
    mirror = torch.ones(count)
    if augmentation.flip:
        mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    cosine, sine = torch.cos(angle) * scale, torch.sin(angle) * scale
    across, down = _centres(width), _centres(height)
    grid = images.new_empty(count, height, width, 2)
    for axis, (by_column, by_row) in enumerate(
        (
            (cosine * mirror, -sine * (height / width)),
            (sine * mirror * (width / height), cosine),
        )
    ):
        along_row = (by_column[:, None] * across + shift[:, axis, None]).to(images.device)
        along_column = (by_row[:, None] * down).to(images.device)
        torch.add(along_row[:, None, :], along_column[:, :, None], out=grid[..., axis])
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _centres(pixels: int) -> Tensor:
    """Where ``grid_sample`` puts the centres of a row of pixels, from -1 to 1 edge to edge."""
    return (torch.arange(pixels) * 2 + 1) / pixels - 1


def _erased(images: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    count, _, height, width = images.shape
    low, high = augmentation.erase_area
    chosen, size, top, left = torch.rand(4, count, 1, 1, 1, generator=generator)
    aspect = torch.exp(_uniform(count, math.log(MAX_ASPECT), generator)).reshape(count, 1, 1, 1)
    area = low + (high - low) * size
    tall = (area * aspect).sqrt().clamp(max=1) * height
    wide = (area / aspect).sqrt().clamp(max=1) * width
    row = torch.arange(height).reshape(1, 1, height, 1) + 0.5 - top * (height - tall)
    column = torch.arange(width).reshape(1, 1, 1, width) + 0.5 - left * (width - wide)
    inside = (row >= 0) & (row < tall) & (column >= 0) & (column < wide)
    return images.masked_fill((inside & (chosen < augmentation.erase)).to(images.device), 0.0)
