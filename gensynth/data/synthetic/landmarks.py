"""The 68 facial landmarks of a drawn face, numbered as in CK+'s landmark files.

0-16 jaw from the picture's left ear round the chin, 17-26 brows, 27-35 nose, 36-47 eyes, 48-67
mouth (outer then inner), each from left to right and then back below (the Multi-PIE scheme).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gensynth.data.synthetic.canvas import Array, f32
from gensynth.data.synthetic.pose import Columns, from_features, from_head
from gensynth.data.synthetic.shape import brows, eyes, head_half_width, head_height, mouth

POINTS = 68

_JAW = (-0.1, 0.1, 0.3, 0.5, 0.68, 0.82, 0.92, 0.98, 1.0)
_BROW = (1.0, 0.5, 0.0, -0.5, -1.0)
_UPPER_LIP = (-1.0, -0.6, -0.25, 0.0, 0.25, 0.6, 1.0)
_LOWER_LIP = (0.6, 0.25, 0.0, -0.25, -0.6)
_INNER_UPPER = (-0.9, -0.3, 0.0, 0.3, 0.9)
_INNER_LOWER = (0.3, 0.0, -0.3)

Points = tuple[Array, Array]


def landmarks(face: Columns) -> NDArray[np.float32]:
    """Landmarks in picture coordinates, in face units.

    Args:
        face: Traits, picture and action units of N faces, each of shape ``(N, 1, 1)``.

    Returns:
        Array of shape ``(N, 68, 2)``: x and y of each point.
    """
    inner = [_brow(face), _nose(face), _eye(face), _mouth(face)]
    x = np.concatenate([part[0] for part in inner], axis=2)
    y = np.concatenate([part[1] for part in inner], axis=2)
    features = np.stack(from_features(face, x, y), axis=-1)
    outline = np.stack(from_head(face, *_jaw(face)), axis=-1)
    return np.concatenate((outline, features), axis=2)[:, 0]


def _row(values: tuple[float, ...]) -> Array:
    return np.array(values, dtype=np.float32)[None, None, :]


def _mirrored(x: Array, y: Array) -> Points:
    """Points of the picture's left side, then their mirror images from the middle outwards."""
    return (
        np.concatenate((-x, x[:, :, ::-1]), axis=2),
        np.concatenate((y, y[:, :, ::-1]), axis=2),
    )


def _jaw(face: Columns) -> Points:
    share = _row(_JAW)
    y: Array = share * head_height(face, share)
    x: Array = head_half_width(face, y) * np.sqrt(f32(1) - share * share)
    both_x, both_y = _mirrored(x, y + face["head_y"])
    chin = len(_JAW)
    keep = [index for index in range(2 * chin) if index != chin]
    return both_x[:, :, keep], both_y[:, :, keep]


def _brow(face: Columns) -> Points:
    shape, u = brows(face), _row(_BROW)
    return _mirrored(shape.center_x + u * shape.half_width, shape.height(u))


def _nose(face: Columns) -> Points:
    tip = face["eye_y"] + face["nose_length"] - f32(0.05) * face["AU9"]
    bridge = face["eye_y"] + _row((0.0, 0.3, 0.6, 0.9)) * (tip - face["eye_y"])
    base_x: Array = face["nose_width"] * _row((-0.9, -0.45, 0.0, 0.45, 0.9))
    base_y: Array = tip + _row((0.02, 0.04, 0.05, 0.04, 0.02))
    return (
        np.concatenate((np.zeros_like(bridge), base_x), axis=2),
        np.concatenate((bridge, base_y), axis=2),
    )


def _eye(face: Columns) -> Points:
    opening = eyes(face)
    u = _row((1.0, 0.4, -0.4, -1.0, -0.4, 0.4))
    arch: Array = f32(1) - u * u
    lid = np.where(np.arange(6) < 3, -opening.upper, opening.lower)
    y: Array = face["eye_y"] + face["eye_tilt"] * u + lid * arch
    x: Array = face["eye_x"] + u * face["eye_width"]
    right = [3, 2, 1, 0, 5, 4]
    return (
        np.concatenate((-x, x[:, :, right]), axis=2),
        np.concatenate((y, y[:, :, right]), axis=2),
    )


def _mouth(face: Columns) -> Points:
    shape = mouth(face)
    curves = (
        (_UPPER_LIP, shape.outer_upper),
        (_LOWER_LIP, shape.outer_lower),
        (_INNER_UPPER, shape.inner_upper),
        (_INNER_LOWER, shape.inner_lower),
    )
    u = _row(tuple(value for values, _ in curves for value in values))
    x: Array = u * np.where(u < 0, shape.width_left, shape.width_right)
    y = np.concatenate([curve(_row(values)) for values, curve in curves], axis=2)
    return x, y
