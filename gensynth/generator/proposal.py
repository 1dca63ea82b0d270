"""Candidates: what a generator draws and what lies near the best, screened exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution

from gensynth.errors import UserError
from gensynth.generator.decisions import Choice, Range, Value
from gensynth.generator.generator import Generator
from gensynth.generator.history import Screen, written
from gensynth.generator.tracing import Choose, Define, trace

DUPLICATE = "duplicate"
PATIENCE = 4
LOST = 0.1
SCARCE = 0.125
LOCAL = 0.5
CROSSED = 0.2
NEAR = 0.1


class Unsatisfiable(UserError):
    """No admissible network was found within the bounded number of refusals."""


@dataclass(frozen=True)
class Candidate:
    """A network that was drawn.

    Attributes:
        decisions: Name and value of every decision.
        distributions: What they could have been.
        static: Exact static violations.
        costs: What the inquisitor is told beside the decisions.
        outcome: What the space returned.
    """

    decisions: Mapping[str, Any]
    distributions: Mapping[str, BaseDistribution]
    static: Mapping[str, float]
    costs: Mapping[str, float]
    outcome: Any

    @property
    def excess(self) -> float:
        """Total static violation."""
        return sum(max(value, 0.0) for value in self.static.values())


@dataclass
class Pool:
    """Admissible candidates of one ask.

    Args:
        screen: Static violations and identities.
        taken: Whether an identity was proposed before.
        max_refusals: Draws that may all be refused.

    Attributes:
        candidates: Those that violate nothing and have decisions of their own.
        refused: Refusals by violated bound, and duplicates of earlier trials.
        draws: Networks drawn.
    """

    screen: Screen
    taken: Callable[[Hashable], bool]
    max_refusals: int
    candidates: list[Candidate] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    draws: int = 0
    _seen: set[Hashable] = field(default_factory=set)
    _chain: Candidate | None = None

    def draw(self, define: Define[Any], choose: Choose) -> Candidate:
        """Runs the space once and keeps what comes out if it is admissible."""
        plan = trace(define, choose)
        static = self.screen.examine(plan.outcome)
        costs = self.screen.weigh(plan.outcome, static)
        candidate = Candidate(plan.decisions, plan.distributions, static, costs, plan.outcome)
        self.draws += 1
        violated = [name for name, value in candidate.static.items() if not value <= 0]
        identity = written(plan.decisions)
        if violated:
            self.refused.update(violated)
        elif identity not in self._seen:
            self._seen.add(identity)
            if self.taken(identity):
                self.refused[DUPLICATE] += 1
            else:
                self.candidates.append(candidate)
        return candidate

    def gather(
        self,
        define: Define[Any],
        generator: Generator,
        incumbents: Sequence[Mapping[str, Any]],
        rng: np.random.Generator,
        *,
        size: int,
    ) -> None:
        """Draws until there are ``size`` candidates, or one and patience is at its end.

        Where nearly all is refused, every other draw is a step from a refused network toward less
        violation. Where a tenth of the refusals allowed gave nothing, because the generator has
        learned to make what was proposed already, networks come from the whole space.

        Args:
            define: The space.
            generator: Where networks come from.
            incumbents: Decisions of networks worth varying, best first; may be empty.
            rng: Source of all chance.
            size: Candidates wanted.

        Raises:
            Unsatisfiable: If ``max_refusals`` draws gave none.
        """
        end = self.draws + PATIENCE * size
        lost = self.draws + int(LOST * self.max_refusals)
        while len(self.candidates) < size:
            if self.draws >= end and self.candidates:
                return
            if self.draws >= self.max_refusals and not self.candidates:
                raise self.unsatisfiable()
            if self.draws >= lost and not self.candidates:
                generator, incumbents = Generator(), []
                end, lost = self.draws + PATIENCE * size, self.max_refusals
            scarce = self.draws >= 16 and len(self.candidates) < SCARCE * self.draws
            if scarce and self._chain is not None:
                self._descend(define, generator, rng)
            elif incumbents and rng.random() < LOCAL:
                self.draw(define, varied(generator, incumbents, rng))
            else:
                drawn = self.draw(define, drawing(generator, int(rng.integers(2**63))))
                self._chain = drawn if drawn.excess > 0 else None

    def _descend(self, define: Define[Any], generator: Generator, rng: np.random.Generator) -> None:
        assert self._chain is not None
        drawn = self.draw(define, varied(generator, [self._chain.decisions], rng))
        if drawn.excess <= self._chain.excess:
            self._chain = drawn if drawn.excess > 0 else None

    def refuse(self, candidate: Candidate) -> None:
        """Drops a candidate that turned out to be a network of an earlier trial."""
        self.candidates.remove(candidate)
        self.refused[DUPLICATE] += 1

    def unsatisfiable(self) -> Unsatisfiable:
        """The error that says what refuses which share of the draws."""
        if set(self.refused) <= {DUPLICATE}:
            return Unsatisfiable(
                f"all of {self.draws} networks drawn from the whole space were proposed before",
                where="search space",
                remedy="enlarge it, or stop here: nothing, or hardly anything, is left of it",
            )
        shares = ", ".join(
            f"{name} refuses {count / self.draws:.1%}" for name, count in self.refused.most_common()
        )
        return Unsatisfiable(
            f"none of {self.draws} networks drawn is admissible: {shares}",
            where="search space",
            remedy="loosen the bound that refuses most, or widen the search space",
        )


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
) -> Choose:
    """Chooses as one of some networks does, with a few decisions changed.

    One decision changes, and with probability 1/2 one more, and so on. Now and then each decision
    comes from either of two of the networks first.

    Args:
        generator: Where changed decisions are drawn, and those that the network did not have.
        incumbents: Decisions of the networks, best first; the better, the likelier.
        rng: Source of all chance.
    """
    base = incumbents[_biased(rng, len(incumbents))]
    if len(incumbents) > 1 and rng.random() < CROSSED:
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
        return moved(decision, kept, rng) if name in changed else kept

    return choose


def moved(decision: Choice | Range, value: Any, rng: np.random.Generator) -> Value:
    """Another value of a decision.

    Args:
        decision: Its distribution.
        value: What it is now.
        rng: Source of all chance.

    Returns:
        Half of the time a draw from the distribution; else a neighbour on the scale of a number,
        or one of the nearest other choices. The same value only where there is no other.
    """
    if rng.random() < 0.5:
        drawn = decision.quantile(float(rng.random()))
        if decision.cell(drawn) != decision.cell(value):
            return drawn
    if isinstance(decision, Choice):
        cell = decision.cell(value)
        distances = decision.distances(0 if cell is None else cell)
        if not distances.any():
            return decision.choices[0]
        nearest = np.flatnonzero(distances == distances[distances > 0].min())
        return decision.choices[int(nearest[int(rng.integers(len(nearest)))])]
    return decision.near(value, float(rng.normal(0.0, NEAR * float(rng.random()))))


def _biased(rng: np.random.Generator, count: int) -> int:
    """An index below ``count``, the first the likeliest."""
    return int(count * rng.random() ** 2)
