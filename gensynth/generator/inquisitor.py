"""The inquisitor I: learns from what was trained, and says what to make next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr
from scipy.stats import norm

from gensynth.generator.decisions import Choice, Range
from gensynth.generator.encoding import Encoder
from gensynth.generator.history import Observation, Screen
from gensynth.generator.surrogate import GaussianProcess

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

FEWEST = 3
MOST = 300
MAX_LEARNED_CONSTRAINTS = 16
SURE = 0.5


@dataclass(frozen=True)
class Prediction:
    """What is expected of some networks at full training, (networks,) each.

    Attributes:
        mean: Expected target, greater is better.
        deviation: Standard deviation of that expectation.
        log_feasible: Logarithm of the probability of meeting every measured bound.
        violation: Expected total violation of the measured bounds.
    """

    mean: Vector
    deviation: Vector
    log_feasible: Vector
    violation: Vector

    @property
    def order(self) -> NDArray[np.int64]:
        """Indices, best first: likely feasible by target, the rest by least violation."""
        likely = self.log_feasible >= np.log(SURE)
        return np.lexsort((-self.mean, np.where(likely, 0.0, self.violation), ~likely))

    def improvement(self, best: float | None) -> Vector:
        """Log of feasibility times expected improvement over ``best`` (Gardner et al. 2014).

        Without a feasible network so far there is nothing to improve on, and the probability of
        feasibility alone decides.
        """
        if best is None:
            standard = (self.mean - self.mean.mean()) / (self.mean.std() or 1.0)
            return np.asarray(self.log_feasible + 1e-3 * standard)
        z = (self.mean - best) / self.deviation
        return np.asarray(self.log_feasible + np.log(self.deviation) + _log_improvement(z))


class Inquisitor:
    """Models of the target and of every measured constraint.

    A constraint that equals a static violation in every trial is known exactly beforehand and is
    not modelled.

    Args:
        observations: Finished trials, in the order in which they finished.
        targets: What is to be made great, one for each observation; NaN where it was not measured.
        decisions: How to encode each decision.
        screen: Where the costs of other networks come from.
    """

    def __init__(
        self,
        observations: Sequence[Observation],
        targets: Vector,
        decisions: Mapping[str, Choice | Range],
        screen: Screen,
    ) -> None:
        self.screen = screen
        kept = _strongest(observations, targets)
        self._observations = [observations[index] for index in kept]
        self._targets = _winsorised(targets[kept])
        self._decisions = decisions
        self._prepare()
        self._target_model = _model(self._inputs, self._targets)
        self._constraints = _measured(self._observations)
        self._constraint_models = [
            _model(self._inputs, values) for values in self._constraints.values()
        ]

    def _prepare(self) -> None:
        present = [observation.decisions.keys() for observation in self._observations]
        names = sorted(set().union(*present) & self._decisions.keys()) if present else []
        optional = frozenset(name for name in names if not all(name in one for one in present))
        self._encoder = Encoder({name: self._decisions[name] for name in names}, optional)
        self._costs = sorted(set().union(*(one.costs.keys() for one in self._observations)))
        costs = self._cost_columns([one.costs for one in self._observations])
        self._cost_mean = costs.mean(axis=0) if costs.size else np.zeros(len(self._costs))
        self._cost_scale = (costs.std(axis=0) if costs.size else np.ones(len(self._costs))) + 1e-9
        self._inputs = self._encode(
            [one.decisions for one in self._observations],
            [one.costs for one in self._observations],
            np.asarray([one.fidelity for one in self._observations]),
        )

    def _cost_columns(self, costs: Sequence[Mapping[str, float]]) -> Matrix:
        rows = [[one.get(name, 0.0) for name in self._costs] for one in costs]
        return np.arcsinh(np.asarray(rows, dtype=np.float64).reshape(len(rows), len(self._costs)))

    def _encode(
        self,
        decisions: Sequence[Mapping[str, Any]],
        costs: Sequence[Mapping[str, float]],
        fidelity: Vector,
    ) -> Matrix:
        standard = (self._cost_columns(costs) - self._cost_mean) / self._cost_scale
        columns = [self._encoder(decisions), np.clip(standard, -5, 5), fidelity[:, None]]
        return np.concatenate(columns, axis=1)

    def predict(
        self, decisions: Sequence[Mapping[str, Any]], costs: Sequence[Mapping[str, float]]
    ) -> Prediction:
        """Predicts networks at full training.

        Args:
            decisions: Of each network.
            costs: Of each, as :meth:`Screen.weigh` gives them.
        """
        queries = self._encode(decisions, costs, np.ones(len(decisions)))
        mean, deviation = _predict(self._target_model, queries)
        log_feasible = np.zeros(len(queries))
        violation = np.zeros(len(queries))
        for model in self._constraint_models:
            centre, spread = _predict(model, queries)
            z = centre / spread
            log_feasible += log_ndtr(-z)
            violation += spread * (norm.pdf(z) + z * ndtr(z))
        return Prediction(mean, deviation, log_feasible, violation)

    @property
    def best(self) -> float | None:
        """Greatest expected target among the feasible networks trained so far."""
        feasible = [
            index
            for index, one in enumerate(self._observations)
            if one.violation <= 0 and not np.isnan(self._targets[index])
        ]
        if not feasible or self._target_model is None:
            return None
        expected = self._target_model.predict(self._inputs[feasible])[0]
        return float(expected.max())

    def incumbents(self, count: int) -> list[Mapping[str, Any]]:
        """Decisions of the networks that are the best by what is expected of them, best first."""
        rows = [one.decisions for one in self._observations]
        prediction = self.predict(rows, [one.costs for one in self._observations])
        admissible = np.asarray(
            [all(v <= 0 for v in o.static.values()) for o in self._observations]
        )
        order = [index for index in prediction.order if admissible[index]]
        return [rows[index] for index in (order or prediction.order)[:count]]

    def credit(self) -> dict[str, dict[str, float]]:
        """How much each value of a decision adds to the expected target, all else as trained.

        Returns:
            By decision and value (of a number: its cell's middle, 0 to 1, as text), the mean
            expected target of the trained networks that have it, less the mean of all.
        """
        rows = [one.decisions for one in self._observations]
        expected = self.predict(rows, [one.costs for one in self._observations]).mean
        credits: dict[str, dict[str, float]] = {}
        for name, decision in self._decisions.items():
            groups: dict[int, list[float]] = {}
            for row, value in zip(rows, expected, strict=True):
                cell = decision.cell(row[name]) if name in row else None
                if cell is not None:
                    groups.setdefault(cell, []).append(float(value))
            credits[name] = {
                _label(decision, cell): float(np.mean(values) - expected.mean())
                for cell, values in sorted(groups.items())
            }
        return credits

    def believing(
        self, decisions: Sequence[Mapping[str, Any]], costs: Sequence[Mapping[str, float]]
    ) -> Inquisitor:
        """An inquisitor that takes its expectations of unfinished networks for results.

        So parallel askers do not all ask for one place (kriging believer; Ginsbourg et al. 2010).
        """
        if not decisions or self._target_model is None:
            return self
        other = object.__new__(Inquisitor)
        other.__dict__.update(self.__dict__)
        queries = self._encode(decisions, costs, np.ones(len(decisions)))
        expected = self._target_model.predict(queries)[0]
        other._target_model = self._target_model.extended(queries, expected)
        return other


def _label(decision: Choice | Range, cell: int) -> str:
    if isinstance(decision, Choice):
        return str(decision.choices[cell])
    return f"{decision.centres[cell]:.3f}"


def _predict(model: GaussianProcess | None, queries: Matrix) -> tuple[Vector, Vector]:
    if model is None:
        return np.zeros(len(queries)), np.ones(len(queries))
    return model.predict(queries)


def _model(inputs: Matrix, targets: Vector) -> GaussianProcess | None:
    known = ~np.isnan(targets)
    if known.sum() < FEWEST or not np.ptp(targets[known]) > 0:
        return None
    return GaussianProcess(inputs[known], targets[known])


def _strongest(observations: Sequence[Observation], targets: Vector) -> NDArray[np.int64]:
    """At most ``MOST`` observations: the best half as many, and the latest of the others."""
    if len(observations) <= MOST:
        return np.arange(len(observations))
    violation = np.asarray([one.violation for one in observations])
    order = np.lexsort((-np.nan_to_num(targets, nan=-np.inf), violation))
    best = order[: MOST // 2]
    others = np.setdiff1d(np.arange(len(observations)), best)
    return np.sort(np.concatenate([best, others[-(MOST - len(best)) :]]))


def _measured(observations: Sequence[Observation]) -> dict[str, Vector]:
    names = sorted(set().union(*(one.measured.keys() for one in observations)))
    found = {}
    for name in names[:MAX_LEARNED_CONSTRAINTS]:
        if _is_static(name, observations):
            continue
        values = np.asarray([one.measured.get(name, np.nan) for one in observations])
        found[name] = _compressed(values)
    return found


def _is_static(name: str, observations: Sequence[Observation]) -> bool:
    """Whether a constraint is one of the static ones, which are known without a model."""
    having = [one for one in observations if name in one.measured]
    candidates = set.intersection(*(set(one.static) for one in having)) if having else set()
    return name in candidates or any(
        all(abs(one.measured[name] - one.static[other]) < 1e-9 for one in having)
        for other in candidates
    )


def _compressed(values: Vector) -> Vector:
    """Violations on a scale where the far ones do not drown the bound; the sign stays."""
    scale = np.nanmedian(np.abs(values)) if np.isfinite(values).any() else 0.0
    return np.asarray(np.arcsinh(values / (scale or 1.0)))


def _winsorised(targets: Vector) -> Vector:
    """Targets with the far bad tail and infinities drawn in, so that the good end is resolved."""
    finite = targets[np.isfinite(targets)]
    if len(finite) == 0:
        return np.full_like(targets, np.nan)
    low, middle, high = np.quantile(finite, [0.25, 0.5, 1.0])
    floor = middle - 5 * max(middle - low, 1e-12) if len(finite) > 3 else finite.min()
    return np.where(np.isnan(targets), np.nan, np.clip(targets, max(floor, finite.min()), high))


def _log_improvement(z: Vector) -> Vector:
    """log(φ(z) + z Φ(z)), also far in the lower tail (Ament et al. 2023, LogEI)."""
    near = np.log(np.maximum(norm.pdf(z) + z * ndtr(z), 1e-300))
    far = norm.logpdf(z) - 2 * np.log(np.maximum(np.abs(z), 1.0))
    return np.asarray(np.where(z > -5, near, far))
