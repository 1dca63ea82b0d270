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

f32 = np.float32


def constant(value: Array | float) -> Array:
    """A number as an array of the one type that is drawn with."""
    return np.asarray(value, dtype=np.float32)


def clamp(value: Array) -> Array:
    """Limit values to the range 0 to 1."""
    return np.clip(value, f32(0), f32(1))


def smooth(value: Array) -> Array:
    """Smooth step from 0 (value 0 and less) to 1 (value 1 and more)."""
    limited = clamp(value)
    return limited * limited * (f32(3) - f32(2) * limited)


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
        return clamp(f32(0.5) - distance / f32(self.pixel * softness))

    def paint(self, coverage: Array, tone: Array | float) -> None:
        """Cover the given share of each pixel with a tone."""
        self.tone += coverage * (constant(tone) - self.tone)

    def shade(self, amount: Array) -> None:
        """Darken each pixel by a share of its tone; a negative amount brightens it."""
        self.tone *= f32(1) - amount


def ellipse(x: Array, y: Array, radius_x: Array, radius_y: Array) -> Array:
    """Approximate signed distance from an axis-parallel ellipse around the origin.

    First-order distance, the implicit function over the length of its gradient; source:
    Taubin, "Distance approximations for rasterizing implicit curves", 1994.
    """
    unit_x = x / radius_x
    unit_y = y / radius_y
    level = np.sqrt(unit_x * unit_x + unit_y * unit_y) + f32(1e-6)
    slope_x = unit_x / radius_x
    slope_y = unit_y / radius_y
    slope = np.sqrt(slope_x * slope_x + slope_y * slope_y) + f32(1e-6)
    distance: Array = level * (level - f32(1)) / slope
    return distance


def blob(x: Array, y: Array, radius_x: Array | float, radius_y: Array | float) -> Array:
    """Smooth spot that is 1 at the origin and 0 from the given radii outwards."""
    unit_x: Array = x / constant(radius_x)
    unit_y: Array = y / constant(radius_y)
    rest = clamp(f32(1) - unit_x * unit_x - unit_y * unit_y)
    return rest * rest


def stroke(canvas: Canvas, along: Array, across: Array, half_width: Array | float) -> Array:
    """Coverage of a tapered line.

    Args:
        canvas: Gives the size of a pixel.
        along: Position along the line, -1 at its start and 1 at its end.
        across: Distance from the line's middle, in grid units.
        half_width: Half of the line's width at its middle, in grid units.
    """
    taper = clamp(f32(1) - along * along)
    half: Array = constant(half_width) * (f32(0.35) + f32(0.65) * taper)
    ends = clamp((f32(1) - np.abs(along)) * f32(6))
    thin = f32(canvas.pixel) / f32(2)
    coverage = clamp((half + thin - np.abs(across)) / f32(canvas.pixel))
    strength = clamp(half / thin)
    return coverage * ends * strength
