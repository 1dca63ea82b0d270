"""What a search is asked to solve: a space, and what is known before training and after."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gensynth.dominance import nondominated
from gensynth.generator import Generator
from gensynth.generator.tracing import Trace, trace

Direction = Literal["maximize", "minimize"]
Point = tuple[float, ...]


class Evaluation(NamedTuple):
    """What one trained network gave.

    Attributes:
        objectives: One value a direction of the problem.
        violation: Of the trained bounds, <= 0 when met.
    """

    objectives: tuple[float, ...]
    violation: float


def corners_and_front(
    metrics: NDArray[np.float64], directions: Sequence[Direction]
) -> tuple[tuple[Point, Point], tuple[Point, ...]]:
    """What bounds all networks of a table, and those that none beats.

    Args:
        metrics: (networks, objectives).
        directions: Of each objective.

    Returns:
        (the best, the worst value of each objective) and the objectives of the true front.
    """
    signs = np.asarray([1.0 if one == "maximize" else -1.0 for one in directions])
    values = metrics * signs
    ideal, worst = values.max(axis=0) * signs, values.min(axis=0) * signs
    front = metrics[nondominated(values)]
    points = tuple(tuple(row) for row in front.tolist())
    return (tuple(ideal.tolist()), tuple(worst.tolist())), points


def nothing(_: Any) -> Mapping[str, float]:
    """Nothing is known before training."""
    return {}


@dataclass(frozen=True)
class Problem:
    """One problem, for every method the same.

    Attributes:
        name: A label.
        define: The space: asks a trial for decisions and returns a network.
        directions: ``"maximize"`` or ``"minimize"`` of each objective.
        evaluate: Trains a network, given with its decisions.
        start: φ's decisions; empty where nobody has a prototype.
        static: Violations known before training, by bound, <= 0 when met.
        costs: Metrics known before training.
        key: Identity of a network.
        unit: What the only objective is, or ``"hypervolume"``.
        best: The best feasible value of the only objective; None if unknown.
        corners: With several objectives, the ideal and the worst point of the hypervolume.
        front: With several objectives, points that hold the true front; empty if unknown.
        bounded: Whether there are trained bounds.
        widths: φ's decisions that uniform thinning scales.
    """

    name: str
    define: Callable[[Any], Any]
    directions: tuple[Direction, ...]
    evaluate: Callable[[Any, Mapping[str, Any]], Evaluation]
    start: Mapping[str, Any] = field(default_factory=dict)
    static: Callable[[Any], Mapping[str, float]] = nothing
    costs: Callable[[Any], Mapping[str, float]] = nothing
    key: Callable[[Any], Hashable] = hash
    unit: str = "U in dB"
    best: float | None = None
    corners: tuple[Point, Point] = ((), ())
    front: tuple[Point, ...] = ()
    bounded: bool = False
    widths: frozenset[str] = frozenset()

    @property
    def single(self) -> bool:
        """Whether there is one objective."""
        return len(self.directions) == 1

    @property
    def signs(self) -> tuple[int, ...]:
        """1 where greater is better, -1 where less is."""
        return tuple(1 if one == "maximize" else -1 for one in self.directions)

    @property
    def prior(self) -> Generator:
        """G₀: φ with noise, uniform where there is no φ."""
        return Generator(start=dict(self.start))

    def completed(self, decisions: Mapping[str, Any], seed: int) -> Trace[Any]:
        """The network of some decisions; what they leave open is φ's, or drawn by ``seed``."""
        prior = self.prior
        known = {**self.start, **decisions}
        return trace(
            self.define,
            lambda name, distribution: (
                known[name] if name in known else prior.draw(seed, name, distribution)
            ),
        )

    def beginnings(self, seed: int) -> Iterator[Trace[Any]]:
        """φ, then what G₀ draws: what a method tries before it has learned anything."""
        if self.start:
            yield self.completed({}, seed)
        prior = self.prior
        number = 0
        while True:
            yield prior.sample(seed * 10**6 + number, self.define)
            number += 1
