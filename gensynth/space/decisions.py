"""Points of a search space: from written decisions to networks, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from gensynth.cost import cost
from gensynth.errors import UserError
from gensynth.genome import Genome
from gensynth.indicator import Indicator
from gensynth.space.choosing import MISFIT, Space, Value
from gensynth.validation import alternatives


@dataclass(frozen=True)
class Point:
    """What a point of a space asks.

    Attributes:
        genome: The network.
        decisions: Value of every decision that was asked, in that order.
        distributions: What each could have been.
    """

    genome: Genome
    decisions: Mapping[str, Value]
    distributions: Mapping[str, BaseDistribution]


def decode(space: Space, decisions: Mapping[str, Any], *, where: str = "decisions") -> Genome:
    """Builds the network at a point of a space.

    Args:
        space: The space.
        decisions: The point. A decision left out has the space's default; one that the others leave
            without effect (a fourth module's width where there are three) is ignored.
        where: What an error calls the place of the decisions.

    Returns:
        The genome.

    Raises:
        UserError: For a name that the space never asks, a value out of its range, or a point at
            which the shapes do not fit.
    """
    return trace(space, decisions, where=where).genome


def trace(space: Space, decisions: Mapping[str, Any], *, where: str = "decisions") -> Point:
    """Builds the network at a point of a space and tells which decisions made it.

    Args:
        space: The space.
        decisions: As in :func:`decode`.
        where: As in :func:`decode`.

    Returns:
        The network and the decisions that were asked.

    Raises:
        UserError: As in :func:`decode`.
    """
    answers = _Answers(space.complete(checked(space, decisions, where=where)))
    genome = space(answers)
    if MISFIT in genome.provenance:
        raise UserError(f"they make no network: {genome.provenance[MISFIT]}", where=where)
    return Point(
        genome=genome,
        decisions=answers.asked,
        distributions={name: space.distributions[name] for name in answers.asked},
    )


def checked(space: Space, decisions: Mapping[str, Any], *, where: str) -> Mapping[str, Value]:
    """Refuses decisions that are not the space's.

    Args:
        space: The space.
        decisions: Values by name.
        where: What an error calls the place of the decisions.

    Returns:
        The decisions as given.

    Raises:
        UserError: For a name that the space never asks, or a value out of its range.
    """
    for name, value in decisions.items():
        distribution = space.distributions.get(name)
        if distribution is None:
            raise UserError(
                f"the search space {space.name} has no such decision",
                where=f"{where}.{name}",
                remedy=alternatives(name, space.distributions),
            )
        _check_value(distribution, value, f"{where}.{name}")
    return decisions


def unmeetable(indicator: Indicator, space: Space) -> list[tuple[str, float]]:
    """The static bounds that provably no network of a space can meet, each taken by itself.

    Args:
        indicator: The bounds; those on trained metrics are passed over.
        space: The space.

    Returns:
        Key of the bound (``"params.max"``) and the nearest value that a network of the space has.
    """
    found: list[tuple[str, float]] = []
    extremes = space.extremes() if indicator.static.bounds else {}
    for metric, bound in indicator.static.bounds.items():
        if metric not in extremes:
            continue
        least, greatest = (cost(genome).metrics()[metric] for genome in extremes[metric])
        if bound.min is not None and bound.min > greatest:
            found.append((f"{metric}.min", greatest))
        if bound.max is not None and bound.max < least:
            found.append((f"{metric}.max", least))
    return found


def exact_violations(
    indicator: Indicator, genome: Genome, metrics: Mapping[str, float]
) -> dict[str, float]:
    """What is known to be violated before any training.

    Args:
        indicator: The bounds; those on trained metrics are passed over.
        genome: What a space gave.
        metrics: Its static metrics.

    Returns:
        Signed violations by bound, <= 0 when met; ``shapes`` too where the point is no network.
    """
    violations = indicator.static.violations(metrics)
    return {**violations, "shapes": 1.0} if MISFIT in genome.provenance else violations


class _Answers:
    """A chooser that knows all answers and keeps what it was asked."""

    def __init__(self, answers: Mapping[str, Value]) -> None:
        self._answers = answers
        self.asked: dict[str, Value] = {}

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        return int(self._answer(name))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        return float(self._answer(name))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._answer(name)

    def _answer(self, name: str) -> Value:
        value = self.asked[name] = self._answers[name]
        return value


def _check_value(distribution: BaseDistribution, value: Any, where: str) -> None:
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        if not any(type(choice) is type(value) and choice == value for choice in choices):
            names = [str(choice) for choice in choices]
            terms = sorted(str(value).split("+"))
            reordered = [name for name in names if sorted(name.split("+")) == terms]
            remedy = alternatives(str(value), reordered or names)
            raise UserError(f"{value!r} is not a choice", where=where, remedy=remedy)
        return
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    kinds = int if isinstance(distribution, IntDistribution) else int | float
    low, high, step = distribution.low, distribution.high, distribution.step or 0
    within = not isinstance(value, bool) and isinstance(value, kinds) and low <= value <= high
    if within and step:
        within = abs((value - low) / step - round((value - low) / step)) < 1e-9
    if not within:
        whole = "a whole number" if kinds is int else "a number"
        steps = f" in steps of {step}" if step not in (0, 1) else ""
        raise UserError(f"{value!r} is not {whole} from {low} to {high}{steps}", where=where)
