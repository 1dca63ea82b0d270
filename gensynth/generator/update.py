"""Δθ: fits a generator toward weighted networks, a bounded step at a time.

For each decision by itself, over its cells c:

- x₁, x₂, ...  the decision's cells in the ranked networks, best first
- w₁ ≥ w₂ ≥ ...  their weights, Σ w = 1 (:func:`rank_weights`)
- K(· | c)  what an observation in cell c says of the others (``kernel``), Σ K = 1
- θ(c), θ'(c)  the distribution before and after
- n = (Σ w)² / Σ w²  how many equal votes the weights are worth (those that have the decision)
- ι, δ, η  ``inertia``, ``step_limit``, ``entropy_floor``

The votes are a smoothed histogram, θ itself counts as ι votes of a Dirichlet prior:

    q(c) = (n Σ_i w_i K(c | x_i) / Σ w + ι θ(c)) / (n + ι)

q is mixed with the uniform distribution until H(q) ≥ η log(cells), and θ' is the mixture of θ and q
that has the greatest share of q under KL(θ' ‖ θ) ≤ δ. Both shares are found by a root finder. It is
an estimation-of-distribution algorithm with univariate marginals (PBIL, Baluja 1994; UMDA,
Mühlenbein 1997) in a trust region.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from scipy.optimize import brentq
from scipy.special import entr, rel_entr

from gensynth.generator.decisions import Categorical, Range, Vector, with_probabilities
from gensynth.generator.generator import Generator
from gensynth.generator.settings import DEFAULTS, Settings


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
    settings: Settings = DEFAULTS,
) -> Generator:
    """Moves θ toward weighted networks.

    Args:
        generator: Where θ stands.
        elites: Decisions of the networks to move toward.
        weights: Their weights, (networks,), adding up to 1.
        met: Distributions of decisions that may be new to θ.
        settings: ``step_limit`` bounds the divergence of any decision's new distribution from its
            old, ``entropy_floor`` its entropy; ``inertia`` is how many votes the old one counts.

    Returns:
        The next generator: one iteration on, and over ``met`` as well.
    """
    generator = generator.meeting(met)
    theta = {
        name: _moved(decision, name, elites, weights, settings)
        for name, decision in generator.theta.items()
    }
    return generator.model_copy(update={"theta": theta, "iteration": generator.iteration + 1})


def _moved(
    decision: Categorical | Range,
    name: str,
    elites: Sequence[Mapping[str, Any]],
    weights: Vector,
    settings: Settings,
) -> Categorical | Range:
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
    target = (spread + settings.inertia * decision.vector) / (voters + settings.inertia)
    held = raised(target, settings.entropy_floor)
    return with_probabilities(decision, limited(held, decision.vector, settings.step_limit))


def raised(probabilities: Vector, floor: float) -> Vector:
    """Mixes in as little of the uniform distribution as brings the entropy to the floor.

    Args:
        probabilities: Over the cells of a decision.
        floor: Share of the greatest entropy, log(cells).
    """
    least = floor * np.log(len(probabilities))
    even = np.full_like(probabilities, 1 / len(probabilities))
    return _mixed(probabilities, even, lambda mixture: entr(mixture).sum() - least)


def limited(target: Vector, origin: Vector, limit: float) -> Vector:
    """Goes from ``origin`` toward ``target`` as far as a divergence of ``limit`` nats allows.

    The divergence of a mixture from its origin grows with its share of the target. A mixture of
    two distributions has at least the smaller of their entropies, so a floor that both keep is
    kept by every step.
    """
    return _mixed(target, origin, lambda mixture: limit - rel_entr(mixture, origin).sum())


def _mixed(one: Vector, other: Vector, slack: Callable[[Vector], float]) -> Vector:
    """``one`` with the least share of ``other`` that leaves slack; all of it where none does."""
    if slack(one) >= 0:
        return one

    def mixture(share: float) -> Vector:
        return (1 - share) * one + share * other

    if slack(other) <= 0:
        return other
    return mixture(brentq(lambda share: max(slack(mixture(share)), -1.0), 0, 1))
