"""Where the decisions of a network come from: the generator, the prototype, or other networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution

from gensynth.generator.decisions import Categorical, Range, Value
from gensynth.generator.generator import Generator
from gensynth.generator.settings import DEFAULTS, Settings
from gensynth.generator.tracing import Choose


def drawing(generator: Generator, seed: int) -> Choose:
    """Chooses as G(s)."""
    return lambda name, distribution: generator.draw(seed, name, distribution)


def beginning(generator: Generator) -> Choose:
    """Chooses as the prototype; where that says nothing, the middle of the prior."""

    def choose(name: str, distribution: BaseDistribution) -> Value:
        if name in generator.start:
            return generator.start[name]
        return generator.decision(name, distribution).quantile(0.5)

    return choose


def completing(generator: Generator, fixed: Mapping[str, Any], seed: int) -> Choose:
    """Chooses what is fixed, and the rest as G(s)."""

    def choose(name: str, distribution: BaseDistribution) -> Value:
        decision = generator.decision(name, distribution)
        if name in fixed and decision.cell(fixed[name]) is not None:
            value: Value = fixed[name]
            return value
        return generator.draw(seed, name, distribution)

    return choose


def varied(
    generator: Generator,
    incumbents: Sequence[Mapping[str, Any]],
    rng: np.random.Generator,
    settings: Settings = DEFAULTS,
) -> Choose:
    """Chooses as one of some networks does, with a few decisions changed.

    One decision changes, and with probability 1/2 one more, and so on. Now and then each decision
    comes from either of two of the networks first.

    Args:
        generator: Where changed decisions are drawn, and those that the network did not have.
        incumbents: Decisions of the networks, best first; the better, the likelier.
        rng: Source of all chance.
        settings: How often networks are mixed, and how far numbers move.
    """
    base = incumbents[_biased(rng, len(incumbents))]
    if len(incumbents) > 1 and rng.random() < settings.crossed:
        other = incumbents[_biased(rng, len(incumbents))]
        base = {
            name: other[name] if name in other and rng.random() < 0.5 else value
            for name, value in base.items()
        }
    names = list(base)
    count = min(int(rng.geometric(0.5)), len(names))
    changed = {names[index] for index in rng.choice(len(names), size=count, replace=False)}

    def choose(name: str, distribution: BaseDistribution) -> Value:
        decision = generator.decision(name, distribution)
        kept = base.get(name)
        if name not in base or decision.cell(kept) is None:
            return decision.quantile(float(rng.random()))
        return moved(decision, kept, rng, near=settings.near) if name in changed else kept

    return choose


def moved(
    decision: Categorical | Range,
    value: Any,
    rng: np.random.Generator,
    *,
    near: float = DEFAULTS.near,
) -> Value:
    """Another value of a decision.

    Args:
        decision: Its distribution.
        value: What it is now.
        rng: Source of all chance.
        near: See :class:`gensynth.generator.settings.Settings`.

    Returns:
        Half of the time a draw from the distribution; else a neighbour on the scale of a number,
        or one of the nearest other choices. The same value only where there is no other.
    """
    if rng.random() < 0.5:
        drawn = decision.quantile(float(rng.random()))
        if decision.cell(drawn) != decision.cell(value):
            return drawn
    if isinstance(decision, Categorical):
        cell = decision.cell(value)
        distances = decision.distances(0 if cell is None else cell)
        if not distances.any():
            return decision.choices[0]
        nearest = np.flatnonzero(distances == distances[distances > 0].min())
        return decision.choices[int(nearest[int(rng.integers(len(nearest)))])]
    return decision.near(value, float(rng.normal(0.0, near * float(rng.random()))))


def _biased(rng: np.random.Generator, count: int) -> int:
    """An index below ``count``, the first the likeliest."""
    return int(count * rng.random() ** 2)
