"""From pixels to the face's own coordinates and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gensynth.data.synthetic.canvas import Array, f32

Columns = Mapping[str, Array]
"""Traits, picture and action units of N faces by name, each of shape ``(N, 1, 1)``."""

TURN = f32(0.13)
"""How far the middle of the face moves to the side for one unit of yaw, or down for pitch."""


def degrees(
    yaw: NDArray[np.float64], pitch: NDArray[np.float64], roll: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Angles of a head as it is drawn.

    The drawing stands for a face one unit deep at its middle and flat at its outline: turned by an
    angle, the middle moves by the sine of it, which is ``TURN`` for one unit of yaw or pitch. Roll
    is the angle that ``_rotation`` turns the picture by.

    Args:
        yaw: In units of the drawing, (N,); positive to the right of the picture.
        pitch: In units of the drawing, (N,); positive down.
        roll: In units of the drawing, (N,); positive clockwise.

    Returns:
        ``yaw``, ``pitch`` and ``roll`` in degrees.
    """
    turn = float(TURN)
    return {
        "yaw": np.degrees(np.arcsin(np.clip(turn * yaw, -1, 1))),
        "pitch": np.degrees(np.arcsin(np.clip(turn * pitch, -1, 1))),
        "roll": np.degrees(2 * np.arctan(roll / 2)),
    }


def grid(
    height: int, width: int, *, pixels_per_unit: float, center_x: float, center_y: float
) -> tuple[Array, Array]:
    """Coordinates of pixel centres in face units, each of shape ``(1, height, width)``.

    Args:
        height: Image height in pixels.
        width: Image width in pixels.
        pixels_per_unit: Pixels in one face unit (half of the square around the face).
        center_x: Pixel column at which the square is centred, counted from the left edge.
        center_y: Pixel row at which the square is centred, counted from the upper edge.
    """
    scale = f32(pixels_per_unit)
    across = (np.arange(width, dtype=np.float32) + f32(0.5 - center_x)) / scale
    down = (np.arange(height, dtype=np.float32) + f32(0.5 - center_y)) / scale
    x = np.broadcast_to(across[None, None, :], (1, height, width))
    y = np.broadcast_to(down[None, :, None], (1, height, width))
    return x, y


def _rotation(roll: Array) -> tuple[Array, Array]:
    """Cosine and sine of about ``roll`` radians, in plain arithmetic (half-angle formula)."""
    half = roll / f32(2)
    norm = f32(1) + half * half
    return (f32(1) - half * half) / norm, f32(2) * half / norm


def to_head(face: Columns, x: Array, y: Array) -> tuple[Array, Array]:
    """Undo shift, scale and roll: picture coordinates to upright head coordinates."""
    cosine, sine = _rotation(face["roll"])
    moved_x = (x - face["shift_x"]) / face["scale"]
    moved_y = (y - face["shift_y"]) / face["scale"]
    return cosine * moved_x + sine * moved_y, cosine * moved_y - sine * moved_x


def to_features(face: Columns, x: Array, y: Array) -> tuple[Array, Array]:
    """Undo yaw and pitch: head coordinates to those of a face seen from the front.

    The middle of the face is nearest to the camera, so it moves most; the outline stays.
    """
    one = f32(1)
    near_x = np.clip(one - x * x, f32(0), one)
    near_y = np.clip(one - y * y, f32(0), one)
    return x - TURN * face["yaw"] * near_x, y - TURN * face["pitch"] * near_y


def from_head(face: Columns, x: Array, y: Array) -> tuple[Array, Array]:
    """Upright head coordinates to picture coordinates, the inverse of ``to_head``."""
    cosine, sine = _rotation(face["roll"])
    turned_x = cosine * x - sine * y
    turned_y = sine * x + cosine * y
    return turned_x * face["scale"] + face["shift_x"], turned_y * face["scale"] + face["shift_y"]


def from_features(face: Columns, x: Array, y: Array) -> tuple[Array, Array]:
    """Front-view feature coordinates to picture coordinates, undoing ``to_features`` too."""
    head_x, head_y = x, y
    for _ in range(8):
        back_x, back_y = to_features(face, head_x, head_y)
        head_x, head_y = head_x + x - back_x, head_y + y - back_y
    return from_head(face, head_x, head_y)
