"""Where the features of a face lie, given its traits and its action units.

Both the drawing and the landmarks read their geometry here, so they agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gensynth.data.synthetic.canvas import Array, f32
from gensynth.data.synthetic.pose import Columns


def sided(x: Array, left: Array, right: Array) -> Array:
    """Pick the value of the side of the face that a position is on (left is negative x)."""
    chosen: Array = np.where(x < 0, left, right)
    return chosen


def head_half_width(face: Columns, y: Array) -> Array:
    """Half width of the head ellipse's radius at height ``y``, narrowing towards the jaw."""
    below: Array = np.clip(y - f32(0.05), f32(0), f32(1.2))
    return face["head_width"] * (f32(1) - face["jaw"] * below * below)


def head_height(face: Columns, y: Array) -> Array:
    """Radius of the head from its middle up or, with the jaw dropped, down."""
    drop = f32(0.12) * face["AU26"] - f32(0.02) * face["AU17"]
    return face["head_height"] + np.where(y > 0, drop, f32(0))


@dataclass(frozen=True)
class Brows:
    """Both brows as curves over ``u`` from -1 (inner end) to 1 (outer end)."""

    center_x: Array
    half_width: Array
    inner: Array
    middle: Array
    outer: Array

    def height(self, u: Array) -> Array:
        """Height of the brow's middle line at ``u``: the parabola through its three points."""
        half = f32(0.5)
        slope = (self.outer - self.inner) * half
        bend = (self.outer + self.inner) * half - self.middle
        height: Array = self.middle + slope * u + bend * u * u
        return height


def brows(face: Columns) -> Brows:
    """Brows as moved by AU1, AU2, AU4 and AU9."""
    inner_up, outer_up, frown = face["AU1"], face["AU2"], face["AU4"]
    base = face["eye_y"] + face["brow_y"] + f32(0.05) * face["AU9"]
    slope = face["brow_slope"]
    return Brows(
        center_x=face["eye_x"] - f32(0.045) * frown,
        half_width=face["brow_width"] * (f32(1) - f32(0.06) * frown),
        inner=base - f32(0.17) * inner_up + f32(0.15) * frown + slope - f32(0.02) * outer_up,
        middle=base
        - face["brow_arch"]
        - f32(0.08) * inner_up
        - f32(0.11) * outer_up
        + f32(0.1) * frown,
        outer=base - slope - f32(0.16) * outer_up + f32(0.02) * frown,
    )


@dataclass(frozen=True)
class Eyes:
    """Both eyes: openings above and below the line through their corners."""

    upper: Array
    lower: Array


def eyes(face: Columns) -> Eyes:
    """Eye openings as moved by AU5, AU6, AU7 and AU9."""
    widen, squeeze = face["AU5"], face["AU7"]
    cheek, wrinkle = face["AU6"], face["AU9"]
    one = f32(1)
    upper = one + f32(0.7) * widen - f32(0.3) * squeeze - f32(0.35) * wrinkle
    lower = one + f32(0.2) * widen - f32(0.35) * squeeze - f32(0.55) * cheek
    floor = f32(0.12)
    return Eyes(
        upper=face["eye_upper"] * np.maximum(upper - f32(0.15) * cheek, floor),
        lower=face["eye_lower"] * np.maximum(lower, floor),
    )


@dataclass(frozen=True)
class Mouth:
    """The mouth as curves over ``u`` from -1 (its left corner) to 1 (its right corner)."""

    y: Array
    width_left: Array
    width_right: Array
    corner_left: Array
    corner_right: Array
    raise_upper: Array
    drop_lower: Array
    lip_upper: Array
    lip_lower: Array

    def u(self, x: Array) -> Array:
        """Position along the mouth of feature coordinate ``x``."""
        return x / sided(x, self.width_left, self.width_right)

    def line(self, u: Array) -> Array:
        """Height of the line on which closed lips would meet."""
        height: Array = self.y + sided(u, self.corner_left, self.corner_right) * u * u
        return height

    def inner_upper(self, u: Array) -> Array:
        """Lower edge of the upper lip."""
        return self.line(u) - self.raise_upper * _arch(u)

    def inner_lower(self, u: Array) -> Array:
        """Upper edge of the lower lip."""
        return self.line(u) + self.drop_lower * _arch(u)

    def outer_upper(self, u: Array) -> Array:
        """Upper edge of the upper lip, with the dip of Cupid's bow."""
        dip: Array = np.clip(f32(1) - np.abs(u) * f32(5), f32(0), f32(1))
        bow: Array = f32(1) - f32(0.25) * dip
        return self.inner_upper(u) - self.lip_upper * bow * _arch(u)

    def outer_lower(self, u: Array) -> Array:
        """Lower edge of the lower lip."""
        return self.inner_lower(u) + self.lip_lower * _arch(u)


def _arch(u: Array) -> Array:
    arch: Array = np.clip(f32(1) - u * u, f32(0), f32(1))
    return arch


def mouth(face: Columns) -> Mouth:
    """The mouth as moved by the action units of the lower face."""
    one = f32(1)
    drop, part, press = face["AU26"], face["AU25"], face["AU24"]
    tight, stretch, chin = face["AU23"], face["AU20"], face["AU17"]
    purse = f32(0.25) * tight + f32(0.1) * press + f32(0.2) * drop
    stretched = one + f32(0.34) * stretch - purse
    thin = one - f32(0.45) * tight - f32(0.6) * press - f32(0.2) * stretch
    thin = np.maximum(thin, f32(0.2))

    def corner(side: str) -> Array:
        height: Array = (
            face["mouth_curve"]
            - f32(0.2) * face[f"AU12{side}"]
            - f32(0.1) * face[f"AU14{side}"]
            + f32(0.2) * face["AU15"]
            + f32(0.06) * stretch
            + f32(0.035) * chin
        )
        return height

    def width(side: str) -> Array:
        pull = f32(0.36) * face[f"AU12{side}"] + f32(0.15) * face[f"AU14{side}"]
        reach: Array = face["mouth_width"] * np.maximum(stretched + pull, f32(0.5))
        return reach

    smile = (face["AU12L"] + face["AU12R"]) * f32(0.5)
    lift = f32(0.1) * face["AU10"] + f32(0.05) * face["AU9"]
    return Mouth(
        y=face["mouth_y"] + f32(0.05) * drop - f32(0.03) * chin - lift * one,
        width_left=width("L"),
        width_right=width("R"),
        corner_left=corner("L") + lift,
        corner_right=corner("R") + lift,
        raise_upper=part * (f32(0.02) + f32(0.035) * face["AU10"]) + f32(0.04) * drop,
        drop_lower=part * (f32(0.05) + f32(0.07) * smile + f32(0.11) * stretch) + f32(0.32) * drop,
        lip_upper=face["lip_upper"] * thin * (one - f32(0.2) * smile),
        lip_lower=face["lip_lower"] * thin * (one + f32(0.15) * chin),
    )
