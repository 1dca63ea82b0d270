"""Soft-edged drawing on many small gray images at once, identical to the bit on any machine.

Only additions, multiplications, divisions, square roots and comparisons of ``float32`` arrays are
used. IEEE 754 fixes their results, which it does not for exponentials or sines, nor does NumPy fix
the order of summation in a dot product: so the same parameters give the same image everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def clamp(value: Array) -> Array:
    """Limit values to the range 0 to 1."""
    return np.clip(value, np.float32(0), np.float32(1))


def smooth(value: Array) -> Array:
    """Smooth step from 0 (value 0 and less) to 1 (value 1 and more)."""
    limited = clamp(value)
    return limited * limited * (np.float32(3) - np.float32(2) * limited)


@dataclass
class Canvas:
    """A batch of gray images being painted, each on a coordinate grid of its own.

    Args:
        tone: Gray values painted so far, 0 black to 1 white, shape ``(N, H, W)``.
        pixel: Side of a pixel in the units of the grid, over which edges are blended.
    """

    tone: Array
    pixel: float

    def inside(self, distance: Array, softness: float = 1.0) -> Array:
        """Share of each pixel on the inner side of an edge.

        Args:
            distance: Signed distance from the edge in grid units, negative inside.
            softness: Width of the blend in pixels.
        """
        return clamp(np.float32(0.5) - distance / np.float32(self.pixel * softness))

    def paint(self, coverage: Array, tone: Array | float) -> None:
        """Cover the given share of each pixel with a tone."""
        self.tone += coverage * (np.asarray(tone, dtype=np.float32) - self.tone)

    def shade(self, amount: Array) -> None:
        """Darken each pixel by a share of its tone; a negative amount brightens it."""
        self.tone *= np.float32(1) - amount


def ellipse(x: Array, y: Array, radius_x: Array, radius_y: Array) -> Array:
    """Approximate signed distance from an axis-parallel ellipse around the origin.

    First-order distance, the implicit function over the length of its gradient; source:
    Taubin, "Distance approximations for rasterizing implicit curves", 1994.
    """
    unit_x = x / radius_x
    unit_y = y / radius_y
    level = np.sqrt(unit_x * unit_x + unit_y * unit_y) + np.float32(1e-6)
    slope_x = unit_x / radius_x
    slope_y = unit_y / radius_y
    slope = np.sqrt(slope_x * slope_x + slope_y * slope_y) + np.float32(1e-6)
    return level * (level - np.float32(1)) / slope


def blob(x: Array, y: Array, radius_x: Array | float, radius_y: Array | float) -> Array:
    """Smooth spot that is 1 at the origin and 0 from the given radii outwards."""
    unit_x = x / np.float32(1) / np.asarray(radius_x, dtype=np.float32)
    unit_y = y / np.asarray(radius_y, dtype=np.float32)
    rest = clamp(np.float32(1) - unit_x * unit_x - unit_y * unit_y)
    return rest * rest


def stroke(canvas: Canvas, along: Array, across: Array, half_width: Array | float) -> Array:
    """Coverage of a tapered line.

    Args:
        canvas: Gives the size of a pixel.
        along: Position along the line, -1 at its start and 1 at its end.
        across: Distance from the line's middle, in grid units.
        half_width: Half of the line's width at its middle, in grid units.
    """
    taper = clamp(np.float32(1) - along * along)
    half = np.asarray(half_width, dtype=np.float32) * (np.float32(0.35) + np.float32(0.65) * taper)
    ends = clamp((np.float32(1) - np.abs(along)) * np.float32(6))
    thin = np.float32(canvas.pixel) / np.float32(2)
    coverage = clamp((half + thin - np.abs(across)) / np.float32(canvas.pixel))
    strength = clamp(half / thin)
    return coverage * ends * strength
