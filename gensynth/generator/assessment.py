"""How good a generator is by itself, nothing refused, on seeds that no search has used."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gensynth.errors import UserError
from gensynth.generator.generator import Generator
from gensynth.generator.inquisitor import Inquisitor
from gensynth.generator.screen import written
from gensynth.generator.tracing import Define

HELD_OUT = range(1_000_000, 1_000_064)
"""Seeds that no user starts from: 64 tell a share to within 13 points (two standard errors)."""
NEARLY = 0.9
"""Share of the greatest feasibility that still counts as feasible; by judgement."""


@dataclass(frozen=True)
class Assessment:
    """A frozen generator's figures on held-out seeds.

    Attributes:
        seeds: The seeds, [first, end).
        static_feasible: Share of samples that meet every static bound; exact.
        predicted_feasible: Mean over the samples of the predicted probability of meeting every
            bound, 0 for those that violate a static one; None without an inquisitor.
        mean_performance: Mean predicted U of the samples that meet every static bound; None
            without an inquisitor or without such samples.
        unique: Share of different networks.
    """

    seeds: tuple[int, int]
    static_feasible: float
    predicted_feasible: float | None
    mean_performance: float | None
    unique: float


def assess(
    generator: Generator,
    define: Define[Any],
    violations: Callable[[Any], Mapping[str, float]] | None = None,
    *,
    seeds: range = HELD_OUT,
    inquisitor: Inquisitor | None = None,
    key: Callable[[Any], Hashable] | None = None,
) -> Assessment:
    """Samples a generator on held-out seeds, with nothing refused.

    Args:
        generator: The generator.
        define: The space.
        violations: Static violations of what ``define`` returns.
        seeds: Consecutive held-out seeds.
        inquisitor: Predicts U and the measured bounds. To compare generators, one for all.
        key: Identity of what ``define`` returns; its decisions without it.

    Raises:
        UserError: If there are no seeds, or not consecutive ones.
    """
    if len(seeds) == 0 or seeds.step != 1:
        raise UserError(f"{seeds} are not consecutive seeds", remedy="write them as FIRST:END")
    plans = [generator.sample(seed, define) for seed in seeds]
    statics = [dict(violations(plan.outcome)) if violations else {} for plan in plans]
    met = np.asarray([all(value <= 0 for value in static.values()) for static in statics])
    keys = {key(plan.outcome) if key else written(plan.decisions) for plan in plans}
    feasible = performance = None
    if inquisitor is not None:
        prediction = inquisitor.predict(
            [plan.decisions for plan in plans],
            [
                inquisitor.screen.weigh(plan.outcome, static)
                for plan, static in zip(plans, statics, strict=True)
            ],
        )
        feasible = float(np.where(met, np.exp(prediction.log_feasible), 0.0).mean())
        performance = float(prediction.mean[met].mean()) if met.any() else None
    return Assessment(
        seeds=(seeds.start, seeds.stop),
        static_feasible=float(met.mean()),
        predicted_feasible=feasible,
        mean_performance=performance,
        unique=len(keys) / len(plans),
    )


def assessed(generator: Generator, assessment: Assessment) -> Generator:
    """The generator with its figures written into it."""
    return generator.model_copy(update=asdict(assessment))


def pareto(generators: Sequence[Generator]) -> list[Generator]:
    """The generators that no other surpasses in both feasibility and mean U.

    Args:
        generators: Assessed on the same seeds by the same inquisitor. Of equal ones the first
            stays; those that were never assessed count as infeasible.

    Returns:
        The front, most feasible first.
    """
    order = sorted(
        range(len(generators)), key=lambda index: (*(-x for x in _merits(generators[index])), index)
    )
    front: list[Generator] = []
    highest = -np.inf
    for index in order:
        performance = _merits(generators[index])[1]
        if performance > highest or not front:
            front.append(generators[index])
            highest = performance
    return front


def best(generators: Sequence[Generator]) -> Generator:
    """The generator of greatest mean U among those about as feasible as the most feasible.

    Args:
        generators: Assessed on the same seeds by the same inquisitor.

    Raises:
        UserError: If there are none.
    """
    if not generators:
        raise UserError("no generators to choose from")
    front = pareto(generators)
    enough = NEARLY * _merits(front[0])[0]
    return max(
        (generator for generator in front if _merits(generator)[0] >= enough),
        key=lambda generator: _merits(generator)[1],
    )


def _merits(generator: Generator) -> tuple[float, float]:
    rate = generator.predicted_feasible
    if rate is None:
        rate = generator.static_feasible or 0.0
    performance = generator.mean_performance
    return rate, -np.inf if performance is None else performance
