"""Δθ: fits a generator toward weighted networks, a bounded step at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution

from gensynth.generator.decisions import Choice, Range, Vector, with_probabilities
from gensynth.generator.generator import Generator

STEP_LIMIT = 0.25
ENTROPY_FLOOR = 0.1
INERTIA = 1.0
BISECTIONS = 40


def entropy(probabilities: Vector) -> float:
    """Shannon entropy in nats."""
    positive = probabilities[probabilities > 0]
    return float(-(positive * np.log(positive)).sum())


def divergence(new: Vector, old: Vector) -> float:
    """Kullback-Leibler divergence of ``new`` from ``old`` in nats; inf where ``old`` excludes."""
    used = new > 0
    if (old[used] <= 0).any():
        return float("inf")
    return float((new[used] * np.log(new[used] / old[used])).sum())


def rank_weights(count: int) -> Vector:
    """Weights of ranked networks, best first, adding up to 1; the lower half gets none.

    The logarithmic weights of CMA-ES (Hansen 2016, The CMA evolution strategy: a tutorial, eq. 49).
    """
    raw = np.maximum(np.log(count / 2 + 0.5) - np.log(np.arange(1, count + 1)), 0.0)
    if raw.sum() <= 0:
        raw = np.ones(count)
    return np.asarray(raw / raw.sum(), dtype=np.float64)


def step(
    generator: Generator,
    elites: Sequence[Mapping[str, Any]],
    weights: Vector,
    *,
    met: Mapping[str, BaseDistribution],
    step_limit: float = STEP_LIMIT,
    entropy_floor: float = ENTROPY_FLOOR,
) -> Generator:
    """Moves θ toward weighted networks.

    Args:
        generator: Where θ stands.
        elites: Decisions of the networks to move toward.
        weights: Their weights, (networks,), adding up to 1.
        met: Distributions of decisions that may be new to θ.
        step_limit: Greatest divergence of any decision's new distribution from its old, in nats.
        entropy_floor: Least entropy of every decision's distribution, as a share of the greatest
            that it could have.

    Returns:
        The next generator: one iteration on, and over ``met`` as well.
    """
    generator = generator.meeting(met)
    theta = {
        name: _moved(decision, name, elites, weights, step_limit, entropy_floor)
        for name, decision in generator.theta.items()
    }
    return generator.model_copy(update={"theta": theta, "iteration": generator.iteration + 1})


def _moved(
    decision: Choice | Range,
    name: str,
    elites: Sequence[Mapping[str, Any]],
    weights: Vector,
    step_limit: float,
    entropy_floor: float,
) -> Choice | Range:
    votes = np.zeros(len(decision.probabilities))
    squares = 0.0
    for elite, weight in zip(elites, weights, strict=True):
        cell = decision.cell(elite[name]) if name in elite else None
        if cell is not None:
            votes[cell] += weight
            squares += weight**2
    if squares <= 0:
        return decision
    voters = votes.sum() ** 2 / squares
    shares = votes / votes.sum() * voters
    spread = sum(
        (count * decision.kernel(cell) for cell, count in enumerate(shares) if count > 0),
        start=np.zeros_like(votes),
    )
    target = (spread + INERTIA * decision.vector) / (voters + INERTIA)
    return with_probabilities(
        decision, limited(raised(target, entropy_floor), decision.vector, step_limit)
    )


def raised(probabilities: Vector, floor: float) -> Vector:
    """Mixes in as little of the uniform distribution as brings the entropy to the floor.

    Args:
        probabilities: Over the cells of a decision.
        floor: Share of the greatest entropy, log(cells).
    """
    least = floor * np.log(len(probabilities))
    if entropy(probabilities) >= least:
        return probabilities
    even = np.full_like(probabilities, 1 / len(probabilities))
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        enough = entropy((1 - middle) * probabilities + middle * even) >= least
        low, high = (low, middle) if enough else (middle, high)
    return (1 - high) * probabilities + high * even


def limited(target: Vector, origin: Vector, limit: float) -> Vector:
    """Goes from ``origin`` toward ``target`` as far as a divergence of ``limit`` nats allows.

    The divergence of a mixture from its origin grows with its share of the target. A mixture of
    two distributions has at least the smaller of their entropies, so a floor that both keep is
    kept by every step.
    """
    if divergence(target, origin) <= limit:
        return target
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        within = divergence((1 - middle) * origin + middle * target, origin) <= limit
        low, high = (middle, high) if within else (low, middle)
    return (1 - low) * origin + low * target
