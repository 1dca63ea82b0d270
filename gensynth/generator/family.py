"""A family of generators along the front: one for each of a few budgets.

U trades how good a network is against its size at one rate, so the generator that a search on U
ends with makes networks of one size. A member of the family is fitted to what is expected to be the
best within its budget: from the smallest feasible network to the largest, the members cover the
front.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gensynth.generator.assessment import Assessment, assess
from gensynth.generator.drafts import Drafts
from gensynth.generator.generator import Generator
from gensynth.generator.history import Observation
from gensynth.generator.inquisitor import Inquisitor
from gensynth.generator.moves import drawing, varied
from gensynth.generator.screen import Screen, written
from gensynth.generator.settings import DEFAULTS
from gensynth.generator.update import rank_weights, step

COUNT = 5
"""Members of a family: one for each fifth of the way along the front; a custom, not measured."""
ROUNDS = 10
"""Steps of each member, which take it as far as a step limit of a quarter of a nat lets ten."""
DRAWS = 64
"""Networks drawn for each step; as many as held-out seeds judge."""
LEADERS = 16
"""Networks that vote in each step; half of them have a weight above 0."""
VARIED = 8
"""Leaders that are varied: those that vote."""

Row = tuple[Mapping[str, Any], Mapping[str, float]]


@dataclass(frozen=True)
class Member:
    """One generator of a family.

    Attributes:
        budget: Greatest value of the metric that it was fitted for.
        generator: The generator.
        assessment: Figures of its raw samples on held-out seeds, with the budget among the static
            bounds and what the family is fitted to for U.
    """

    budget: int
    generator: Generator
    assessment: Assessment


def budgets(past: Sequence[Observation], metric: str, count: int = COUNT) -> list[int]:
    """Budgets in equal ratios from the smallest to the largest good network.

    Good are those that were trained in full and meet every bound; where none meets the trained
    ones, those that were trained in full and meet every static one.

    Args:
        past: Finished trials.
        metric: An exact cost of theirs.
        count: Number of budgets.

    Returns:
        Ascending, each once; none without a good network.
    """
    trained = [one for one in past if one.utility is not None and metric in one.costs]
    static = [one for one in trained if all(value <= 0 for value in one.static.values())]
    whole = [one for one in static if one.fidelity >= 1]
    good = [one for one in whole if one.violation <= 0] or whole
    if not good:
        return []
    sizes = [max(one.costs[metric], 1.0) for one in good]
    return sorted({round(size) for size in np.geomspace(min(sizes), max(sizes), count)})


def family(
    generator: Generator,
    past: Sequence[Observation],
    screen: Screen,
    *,
    metric: str = "params",
    count: int = COUNT,
    seed: int = 0,
) -> Iterator[Member]:
    """Fits a generator to each of :func:`budgets`.

    Each takes the same bounded steps as the search's own generator does, toward what the inquisitor
    expects most of among its own samples, variations of the best, and trained networks; all within
    the budget. The first begins where the search ended, the next where the last one ended.

    Args:
        generator: Where the search ended.
        past: Finished trials; their utility is what to make great within a budget.
        screen: The space, with its static violations and costs.
        metric: The cost that the budgets bound.
        count: Number of budgets.
        seed: Source of all chance.

    Returns:
        The members, the smallest budget first.
    """
    assert screen.define is not None
    met = dict(item for one in past for item in one.distributions.items())
    generator = generator.meeting(met)
    inquisitor = Inquisitor(past, generator.theta, screen)
    for index, budget in enumerate(budgets(past, metric, count)):
        rng = np.random.default_rng([seed, index, 2])
        known = [
            (one.decisions, one.costs)
            for one in past
            if all(value <= 0 for value in one.static.values()) and one.costs[metric] <= budget
        ]
        bounded = _within(screen, metric, budget)
        generator = _fitted(generator, _best(inquisitor, known), inquisitor, bounded, rng)
        figures = assess(
            generator, screen.define, bounded.examine, inquisitor=inquisitor, key=screen.key
        )
        yield Member(budget, generator, figures)


def _within(screen: Screen, metric: str, budget: int) -> Screen:
    """The screen with the budget as one more static bound."""

    def violations(outcome: Any) -> Mapping[str, float]:
        size = screen.weigh(outcome, {})[metric]
        return {**screen.examine(outcome), "budget": size / budget - 1}

    return replace(screen, violations=violations)


def _fitted(
    generator: Generator,
    leaders: list[Row],
    inquisitor: Inquisitor,
    screen: Screen,
    rng: np.random.Generator,
) -> Generator:
    assert screen.define is not None
    for _ in range(ROUNDS):
        near = [decisions for decisions, _ in leaders[:VARIED]]
        drafts = Drafts(screen)
        for _ in range(DRAWS):
            if near and rng.random() < DEFAULTS.local:
                drafts.draw(screen.define, varied(generator, near, rng))
            else:
                drafts.draw(screen.define, drawing(generator, int(rng.integers(2**63))))
        drawn = [(one.decisions, one.costs) for one in drafts.admissible]
        leaders = _best(inquisitor, [*leaders, *drawn])
        if leaders:
            met = dict(item for one in drafts.admissible for item in one.distributions.items())
            elites = [decisions for decisions, _ in leaders]
            generator = step(generator, elites, rank_weights(len(elites)), met=met)
    return generator


def _best(inquisitor: Inquisitor, rows: Sequence[Row]) -> list[Row]:
    """The best of some networks by what is expected of them, each once."""
    different = list({written(decisions): (decisions, costs) for decisions, costs in rows}.values())
    if not different:
        return []
    decisions, costs = zip(*different, strict=True)
    order = inquisitor.predict(decisions, costs).order
    return [different[index] for index in order[:LEADERS]]
