"""How much a network is expected to widen the front of several objectives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gensynth.seams.optuna import boxes

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(16)
"""Gauss-Hermite quadrature of a standard normal distribution: deviations and their weights."""
WEIGHTS = WEIGHTS / WEIGHTS.sum()
MARGIN = 0.1
"""Where volume counts from, in ranges below the worst point (Ishibuchi et al. 2018, How to specify
a reference point in hypervolume calculation: slightly worse than the nadir)."""
TINY = 1e-300
"""Stands for no growth, so that its logarithm is a number."""


@dataclass(frozen=True)
class HypervolumeImprovement:
    """What a front leaves to be won, cut into boxes.

    Attributes:
        lower: Their corners of least objectives, (boxes, objectives).
        upper: Their corners of greatest objectives, which may be infinite.
    """

    lower: Matrix
    upper: Matrix

    @classmethod
    def of(cls, values: Matrix) -> HypervolumeImprovement:
        """The front of some points.

        Volume counts from a reference a tenth of the range below the worst of the points. Boxes are
        those of Lacour, Klamroth and Fonseca 2017 (A box decomposition algorithm to compute the
        hypervolume indicator); their number grows as points^(objectives/2).

        Args:
            values: (points, objectives), at least one point and two objectives, greater is better.
        """
        losses = -values
        spread = np.maximum(np.ptp(losses, axis=0), 1e-9)
        lower, upper = boxes(losses, losses.max(axis=0) + MARGIN * spread)
        return cls(lower=-upper, upper=-lower)

    def log_improvement(self, samples: Sequence[Matrix]) -> Vector:
        """Logarithm of the expected growth of the dominated volume, for independent objectives.

        Inside a box the growth is a product of one term an objective, so its expectation is the
        product of theirs.

        Args:
            samples: For each objective, (networks, nodes): its values at :data:`NODES` standard
                deviations from its expectation.
        """
        growth = np.ones((len(samples[0]), len(self.lower)))
        for column, values in enumerate(samples):
            low, high = self.lower[None, :, column, None], self.upper[None, :, column, None]
            growth *= (np.clip(values[:, None, :], low, high) - low) @ WEIGHTS
        return np.asarray(np.log(np.maximum(growth.sum(axis=1), TINY)))
