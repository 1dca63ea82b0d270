"""Reading image files of any common kind into 8-bit arrays of one size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from gensynth.data.dataset import DataError

Channels = Literal[1, 3]
Box = tuple[float, float, float, float]

IMAGE_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)


def is_image(path: Path) -> bool:
    """Whether a path is a visible file with the suffix of an image."""
    return (
        path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def read_image(path: Path, *, channels: Channels) -> Image.Image:
    """Read an image file as 8-bit gray or RGB.

    Sixteen-bit gray keeps its upper eight bits, transparent parts become black, palettes are
    resolved and an orientation noted by the camera is applied.

    Args:
        path: The file.
        channels: 1 for gray, 3 for RGB.

    Raises:
        DataError: If the file cannot be read as an image.
    """
    try:
        with Image.open(path) as opened:
            opened.load()
            image = ImageOps.exif_transpose(opened)
            return _eight_bit(image).convert("L" if channels == 1 else "RGB")
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise DataError(
            f"cannot be read as an image ({error})",
            where=str(path),
            remedy="replace the file or remove it",
        ) from error


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        if values.max(initial=0) > 255:
            values >>= 8
        return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        opaque = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", opaque.size, (0, 0, 0, 255)), opaque)
    return image


def shrink(image: Image.Image, *, size: int, box: Box | None = None) -> Image.Image:
    """Resize an image, or the part in a box, to ``size`` × ``size`` pixels.

    Bilinear with the filter widened when shrinking, so nothing aliases. An image that has the
    size already is kept as it is.

    Args:
        image: The image.
        size: Side of the result in pixels.
        box: Left, upper, right and lower edge of the part, inside the image.
    """
    if box is None and image.size == (size, size):
        return image
    return image.resize((size, size), Image.Resampling.BILINEAR, box=box)


def stack(
    images: Iterable[Image.Image], *, count: int, size: int, channels: Channels
) -> NDArray[np.uint8]:
    """Gather images of one size into a contiguous ``uint8`` array ``(count, channels, H, W)``."""
    array = np.empty((count, channels, size, size), dtype=np.uint8)
    for index, image in enumerate(images):
        pixels = np.asarray(image, dtype=np.uint8)
        array[index] = pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)
    return array


def check_moments(moments: bool, channels: Channels) -> None:
    """Refuses moments of a sequence where there are no channels for them.

    Raises:
        ValueError: If there are.
    """
    if moments and channels != 3:
        raise ValueError("moments are the three channels of an image: set data.channels=3")


def square_around(box: Box, *, within: tuple[int, int]) -> Box:
    """Move a square box into an image, shrinking it only if it is larger than the image.

    Args:
        box: Left, upper, right and lower edge of the square.
        within: Width and height of the image.
    """
    left, upper, right, _ = box
    side = min(right - left, *map(float, within))
    left = min(max(left + (right - left - side) / 2, 0.0), within[0] - side)
    upper = min(max(upper, 0.0), within[1] - side)
    return left, upper, left + side, upper + side


def names(values: Sequence[str]) -> NDArray[np.str_]:
    """Subject or sequence IDs as an array, also where there are none."""
    return np.array(values, dtype=np.str_)
