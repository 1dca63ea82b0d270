"""Taking the picture: frames to 8-bit gray images, through an imperfect lens and sensor."""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf

import numpy as np
from numpy.typing import NDArray

from gensynth.data.synthetic.canvas import Array, clamp, f32
from gensynth.data.synthetic.expressions import ACTION_UNITS, bells
from gensynth.data.synthetic.face import draw
from gensynth.data.synthetic.population import Frame, stream
from gensynth.data.synthetic.pose import Columns, grid
from gensynth.data.synthetic.traits import IDENTITY, PICTURE

BATCH_PIXELS = 1 << 18
"""Pixels drawn at a time, so that the arrays stay in the processor's cache."""

BLUR = 0.2
"""Share of each neighbour in the three-pixel blur."""

NOISE = 0.015
"""Standard deviation of sensor noise, on a scale on which white is 1."""


def columns(frames: SequenceOf[Frame]) -> Columns:
    """Traits, picture and action units of frames as ``float32`` columns ``(N, 1, 1)``."""
    names = (*IDENTITY, *PICTURE, *ACTION_UNITS)
    rows = [np.concatenate((f.sequence.traits, f.picture, f.units)) for f in frames]
    table = np.array(rows, dtype=np.float32).reshape(len(rows), len(names), 1, 1)
    return {name: table[:, index] for index, name in enumerate(names)}


def take(
    frames: SequenceOf[Frame],
    *,
    height: int,
    width: int,
    pixels_per_unit: float,
    center: tuple[float, float] | None = None,
) -> NDArray[np.uint8]:
    """Draw frames as gray images.

    Args:
        frames: What to draw.
        height: Image height in pixels.
        width: Image width in pixels.
        pixels_per_unit: Half the side, in pixels, of the square around the face.
        center: Column and row at which that square is centred; the image's middle by default.

    Returns:
        ``uint8`` array of shape ``(N, height, width)``.
    """
    center_x, center_y = center or (width / 2, height / 2)
    x, y = grid(
        height, width, pixels_per_unit=pixels_per_unit, center_x=center_x, center_y=center_y
    )
    images = np.empty((len(frames), height, width), dtype=np.uint8)
    batch = max(1, BATCH_PIXELS // (height * width))
    for start in range(0, len(frames), batch):
        part = frames[start : start + batch]
        tones = draw(columns(part), x, y, pixel=1.0 / pixels_per_unit)
        noise = np.stack([_noise(f, height, width) for f in part])
        seen = clamp(_blur(tones) + noise)
        images[start : start + batch] = (seen * f32(255) + f32(0.5)).astype(np.uint8)
    return images


def _noise(frame: Frame, height: int, width: int) -> Array:
    values = bells(stream(*frame.seed), height * width) * NOISE
    return values.reshape(height, width).astype(np.float32)


def _blur(tones: Array) -> Array:
    """Three-pixel binomial blur in both directions, the border repeated."""
    side = f32(BLUR)
    middle = f32(1) - side - side
    padded = np.pad(tones, ((0, 0), (1, 1), (0, 0)), mode="edge")
    rows = middle * padded[:, 1:-1] + side * (padded[:, :-2] + padded[:, 2:])
    padded = np.pad(rows, ((0, 0), (0, 0), (1, 1)), mode="edge")
    return middle * padded[:, :, 1:-1] + side * (padded[:, :, :-2] + padded[:, :, 2:])
