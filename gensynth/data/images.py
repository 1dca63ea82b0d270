"""Reading image files of any common kind into 8-bit arrays of one size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from gensynth.data.dataset import DataError
from gensynth.errors import first_line

Channels = Literal[1, 3]
Box = tuple[float, float, float, float]

SUFFIXES = {
    "BMP": ".bmp .dib",
    "GIF": ".gif",
    "JPEG": ".jpg .jpeg .jpe .jfif",
    "JPEG2000": ".jp2 .j2k",
    "PCX": ".pcx",
    "PNG": ".png .apng",
    "PPM": ".pbm .pgm .pnm .ppm .pfm",
    "TGA": ".tga",
    "TIFF": ".tif .tiff",
    "WEBP": ".webp",
}
"""The formats that images are opened by, whatever a file is called, and what files are called.

What Pillow hands to other programs (EPS, to Ghostscript) or what no camera and no web page makes is
not among them.
"""

IMAGE_SUFFIXES = frozenset(" ".join(SUFFIXES.values()).split())
SHALLOW = frozenset(f"{SUFFIXES['JPEG']} {SUFFIXES['GIF']} {SUFFIXES['WEBP']}".split())
"""Files that can have eight bits a pixel only."""

MOST_PIXELS = 50_000_000
"""Pixels of an image; more are refused before they are decoded."""

DEPTHS = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""What white is in images of floating-point numbers, and of 8, 10, 12, 14 and 16 bits."""

FEW_LEVELS = 16


def is_image(path: Path) -> bool:
    """Whether a path is a visible file with the suffix of an image."""
    return (
        path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def read_image(path: Path, *, channels: Channels, white: float | None = None) -> Image.Image:
    """Read an image file as 8-bit gray or RGB.

    Transparent parts become black, palettes are resolved and an orientation noted by the camera is
    applied.

    Args:
        path: The file.
        channels: 1 for gray, 3 for RGB.
        white: What is white in an image of more than eight bits, see :func:`white_level`; found
            from this image alone when None.

    Raises:
        DataError: If the file cannot be read as an image, or is larger than ``MOST_PIXELS``.
    """
    with _opened(path) as opened:
        opened.load()
        image = ImageOps.exif_transpose(opened)
        return _eight_bit(image, white).convert("L" if channels == 1 else "RGB")


def white_level(paths: Iterable[Path]) -> float | None:
    """What is white in the images of a data set that have more than eight bits.

    It is one value for all of them, the least of ``DEPTHS`` that none exceeds: a dark image stays
    darker than a bright one, and ten bits in files of sixteen are read as ten.

    Args:
        paths: The images. Those that cannot be read are passed over here.

    Returns:
        The value; None where no image has more than eight bits.

    Raises:
        DataError: If fewer than ``FEW_LEVELS`` grey levels would be left.
    """
    highest = None
    for path in paths:
        if path.suffix.lower() in SHALLOW:
            continue
        try:
            with _opened(path) as opened:
                if _is_deep(opened):
                    highest = max(highest or 0.0, float(_values(opened).max(initial=0.0)))
        except DataError:
            continue
    if highest is None:
        return None
    white = next((depth for depth in DEPTHS if highest <= depth), highest)
    if highest / white * 255 < FEW_LEVELS:
        raise DataError(
            f"pixels reach only {highest:g} of {white:g}, which leaves fewer than {FEW_LEVELS} "
            "grey levels",
            where="data.white",
            remedy=f"set data.white to the value that is white, such as {highest:g}",
        )
    return white


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """An image by one of the formats that are meant; whatever a decoder raises, it is at fault."""
    try:
        if path.exists() and not path.is_file():
            raise OSError("not a regular file")
        with Image.open(path, formats=tuple(SUFFIXES)) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise OSError(f"more than {MOST_PIXELS} pixels")
            yield opened
    except Exception as error:
        raise DataError(
            f"cannot be read as an image ({first_line(error)})",
            where=str(path),
            remedy="replace the file or remove it",
        ) from error


def _is_deep(image: Image.Image) -> bool:
    return image.mode.startswith("I") or image.mode == "F"


def _values(image: Image.Image) -> NDArray[np.float64]:
    values = np.asarray(image).astype(np.float64)
    return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)


def _eight_bit(image: Image.Image, white: float | None) -> Image.Image:
    if _is_deep(image):
        values = _values(image)
        if white is None:
            highest = values.max(initial=0.0)
            white = next((depth for depth in DEPTHS if highest <= depth), highest)
        return Image.fromarray(np.clip(np.rint(values * (255 / white)), 0, 255).astype(np.uint8))
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
