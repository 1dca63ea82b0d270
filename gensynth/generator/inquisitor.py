"""The inquisitor I: learns from what was trained, and says what to train next.

It is a Gaussian process (:mod:`gensynth.generator.surrogate`) of each outcome m: U, every one of
several objectives, every measured bound. Inputs are a network's decisions, the logarithms
(arcsinh) of its exact costs, and the fidelity of its training, 1 where something is predicted.

- μ_m(x), σ_m(x)  mean and deviation of outcome m at network x, on the outcome's own scale
- P(x) = Π_m Φ(-μ_m(x) / σ_m(x))  probability of meeting every measured bound (violations, <= 0 met)
- U*  greatest expected U of the feasible trained networks
- z = (μ_U - U*) / σ_U

    promise of U:        log P + log σ_U + log(φ(z) + z Φ(z))     (Gardner et al. 2014; Ament et al.
                                                                  2023)
    promise of a front:  log P + log E[growth of its hypervolume]  (:mod:`...hypervolume`)

Static bounds need no model: what breaks one is never a candidate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr
from scipy.stats import norm

from gensynth.dominance import nondominated
from gensynth.generator.decisions import Categorical, Range
from gensynth.generator.encoding import Encoder
from gensynth.generator.history import Observation
from gensynth.generator.hypervolume import NODES, WEIGHTS, HypervolumeImprovement
from gensynth.generator.screen import Screen
from gensynth.generator.surrogate import GaussianProcess, Hyperparameters
from gensynth.generator.targets import FEWEST, Scale, exact_cost, measured, several, utilities

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Rows = Sequence[Mapping[str, Any]]
Costs = Sequence[Mapping[str, float]]

SURE = 0.5
"""Probability from which a network counts as feasible: more likely than not."""
TARGET = "U"
FIDELITY = "fidelity"
"""Names of a model and of a column."""


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


class Inquisitor:
    """Models of U, of several objectives, and of every measured constraint.

    A constraint or an objective that equals what is known before training in every trial is known
    exactly and is not modelled.

    Args:
        past: Finished trials to learn from: O(trials³).
        decisions: How to encode each decision.
        screen: Where the costs of other networks come from.
        hyperparameters: Hyperparameters, by model, of an inquisitor that has seen a little less.
    """

    def __init__(
        self,
        past: Sequence[Observation],
        decisions: Mapping[str, Categorical | Range],
        screen: Screen,
        hyperparameters: Mapping[str, Hyperparameters] | None = None,
    ) -> None:
        self.screen = screen
        self._observations = list(past)
        self._decisions = decisions
        self._prepare()
        objectives = several(self._observations).T
        costs = [one.costs for one in self._observations]
        self._names = [_objective(index) for index in range(len(objectives))]
        self._known = {
            name: found
            for name, column in zip(self._names, objectives, strict=True)
            if (found := exact_cost(column, costs)) is not None
        }
        self._values = {TARGET: utilities(self._observations)}
        self._values |= dict(zip(self._names, objectives, strict=True))
        constraints = measured(self._observations)
        self._constraints = sorted(constraints)
        self._scales: dict[str, Scale] = {}
        self._models: dict[str, GaussianProcess] = {}
        for name, values in (self._values | constraints).items():
            self._learn(name, values, (hyperparameters or {}).get(name))
        self._believed: tuple[Matrix, Costs] = (self._inputs[:0], [])
        self._feasible = np.asarray([one.violation <= 0 for one in self._observations])

    def _prepare(self) -> None:
        present = [observation.decisions.keys() for observation in self._observations]
        names = sorted(set().union(*present) & self._decisions.keys()) if present else []
        optional = frozenset(name for name in names if not all(name in one for one in present))
        self._encoder = Encoder({name: self._decisions[name] for name in names}, optional)
        self._costs = sorted(set().union(*(one.costs.keys() for one in self._observations)))
        costs = self._cost_columns([one.costs for one in self._observations])
        self._cost_mean = costs.mean(axis=0) if costs.size else np.zeros(len(self._costs))
        self._cost_scale = (costs.std(axis=0) if costs.size else np.ones(len(self._costs))) + 1e-9
        named = [f"cost {name}" for name in self._costs]
        self._owners = [*self._encoder.owners, *named, FIDELITY]
        self._inputs = self._encode(
            [one.decisions for one in self._observations],
            [one.costs for one in self._observations],
            np.asarray([one.fidelity for one in self._observations]),
        )

    def _cost_columns(self, costs: Costs) -> Matrix:
        rows = [[one.get(name, 0.0) for name in self._costs] for one in costs]
        return np.arcsinh(np.asarray(rows, dtype=np.float64).reshape(len(rows), len(self._costs)))

    def _encode(self, decisions: Rows, costs: Costs, fidelity: Vector) -> Matrix:
        standard = (self._cost_columns(costs) - self._cost_mean) / self._cost_scale
        columns = [self._encoder(decisions), np.clip(standard, -5, 5), fidelity[:, None]]
        return np.concatenate(columns, axis=1)

    def _learn(self, name: str, values: Vector, known: Hyperparameters | None) -> None:
        """Models one outcome; U and objectives on the scale under which they are likeliest."""
        there = ~np.isnan(values)
        straight = Scale.of(values, 1.0) if known is None else Scale.of(values, known.power)
        self._scales[name] = straight
        if there.sum() < FEWEST or not np.ptp(values[there]) > 0 or name in self._known:
            return
        inputs, values = self._inputs[there], values[there]
        if name in self._constraints:
            self._models[name] = GaussianProcess(inputs, values, self._owners, known)
            return
        model = GaussianProcess(inputs, straight(values), self._owners, known)
        if known is None:
            bent = Scale.of(values)
            other = GaussianProcess(inputs, bent(values), self._owners)
            if other.evidence + bent.log_slope(values).sum() > model.evidence:
                self._scales[name], model = bent, other
        self._models[name] = model

    @property
    def hyperparameters(self) -> dict[str, Hyperparameters]:
        """Hyperparameters by model."""
        return {
            name: replace(model.hyperparameters, power=self._scales[name].power)
            for name, model in self._models.items()
        }

    def predict(self, decisions: Rows, costs: Costs) -> Prediction:
        """Predicts networks at full training.

        Args:
            decisions: Of each network.
            costs: Of each, as :meth:`Screen.weigh` gives them.
        """
        return self._predict(self._encode(decisions, costs, np.ones(len(decisions))))

    def _predict(self, queries: Matrix) -> Prediction:
        mean, deviation = self._expect(TARGET, queries)
        log_feasible, violation = self._expect_feasible(queries)
        if TARGET not in self._models:
            return Prediction(mean, deviation, log_feasible, violation)
        scale = self._scales[TARGET]
        middle, high = scale.back(mean), scale.back(mean + deviation)
        return Prediction(middle, high - middle, log_feasible, violation)

    def _expect_feasible(self, queries: Matrix) -> tuple[Vector, Vector]:
        """Logarithm of the probability of meeting every measured bound; expected violation."""
        log_feasible = np.zeros(len(queries))
        violation = np.zeros(len(queries))
        for name in self._constraints:
            centre, spread = self._expect(name, queries)
            z = centre / spread
            log_feasible += log_ndtr(-z)
            violation += spread * (norm.pdf(z) + z * ndtr(z))
        return log_feasible, violation

    def _expect(self, name: str, queries: Matrix) -> tuple[Vector, Vector]:
        model = self._models.get(name)
        if model is None:
            return np.zeros(len(queries)), np.ones(len(queries))
        return model.predict(queries)

    def _expect_objectives(self, queries: Matrix, costs: Costs) -> list[Matrix]:
        """For each objective its values at :data:`NODES` deviations, (networks, nodes)."""
        found = []
        for name in self._names:
            scale = self._scales[name]
            if name in self._known:
                cost, sign = self._known[name]
                exact = sign * np.asarray([one.get(cost, np.nan) for one in costs])
                found.append(np.repeat(np.fmax(exact, scale.floor)[:, None], len(NODES), axis=1))
            else:
                mean, deviation = self._expect(name, queries)
                found.append(scale.back(mean[:, None] + deviation[:, None] * NODES))
        return found

    def promise(self, decisions: Rows, costs: Costs, *, widening: bool) -> Vector:
        """Logarithm of what is to be won by training networks, (networks,).

        Of U it is feasibility times expected improvement (Gardner et al. 2014), of a front times
        expected growth of its hypervolume. Without a feasible network so far there is nothing to
        improve on, and the probability of feasibility decides.

        Args:
            decisions: Of each network.
            costs: Of each, as :meth:`Screen.weigh` gives them.
            widening: Whether what counts is the front of several objectives and not U.
        """
        queries = self._encode(decisions, costs, np.ones(len(decisions)))
        log_feasible = self._expect_feasible(queries)[0]
        if widening and self.front is not None:
            samples = self._expect_objectives(queries, costs)
            return np.asarray(log_feasible + self.front.log_improvement(samples))
        mean, deviation = self._expect(TARGET, queries)
        if widening or self.best is None:
            return np.asarray(log_feasible + 1e-3 * (mean - mean.mean()) / (mean.std() or 1.0))
        z = (mean - self.best) / deviation
        return np.asarray(log_feasible + np.log(deviation) + _log_improvement(z))

    @cached_property
    def best(self) -> float | None:
        """Greatest expected target among the feasible networks so far, on its scale."""
        usable = self._feasible & ~np.isnan(self._values[TARGET])
        if not usable.any() or TARGET not in self._models:
            return None
        inputs = np.concatenate([self._inputs[usable], self._believed[0]])
        return float(self._models[TARGET].predict(inputs)[0].max())

    @cached_property
    def _expected_front(self) -> tuple[list[Mapping[str, Any]], Matrix]:
        """Decisions of the trained networks on the expected front, and objectives to surpass."""
        there = np.all([~np.isnan(self._values[name]) for name in self._names], axis=0)
        usable = np.flatnonzero(self._feasible & there)
        costs = [self._observations[index].costs for index in usable]
        inputs = np.concatenate([self._inputs[usable], self._believed[0]])
        samples = self._expect_objectives(inputs, [*costs, *self._believed[1]])
        values = np.stack([one @ WEIGHTS for one in samples], axis=1)
        first = values[: len(usable)]
        kept = usable[nondominated(first)]
        return [self._observations[index].decisions for index in kept], values

    @cached_property
    def front(self) -> HypervolumeImprovement | None:
        """What the front leaves to be won; None without a feasible network."""
        if not self._names or not self._expected_front[0]:
            return None
        return HypervolumeImprovement.of(self._expected_front[1])

    def incumbents(
        self, count: int, rng: np.random.Generator, *, widening: bool
    ) -> list[Mapping[str, Any]]:
        """Decisions of the best networks trained so far.

        Args:
            count: How many of the best, by what is expected of them, best first.
            rng: Shuffles the front.
            widening: Whether the best are the whole front of several objectives.
        """
        if widening and self.front is not None:
            front = self._expected_front[0]
            return [front[index] for index in rng.permutation(len(front))]
        return [self._observations[index].decisions for index in self._ranking[:count]]

    @cached_property
    def _ranking(self) -> list[int]:
        """Trained networks, best first; those that break a static bound only if all do."""
        order = self._predict(self._inputs).order.tolist()
        kept = [index for index in order if not _broken(self._observations[index])]
        return kept or order

    def watching(self, objectives: Sequence[int]) -> Inquisitor:
        """An inquisitor for which the front is that of some of the objectives."""
        other = object.__new__(Inquisitor)
        other.__dict__.update(self.__dict__)
        for remembered in ("front", "_expected_front"):
            other.__dict__.pop(remembered, None)
        other._names = [_objective(index) for index in sorted(objectives)]
        return other

    def believing(self, decisions: Rows, costs: Costs) -> Inquisitor:
        """An inquisitor that takes its expectations of unfinished networks for results.

        So parallel askers do not all ask for one place (kriging believer; Ginsbourg et al. 2010).
        """
        if not decisions or not self._models:
            return self
        other = object.__new__(Inquisitor)
        other.__dict__.update(self.__dict__)
        for remembered in ("best", "front", "_expected_front"):
            other.__dict__.pop(remembered, None)
        queries = self._encode(decisions, costs, np.ones(len(decisions)))
        other._models = {
            name: model
            if name in self._constraints
            else model.extended(queries, model.predict(queries)[0])
            for name, model in self._models.items()
        }
        likely = self._expect_feasible(queries)[0] >= np.log(SURE)
        kept = [cost for cost, sure in zip(costs, likely, strict=True) if sure]
        other._believed = (queries[likely], kept)
        return other


def _broken(one: Observation) -> bool:
    return any(value > 0 for value in one.static.values())


def _objective(index: int) -> str:
    return f"objective {index}"


def _log_improvement(z: Vector) -> Vector:
    """log(φ(z) + z Φ(z)), also far in the lower tail (Ament et al. 2023, LogEI)."""
    near = np.log(np.maximum(norm.pdf(z) + z * ndtr(z), 1e-300))
    far = norm.logpdf(z) - 2 * np.log(np.maximum(np.abs(z), 1.0))
    return np.asarray(np.where(z > -5, near, far))
