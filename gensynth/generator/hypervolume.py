"""How much a network is expected to widen the front of several objectives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from optuna._hypervolume.box_decomposition import get_non_dominated_box_bounds
from scipy.special import ndtr

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

MARGIN = 0.1
TINY = 1e-300


@dataclass(frozen=True)
class Front:
    """What a front leaves to be won, cut into boxes.

    Attributes:
        lower: Their corners of least objectives, (boxes, objectives).
        upper: Their corners of greatest objectives, which may be infinite.
    """

    lower: Matrix
    upper: Matrix

    @classmethod
    def of(cls, values: Matrix) -> Front:
        """The front of some points.

        Volume counts from a reference a tenth of the range below the worst of the points. Boxes are
        those of Lacour, Klamroth and Fonseca 2017 (A box decomposition algorithm to compute the
        hypervolume indicator); their number grows as points^(objectives/2).

        Args:
            values: (points, objectives), at least one point and two objectives, greater is better.
        """
        losses = -values
        spread = np.maximum(np.ptp(losses, axis=0), 1e-9)
        lower, upper = get_non_dominated_box_bounds(losses, losses.max(axis=0) + MARGIN * spread)
        return cls(lower=-upper, upper=-lower)

    def log_improvement(self, mean: Matrix, deviation: Matrix) -> Vector:
        """Logarithm of the expected growth of the dominated volume, for independent normals.

        Inside a box the growth is a product of one term an objective, so its expectation is one
        of expected improvements up to the two ends of the box (Yang et al. 2019, Multi-objective
        Bayesian global optimization using expected hypervolume improvement gradient).

        Args:
            mean: (networks, objectives).
            deviation: (networks, objectives), > 0.
        """
        growth = np.ones((len(mean), len(self.lower)))
        for column in range(mean.shape[1]):
            centre, spread = mean[:, column, None], deviation[:, column, None]
            gained = _improvement(centre, spread, self.lower[None, :, column])
            ends = self.upper[:, column]
            bounded = np.isfinite(ends)
            gained[:, bounded] -= _improvement(centre, spread, ends[None, bounded])
            growth *= np.maximum(gained, 0.0)
        return np.asarray(np.log(np.maximum(growth.sum(axis=1), TINY)))


def _improvement(mean: Matrix, deviation: Matrix, floor: Matrix) -> Matrix:
    """Expected improvement of a normal over ``floor``."""
    z = (mean - floor) / deviation
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return np.asarray(deviation * (density + z * ndtr(z)))
