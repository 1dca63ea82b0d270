"""A Gaussian process over encoded networks.

Notation (Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, chapters 2 to 5):

- X  ``inputs``, (n, columns): networks as rows, centred
- y  ``targets``, (n,): standardised inside to ``_residual``
- g(j)  ``owners``: the group of column j; a decision, a cost or the fidelity
- ρ_g  ``relevance``: logarithm of the weight of a group
- s  ``scale``: twice the total variance of the columns, the typical squared distance of two rows
- d²(x, z) = Σ_j exp(ρ_g(j)) (x_j - z_j)² / s
- λ, ν  ``linear``, ``noise``: shares of the linear kernel and of noise
- α²  ``_amplitude``: variance of the signal, profiled out

    k(x, z) = λ 2 xᵀz / s + (1 - λ) (1 + √5 d + 5/3 d²) exp(-√5 d)
    K = k(X, X) + ν I,    α² = yᵀ K⁻¹ y / n
    mean(x) = k(x, X) K⁻¹ y,    variance(x) = α² (k(x, x) - k(x, X) K⁻¹ k(X, x))

ρ, λ (as a logit) and log ν have independent normal priors around their start. They minimise

    n/2 log α² + 1/2 log |K| + 1/2 Σ ((value - start) / doubt)²
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize
from scipy.special import expit, logit

Matrix = NDArray[np.float64]

LENGTH = 0.6
"""Length at which a relevance starts, in typical distances; by judgement, the prior is wide."""
DOUBT = 2.0
"""Standard deviation of that prior in nats: a factor of seven either way. Narrower helped less."""
LINEAR = 0.2
"""Share of the linear kernel at the start; by judgement, the likelihood moves it."""
NOISE = 3e-2
"""Noise at the start. Measured: docs, "The inquisitor learns which decisions matter"."""
LEAST_NOISE, MOST_NOISE = 1e-7, 2.0
"""Bounds of the search: none to speak of, and twice the signal."""
JITTER = 1e-9
"""Keeps the factorisation of equal rows positive."""
RESOLUTION = 1e-4
"""Least deviation that a prediction admits to, in deviations of the targets."""
ITERATIONS = 30
"""Of L-BFGS; a custom, as Optuna's and BoTorch's are tens to hundreds."""
ROOT5 = 5.0**0.5


@dataclass(frozen=True)
class Hyperparameters:
    """Hyperparameters of a process.

    Attributes:
        scale: What a squared distance is divided by.
        relevance: Logarithm of the weight of each group of columns in a squared distance.
        linear: Share of the linear kernel.
        noise: Variance of the noise as a share of the signal's.
        power: Of the scale on which its targets are (:class:`gensynth.generator.targets.Scale`).
    """

    scale: float
    relevance: Mapping[str, float]
    linear: float
    noise: float
    power: float = 1.0


class GaussianProcess:
    """One output; Matérn 5/2 plus a linear kernel.

    The linear part carries trends beyond the data (NetScore is linear in the logarithms of costs
    and quality), the other what bends. Each group of columns has a relevance of its own, so that
    decisions that do not matter are passed over. Relevances, linear share and noise are those of
    greatest posterior density under wide priors, found by L-BFGS; the amplitude is profiled out:
    O(iterations · n³). (Rasmussen and Williams 2006, Gaussian Processes for Machine Learning,
    chapters 4 and 5.)

    Args:
        inputs: (n, columns).
        targets: (n,), finite.
        owners: The group of each column.
        hyperparameters: Those that are known already; groups that they lack are taken as typical.

    Attributes:
        hyperparameters: As given, or the likeliest.
        evidence: Logarithm of the density of the targets, up to a constant; 0 where they are given.
    """

    def __init__(
        self,
        inputs: Matrix,
        targets: Matrix,
        owners: Sequence[str],
        hyperparameters: Hyperparameters | None = None,
    ) -> None:
        self._centre = inputs.mean(axis=0)
        self._inputs = inputs - self._centre
        self._mean = float(targets.mean())
        self._spread = float(targets.std()) or 1.0
        self._residual = (targets - self._mean) / self._spread
        self._groups = sorted(set(owners))
        index = {name: position for position, name in enumerate(self._groups)}
        self._group = np.asarray([index[name] for name in owners], dtype=np.intp)
        self.evidence = 0.0
        self.hyperparameters = self._fitted() if hyperparameters is None else hyperparameters
        self._weights = self._column_weights(
            np.asarray(
                [self.hyperparameters.relevance.get(name, _TYPICAL) for name in self._groups]
            ),
            self.hyperparameters.scale,
        )
        self._condition()

    def _fitted(self) -> Hyperparameters:
        scale = float(2 * self._inputs.var(axis=0).sum()) or 1.0
        start = np.asarray([_TYPICAL] * len(self._groups) + [logit(LINEAR), np.log(NOISE)])
        limits = [(-8.0, 8.0)] * len(self._groups) + [
            (-6.0, 6.0),
            (np.log(LEAST_NOISE), np.log(MOST_NOISE)),
        ]
        best = minimize(
            self._loss,
            start,
            args=(start, scale),
            jac=True,
            method="L-BFGS-B",
            bounds=limits,
            options={"maxiter": ITERATIONS},
        )
        found = best.x
        self.evidence = -float(best.fun) - len(self._residual) * float(np.log(self._spread))
        relevance = dict(zip(self._groups, found[:-2].tolist(), strict=True))
        return Hyperparameters(scale, relevance, float(expit(found[-2])), float(np.exp(found[-1])))

    def _loss(self, at: Matrix, prior: Matrix, scale: float) -> tuple[float, Matrix]:
        """Negative logarithm of the posterior density of hyperparameters, and its gradient."""
        size = len(self._residual)
        weights = self._column_weights(at[:-2], scale)
        linear, noise = float(expit(at[-2])), float(np.exp(at[-1]))
        squared = _squared(self._inputs * np.sqrt(weights), None)
        root = ROOT5 * np.sqrt(squared)
        decay = np.exp(-root)
        curved = (1.0 + root + 5.0 / 3.0 * squared) * decay
        straight = 2.0 / scale * self._inputs @ self._inputs.T
        kernel = linear * straight + (1 - linear) * curved
        kernel[np.diag_indices(size)] += noise + JITTER
        try:
            factor = cho_factor(kernel, lower=True)
        except LinAlgError:
            return 1e10, np.zeros_like(at)
        inverse = cho_solve(factor, np.eye(size))
        solved = inverse @ self._residual
        amplitude = max(float(self._residual @ solved) / size, 1e-12)
        slope = 0.5 * (inverse - np.outer(solved, solved) / amplitude)
        by_squared = slope * (linear - 1) * (5.0 / 6.0) * (1.0 + root) * decay
        by_column = 2 * (
            by_squared.sum(axis=1) @ self._inputs**2
            - (self._inputs * (by_squared @ self._inputs)).sum(axis=0)
        )
        by_relevance = np.bincount(
            self._group, weights=by_column * weights, minlength=len(self._groups)
        )
        by_linear = float((slope * (straight - curved)).sum()) * linear * (1 - linear)
        gradient = np.concatenate([by_relevance, [by_linear, np.trace(slope) * noise]])
        doubt = np.asarray([DOUBT] * len(self._groups) + [DOUBT, 1.5 * DOUBT])
        away = (at - prior) / doubt
        log_determinant = 2 * float(np.log(np.diag(factor[0])).sum())
        loss = 0.5 * (size * np.log(amplitude) + log_determinant + float(away @ away))
        return loss, np.asarray(gradient + away / doubt)

    def _column_weights(self, relevance: Matrix, scale: float) -> Matrix:
        return np.asarray(np.exp(relevance)[self._group] / scale)

    def _kernel(self, left: Matrix, right: Matrix) -> Matrix:
        root = np.sqrt(self._weights)
        squared = _squared(left * root, right * root)
        length = ROOT5 * np.sqrt(squared)
        curved = (1.0 + length + 5.0 / 3.0 * squared) * np.exp(-length)
        linear = self.hyperparameters.linear
        return np.asarray(
            linear * 2 / self.hyperparameters.scale * left @ right.T + (1 - linear) * curved
        )

    def _condition(self) -> None:
        kernel = self._kernel(self._inputs, self._inputs)
        kernel[np.diag_indices_from(kernel)] += self.hyperparameters.noise + JITTER
        self._factor = cho_factor(kernel, lower=True)
        self._solved = cho_solve(self._factor, self._residual)
        self._amplitude = max(float(self._residual @ self._solved) / len(self._residual), 1e-12)

    def extended(self, inputs: Matrix, targets: Matrix) -> GaussianProcess:
        """The process with more data, its hyperparameters as they were."""
        other = object.__new__(GaussianProcess)
        other.__dict__.update(self.__dict__)
        other._inputs = np.concatenate([self._inputs, inputs - self._centre])
        other._residual = np.concatenate([self._residual, (targets - self._mean) / self._spread])
        other._condition()
        return other

    def predict(self, queries: Matrix) -> tuple[Matrix, Matrix]:
        """Posterior mean and standard deviation (of the function, without noise), (m,) each.

        The deviation is at least a ten-thousandth of the targets': nobody is surer, and the
        tails of acquisition functions mean nothing there.
        """
        points = queries - self._centre
        cross = self._kernel(points, self._inputs)
        linear, scale = self.hyperparameters.linear, self.hyperparameters.scale
        alone = 1 - linear + linear * 2 / scale * (points**2).sum(axis=1)
        explained = (solve_triangular(self._factor[0], cross.T, lower=True) ** 2).sum(axis=0)
        variance = np.maximum(self._amplitude * (alone - explained), RESOLUTION**2)
        mean = self._mean + self._spread * (cross @ self._solved)
        return np.asarray(mean), np.asarray(self._spread * np.sqrt(variance))


_TYPICAL = -2 * float(np.log(LENGTH))


def _squared(left: Matrix, right: Matrix | None) -> Matrix:
    """Squared distances between rows; of rows among themselves where ``right`` is None."""
    other = left if right is None else right
    squared = (left**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :]
    squared -= 2 * left @ other.T
    np.maximum(squared, 0.0, out=squared)
    if right is None:
        np.fill_diagonal(squared, 0.0)
    return np.asarray(squared)
