"""What the inquisitor learns from: which trials, and on which scales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import inv_boxcox1p
from scipy.stats import yeojohnson, yeojohnson_normmax

from gensynth.generator.front import front_order
from gensynth.generator.history import Observation

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

MAX_LEARNED_CONSTRAINTS = 16
"""Constraints with a model of their own, first by name: each costs O(trials³)."""
FEWEST = 3
"""Values that make a model: two lie on any line."""
TAIL = 15.0
"""Quartile distances below the median where the bad tail is drawn in. Measured: docs, "The
inquisitor learns which decisions matter"."""
STRAIGHTEST, BENT = -1.0, 3.0
"""Powers between which the likeliest is taken, 2 either side of none; beyond, few values decide."""
NEAR_THE_END = 1e-9
"""Distance from the point that a negative power takes infinity to, as a share of it."""
FEWEST_TO_BEND = 8
"""Values that a power is fitted to; by judgement."""


def utilities(past: Sequence[Observation]) -> Vector:
    """U of every observation, NaN where there is none, (observations,)."""
    return np.asarray([np.nan if one.utility is None else one.utility for one in past])


def several(past: Sequence[Observation]) -> Matrix:
    """Objectives where there are several, NaN where not measured, (observations, objectives)."""
    width = max((len(one.objectives) for one in past if one.objectives), default=0)
    if width < 2:
        return np.empty((len(past), 0))
    missing = (np.nan,) * width
    return np.asarray([one.objectives or missing for one in past], dtype=np.float64)


def strongest(past: Sequence[Observation], most: int) -> NDArray[np.int64]:
    """At most ``most`` observations, in order: the best half as many, and the latest others.

    The best are feasible ones by U or by non-domination, then the others by violation.
    """
    if len(past) <= most:
        return np.arange(len(past))
    violation = np.asarray([one.violation for one in past])
    targets = utilities(past)
    if np.isnan(targets).all():
        order = np.asarray(front_order(past, most // 2), dtype=np.int64)
    else:
        order = np.lexsort((-np.nan_to_num(targets, nan=-np.inf), violation))
    best = order[: most // 2]
    others = np.setdiff1d(np.arange(len(past)), best)
    return np.sort(np.concatenate([best, others[-(most - len(best)) :]]))


def measured(past: Sequence[Observation]) -> dict[str, Vector]:
    """Measured violations by constraint, on a scale for a model; those known exactly left out."""
    names = sorted(set().union(*(one.measured.keys() for one in past)))
    found = {}
    for name in names[:MAX_LEARNED_CONSTRAINTS]:
        if not _is_static(name, past):
            values = np.asarray([one.measured.get(name, np.nan) for one in past])
            found[name] = _compressed(values)
    return found


def exact_cost(values: Vector, costs: Sequence[Mapping[str, float]]) -> tuple[str, float] | None:
    """The exact cost that an objective equals in every trial, and its sign; None if none does."""
    present = np.isfinite(values)
    if present.sum() < FEWEST:
        return None
    names = set.intersection(*(set(one) for one in costs))
    for name in sorted(names):
        column = np.asarray([one[name] for one in costs])
        for sign in (-1.0, 1.0):
            if np.allclose(values[present], sign * column[present], rtol=1e-9, atol=0.0):
                return name, sign
    return None


@dataclass(frozen=True)
class Scale:
    """A monotone scale on which values look more like a normal distribution's.

    The far bad tail and infinities are drawn in; what is left is standardised and goes through a
    power transformation (Yeo and Johnson 2000, A new family of power transformations to improve
    normality or symmetry), so that the good end of a saturating metric is resolved.

    Attributes:
        floor: Values below count as this one.
        ceiling: Values above count as this one.
        centre: What the transformation takes for 0.
        spread: What it takes for 1.
        power: Its power; 1 changes nothing.
    """

    floor: float
    ceiling: float
    centre: float
    spread: float
    power: float

    @classmethod
    def of(cls, values: Vector, power: float | None = None) -> Scale:
        """The scale of some values, NaN where there is none; the likeliest power without one."""
        finite = values[np.isfinite(values)]
        if len(finite) == 0:
            return cls(-np.inf, np.inf, 0.0, 1.0, 1.0)
        low, middle, high = np.quantile(finite, [0.25, 0.5, 1.0])
        floor = middle - TAIL * max(middle - low, 1e-12) if len(finite) > 3 else finite.min()
        floor = max(floor, finite.min())
        inside = np.maximum(finite, floor)
        centre, spread = float(inside.mean()), float(inside.std()) or 1.0
        if power is None:
            power = 1.0
            if len(inside) >= FEWEST_TO_BEND and np.ptp(inside) > 0:
                with suppress(RuntimeError):  # nothing is bracketed where numbers underflow
                    power = float(yeojohnson_normmax((inside - centre) / spread, brack=(0.0, 2.0)))
        return cls(float(floor), float(high), centre, spread, min(max(power, STRAIGHTEST), BENT))

    def __call__(self, values: Vector) -> Vector:
        """Values on the scale; NaN stays NaN."""
        return np.asarray(yeojohnson(self._standard(values), lmbda=self.power))

    def log_slope(self, values: Vector) -> Vector:
        """Logarithm of the scale's slope at values, up to a constant that all powers share."""
        standard = self._standard(values)
        return np.asarray((self.power - 1) * np.sign(standard) * np.log1p(np.abs(standard)))

    def _standard(self, values: Vector) -> Vector:
        inside = np.clip(values, self.floor, self.ceiling)
        return np.asarray((inside - self.centre) / self.spread)

    def back(self, points: Vector) -> Vector:
        """The values of points on the scale; beyond what any value reaches, the limit."""
        above = _unbent(np.maximum(points, 0.0), self.power)
        below = _unbent(np.maximum(-points, 0.0), 2 - self.power)
        return np.asarray(self.centre + self.spread * (above - below))


def _unbent(points: Vector, power: float) -> Vector:
    """Inverts one half of the transformation, a Box-Cox one of 1 + value; negative powers end."""
    within = np.minimum(points, (1 - NEAR_THE_END) / -power) if power < 0 else points
    return np.asarray(inv_boxcox1p(within, power))


def _is_static(name: str, past: Sequence[Observation]) -> bool:
    """Whether a constraint is one of the static ones, which are known without a model."""
    having = [one for one in past if name in one.measured]
    candidates = set.intersection(*(set(one.static) for one in having)) if having else set()
    return name in candidates or any(
        all(abs(one.measured[name] - one.static[other]) < 1e-9 for one in having)
        for other in candidates
    )


def _compressed(values: Vector) -> Vector:
    """Violations on a scale where the far ones do not drown the bound; the sign stays."""
    scale = np.nanmedian(np.abs(values)) if np.isfinite(values).any() else 0.0
    return np.asarray(np.arcsinh(values / (scale or 1.0)))
