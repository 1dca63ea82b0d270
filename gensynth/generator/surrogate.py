"""A Gaussian process over encoded networks."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

Matrix = NDArray[np.float64]

LENGTHS = (0.3, 0.6, 1.2)
LINEARS = (0.1, 0.5)
NOISES = (1e-4, 1e-3, 1e-2, 0.1, 0.5, 2.0)
JITTER = 1e-9
RESOLUTION = 0.01


class GaussianProcess:
    """One output; Matérn 5/2 plus a linear kernel; hyperparameters by likelihood over a grid.

    The linear part carries trends beyond the data (NetScore is linear in the logarithms of costs
    and accuracy), the other what bends. Inputs are scaled to a mean squared distance of 1. The
    amplitude is profiled out, so the grid has three axes: the linear share, the length scale, and
    the noise as a share of the signal. One eigendecomposition serves all noises:
    O(shares · lengths · n³). (Rasmussen and Williams 2006, Gaussian Processes for Machine Learning,
    chapters 4 and 5.)

    Args:
        inputs: (n, columns).
        targets: (n,), finite.
    """

    def __init__(self, inputs: Matrix, targets: Matrix) -> None:
        self._centre = inputs.mean(axis=0)
        self._unit = float(np.sqrt(2 * inputs.var(axis=0).sum())) or 1.0
        self._inputs = self._scaled(inputs)
        self._mean = float(targets.mean())
        self._scale = float(targets.std()) or 1.0
        self._residual = (targets - self._mean) / self._scale
        best = (-np.inf, (LINEARS[0], LENGTHS[0]), NOISES[-1], 1.0)
        for shape in product(LINEARS, LENGTHS):
            values, vectors = np.linalg.eigh(_kernel(self._inputs, self._inputs, *shape))
            rotated = (vectors.T @ self._residual) ** 2
            for noise in NOISES:
                spectrum = np.maximum(values, 0.0) + noise
                amplitude = max(float((rotated / spectrum).mean()), 1e-12)
                likelihood = -0.5 * (
                    len(targets) * np.log(amplitude) + float(np.log(spectrum).sum())
                )
                if likelihood > best[0]:
                    best = (likelihood, shape, noise, amplitude)
        _, self.shape, self.noise, self._amplitude = best
        self._condition()

    def _scaled(self, inputs: Matrix) -> Matrix:
        return np.asarray((inputs - self._centre) / self._unit)

    def _condition(self) -> None:
        kernel = _kernel(self._inputs, self._inputs, *self.shape)
        kernel[np.diag_indices_from(kernel)] += self.noise + JITTER
        self._factor = cho_factor(kernel, lower=True)
        self._weights = cho_solve(self._factor, self._residual)

    def extended(self, inputs: Matrix, targets: Matrix) -> GaussianProcess:
        """The process with more data, its hyperparameters as they were."""
        other = object.__new__(GaussianProcess)
        other.__dict__.update(self.__dict__)
        other._inputs = np.concatenate([self._inputs, self._scaled(inputs)])
        other._residual = np.concatenate([self._residual, (targets - self._mean) / self._scale])
        other._condition()
        return other

    def predict(self, queries: Matrix) -> tuple[Matrix, Matrix]:
        """Posterior mean and standard deviation (of the function, without noise), (m,) each.

        The deviation is at least a hundredth of the targets': nobody is surer than that, and the
        tails of acquisition functions mean nothing there.
        """
        points = self._scaled(queries)
        cross = _kernel(points, self._inputs, *self.shape)
        mean = cross @ self._weights
        linear = self.shape[0]
        alone = 1 - linear + linear * 2 * (points**2).sum(axis=1)
        explained = (cross * cho_solve(self._factor, cross.T).T).sum(axis=1)
        variance = np.maximum(self._amplitude * (alone - explained), RESOLUTION**2)
        return self._mean + self._scale * mean, self._scale * np.sqrt(variance)


def _kernel(left: Matrix, right: Matrix, linear: float, length: float) -> Matrix:
    """Linear and Matérn; 1 on average between a point and itself."""
    products = left @ right.T
    squared = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :] - 2 * products
    root = np.sqrt(5.0 * np.maximum(squared, 0.0)) / length
    matern = (1.0 + root + root**2 / 3.0) * np.exp(-root)
    return np.asarray(linear * 2 * products + (1 - linear) * matern)
