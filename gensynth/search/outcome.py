"""What became of the candidates of a search: which are the best, and which to confirm first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from gensynth.dominance import nondominated
from gensynth.search.verdict import Verdict
from gensynth.task import Metric, Task

Objectives = Mapping[str, Literal["maximize", "minimize"]]
"""Objectives of a study, by name, and their directions."""

TIME = "time"
"""Why a candidate was stopped that the next session goes on with."""

DIVERGED = "diverged"
"""Why a candidate was stopped whose loss ceased to be finite."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a candidate.

    Attributes:
        trial: Number of its Optuna trial.
        decisions: Its point of the search space.
        genome: Canonical hash of the network.
        metrics: Static metrics, and the trained ones at the highest fidelity reached.
        violations: Of every bound whose metric is known, signed.
        performance: U; None if nothing was trained.
        fidelity: Share of the full search budget that it was trained for.
        feasible: Whether it satisfied 1_r at the full search fidelity.
        complete: Whether it reached that fidelity.
        stopped: Why it did not: the bound out of reach, ``"halving"``, ``"time"`` or
            ``"diverged"``.
        rungs: Its score at the end of each rung that it finished.
        confirmation: What its confirmation found; None while there is none.
    """

    trial: int
    decisions: Mapping[str, Any]
    genome: str
    metrics: Mapping[str, float]
    violations: Mapping[str, float]
    performance: float | None
    fidelity: float
    feasible: bool
    complete: bool
    stopped: str | None = None
    rungs: tuple[tuple[float, float], ...] = ()
    confirmation: Verdict | None = None

    @property
    def score(self) -> tuple[float, float]:
        """Feasible first, then U; greater is better."""
        return score(self.violations, self.performance or 0.0)

    @property
    def verdict(self) -> Verdict:
        """What is known of it. A stopped one was trained on less, so its figures say less."""
        if self.confirmation is not None:
            return self.confirmation
        if self.stopped == DIVERGED:
            return Verdict.DIVERGED
        if not self.complete:
            return Verdict.STOPPED
        return Verdict.SEARCHED if self.feasible else Verdict.VIOLATED

    def merits(self, objectives: Objectives) -> tuple[float, ...]:
        """Its objectives, turned so that greater is better."""
        return tuple(
            self.metrics[name] * (1 if direction == "maximize" else -1)
            for name, direction in objectives.items()
        )


def objectives_of(task: Task) -> Objectives:
    """What a search wants of networks for a task: the headline metric, and that they are small."""
    headline = task.headline
    return {headline.name: headline.direction, "params": "minimize", "macs": "minimize"}


def score(violations: Mapping[str, float], performance: float) -> tuple[float, float]:
    """Feasible first: the total violation, and U where that is equal. Greater is better."""
    return -sum(max(value, 0.0) for value in violations.values()), performance


def front(
    outcomes: Sequence[Outcome], objectives: Objectives, *, fallback: bool = False
) -> list[Outcome]:
    """The satisfying networks that no other one dominates, by greatest U first.

    One that its confirmation refuted is not among them.

    Args:
        outcomes: Of the candidates.
        objectives: What is wanted of them, see :func:`objectives_of`.
        fallback: Where none satisfies 1_r, whether those that reached the full search fidelity take
            their place.
    """
    complete = [outcome for outcome in outcomes if outcome.complete]
    satisfying = [outcome for outcome in complete if outcome.verdict.satisfied]
    pool = satisfying or (complete if fallback else [])
    best = nondominated([outcome.merits(objectives) for outcome in pool])
    shown = [outcome for outcome, marked in zip(pool, best, strict=True) if marked]
    return sorted(shown, key=lambda outcome: (-(outcome.performance or 0.0), outcome.trial))


def ranking(outcomes: Sequence[Outcome], headline: Metric) -> list[Outcome]:
    """Candidates trained to full search fidelity, the first the first to be confirmed.

    The feasible ones come first, in turn the one of greatest U and the best by the headline metric:
    the first is what is wanted, the second what most likely still satisfies 1_r when trained again.
    The others follow by their total violation.
    """
    complete = [outcome for outcome in outcomes if outcome.complete]
    feasible = [outcome for outcome in complete if outcome.feasible]
    orders = (
        sorted(feasible, key=_by_performance, reverse=True),
        sorted(feasible, key=partial(by_headline, headline=headline), reverse=True),
    )
    in_turn = {one.trial: one for pair in zip(*orders, strict=True) for one in pair}
    others = [outcome for outcome in complete if not outcome.feasible]
    rest = sorted(others, key=lambda outcome: outcome.score, reverse=True)
    return [*in_turn.values(), *rest]


def _by_performance(outcome: Outcome) -> tuple[float, float]:
    return outcome.performance or 0.0, -outcome.trial


def by_headline(outcome: Outcome, headline: Metric) -> tuple[float, float]:
    """How good a candidate is by the headline metric, for sorting; greater is better."""
    return headline.merit(outcome.metrics[headline.name]), -outcome.trial
