"""From an image as the user has it to what a network reads, as data and in PyTorch.

The steps are those of loading and training: the gray value of Pillow, its bilinear filter (widened
when shrinking), local contrast where the recipe has it, mean and deviation. They are written as
products of matrices, so that every runtime computes the same, and for any number of channels by one
path, so that an exported program has no branch.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.export import Dim

from gensynth.training import Fitted, LocalContrast

GRAY = (19595.0, 38470.0, 7471.0)
"""Weights of red, green and blue in 65536ths, as Pillow has them (ITU-R 601-2)."""

MIDDLE = 128.0
"""Gray level that local contrast measures from, so that squares stay exact in float32."""

EXAMPLE = torch.zeros(64, 57, 3, dtype=torch.uint8)
"""An image to trace an export by."""

LARGEST = 8192
"""Greatest height and width of an image that an exported program reads, in pixels."""

ANY_IMAGE = (
    {
        0: Dim("height", min=2, max=LARGEST),
        1: Dim("width", min=2, max=LARGEST),
        2: Dim("channels", min=1, max=4),
    },
)
"""What may differ between one image, uint8 (H, W, C), and another, for ``torch.export``."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
Side = Annotated[int, Field(ge=1, le=4096)]


class Preprocessing(BaseModel):
    """What is done to an image before the network sees it.

    Attributes:
        channels: Of the network: 1 turns colours to gray, 3 repeats gray.
        height: In pixels; images of another size are resized, whatever their proportions.
        width: In pixels.
        local_contrast: As in the recipe; null takes gray levels.
        mean: Of each channel over the training images, subtracted.
        deviation: Of each channel, divided by.
        mirror: Whether an answer is the mean of the outputs for the image and its mirror image.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: Literal[1, 3]
    height: Side
    width: Side
    local_contrast: LocalContrast | None = None
    mean: Annotated[tuple[Finite, ...], Field(min_length=1, max_length=3)]
    deviation: Annotated[
        tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...],
        Field(min_length=1, max_length=3),
    ]
    mirror: bool = False

    @model_validator(mode="after")
    def _one_a_channel(self) -> Preprocessing:
        if not len(self.mean) == len(self.deviation) == self.channels:
            raise ValueError(f"mean and deviation are not one for each of {self.channels} channels")
        return self

    @classmethod
    def of(cls, fitted: Fitted) -> Preprocessing:
        """That of a trained network."""
        channels, height, width = fitted.network.genome.input.shape
        normalisation = fitted.normalisation
        return cls.model_validate(
            {
                "channels": channels,
                "height": height,
                "width": width,
                "local_contrast": normalisation.local_contrast,
                "mean": normalisation.mean.flatten().tolist(),
                "deviation": normalisation.deviation.flatten().tolist(),
                "mirror": fitted.recipe.flip_test,
            }
        )


class Reader(nn.Module):
    """A preprocessing in PyTorch.

    Args:
        preprocessing: What to do.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.preprocessing = preprocessing
        shape = (preprocessing.channels, 1, 1)
        for name in ("mean", "deviation"):
            value = torch.tensor(getattr(preprocessing, name)).reshape(shape)
            self.register_buffer(name, value, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Reads images of one size.

        Args:
            images: uint8 (N, H, W, C), C one of 1 (gray), 3 (RGB) and 4 (RGB with transparency,
                which is ignored).

        Returns:
            float32 (N, channels, height, width).
        """
        wanted = self.preprocessing
        last = images.shape[-1] - 1
        shown = torch.arange(3, device=images.device).clamp(max=last)  # gray stands for all three
        maps = images.index_select(-1, shown).permute(0, 3, 1, 2).float()
        if wanted.channels == 1:
            weights = maps.new_tensor(GRAY).reshape(1, 3, 1, 1)
            maps = (((maps * weights).sum(1, keepdim=True) + 32768) / 65536).floor()
        down, across = (
            resampling(old, new, images.device)
            for old, new in zip(maps.shape[2:], (wanted.height, wanted.width), strict=True)
        )
        maps = down @ maps @ across.T
        if wanted.local_contrast is not None:
            maps = _contrast(maps, wanted.local_contrast)
        return (maps - self.mean) / self.deviation


def resampling(old: int, new: int, device: torch.device | None = None) -> Tensor:
    """The weights of Pillow's bilinear filter along one axis, float32 (new, old).

    A triangle around each new pixel's centre, as wide as two old pixels, or as two new ones where
    those are larger; the identity where the size stays.
    """
    scale = old / new
    centres = (torch.arange(new, device=device)[:, None] + 0.5) * scale
    places = torch.arange(old, device=device)[None] + 0.5
    # max(), also while an export does not know the size.
    reach: float = torch.sym_max(scale, 1.0)  # type: ignore[no-untyped-call]
    weights = (1 - (places - centres).abs() / reach).clamp(min=0)
    return weights / weights.sum(1, keepdim=True)


def windows(side: int, contrast: LocalContrast) -> Tensor:
    """Which pixels are in the window of which, along one axis, float32 (side, side) of 0 and 1."""
    place = torch.arange(side)
    return ((place[:, None] - place[None]).abs() <= contrast.reach(side)).float()


def _contrast(maps: Tensor, contrast: LocalContrast) -> Tensor:
    """Local contrast, see :func:`gensynth.training.local_contrast`."""
    down, across = (windows(side, contrast).to(maps.device) for side in maps.shape[2:])
    pixels = down.sum(1)[:, None] * across.sum(1)[None]
    levels = maps - MIDDLE
    mean = down @ levels @ across.T / pixels
    square = down @ levels.square() @ across.T / pixels
    deviation = (square - mean.square()).clamp(min=0).sqrt()
    return (levels - mean) / (deviation + contrast.floor)
