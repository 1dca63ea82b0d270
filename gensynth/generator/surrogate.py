"""A Gaussian process over encoded networks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

Matrix = NDArray[np.float64]

LENGTHS = (0.15, 0.3, 0.6, 1.2, 2.4)
NOISES = (1e-4, 1e-3, 1e-2, 0.1, 0.5, 2.0)
JITTER = 1e-9
RESOLUTION = 0.01


class GaussianProcess:
    """One output, Matérn 5/2, hyperparameters by marginal likelihood over a fixed grid.

    The amplitude is profiled out, so the grid has two axes: the length scale as a multiple of the
    root-mean-square distance of the data, and the noise as a share of the signal. One
    eigendecomposition serves all noises of a length: O(lengths · n³). (Rasmussen and Williams
    2006, Gaussian Processes for Machine Learning, chapters 4 and 5.)

    Args:
        inputs: (n, columns).
        targets: (n,), finite.
    """

    def __init__(self, inputs: Matrix, targets: Matrix) -> None:
        self._inputs = inputs
        self._mean = float(targets.mean())
        self._scale = float(targets.std()) or 1.0
        residual = (targets - self._mean) / self._scale
        self._residual = residual
        squared = _squared_distances(inputs, inputs)
        self._unit = float(squared.mean()) or 1.0
        best = (-np.inf, LENGTHS[0], NOISES[-1], 1.0)
        for length in LENGTHS:
            kernel = _matern(squared / self._unit, length)
            values, vectors = np.linalg.eigh(kernel)
            rotated = (vectors.T @ residual) ** 2
            for noise in NOISES:
                spectrum = np.maximum(values, 0.0) + noise
                amplitude = max(float((rotated / spectrum).mean()), 1e-12)
                likelihood = -0.5 * (
                    len(residual) * np.log(amplitude) + float(np.log(spectrum).sum())
                )
                if likelihood > best[0]:
                    best = (likelihood, length, noise, amplitude)
        self.likelihood, self.length, self.noise, self._amplitude = best
        self._condition()

    def _condition(self) -> None:
        squared = _squared_distances(self._inputs, self._inputs)
        kernel = _matern(squared / self._unit, self.length)
        kernel[np.diag_indices_from(kernel)] += self.noise + JITTER
        self._factor = cho_factor(kernel, lower=True)
        self._weights = cho_solve(self._factor, self._residual)

    def extended(self, inputs: Matrix, targets: Matrix) -> GaussianProcess:
        """The process with more data, its hyperparameters as they were."""
        other = object.__new__(GaussianProcess)
        other.__dict__.update(self.__dict__)
        other._inputs = np.concatenate([self._inputs, inputs])
        other._residual = np.concatenate([self._residual, (targets - self._mean) / self._scale])
        other._condition()
        return other

    def predict(self, queries: Matrix) -> tuple[Matrix, Matrix]:
        """Posterior mean and standard deviation (of the function, without noise), (m,) each.

        The deviation is at least a hundredth of the targets': nobody is surer than that, and the
        tails of acquisition functions mean nothing there.
        """
        cross = _matern(_squared_distances(queries, self._inputs) / self._unit, self.length)
        mean = cross @ self._weights
        explained = (cross * cho_solve(self._factor, cross.T).T).sum(axis=1)
        variance = np.maximum(self._amplitude * (1.0 - explained), RESOLUTION**2)
        return self._mean + self._scale * mean, self._scale * np.sqrt(variance)


def _squared_distances(left: Matrix, right: Matrix) -> Matrix:
    squared = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :] - 2 * left @ right.T
    return np.asarray(np.maximum(squared, 0.0))


def _matern(squared: Matrix, length: float) -> Matrix:
    root = np.sqrt(5.0 * squared) / length
    return np.asarray((1.0 + root + root**2 / 3.0) * np.exp(-root))
