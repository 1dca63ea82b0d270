"""What a study says about its trials, as the figures and notes need it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

Outcome = Literal["feasible", "infeasible", "stopped"]

OUTCOMES: Mapping[Outcome, str] = {
    "feasible": "satisfies the constraint",
    "infeasible": "violates the constraint",
    "stopped": "stopped early",
}


@dataclass(frozen=True)
class Candidate:
    """One trained network as the search saw it.

    Attributes:
        trial: Number of its Optuna trial.
        hash: Canonical hash of its genome.
        metrics: By name, at the highest fidelity reached.
        violations: By bound; at most 0 where satisfied.
        performance: U.
        fidelity: Share of the search's full training that it got.
        outcome: How it ended. A stopped one was trained on fewer folds or epochs, so its accuracy
            says less.
    """

    trial: int
    hash: str
    metrics: Mapping[str, float]
    violations: Mapping[str, float]
    performance: float | None
    fidelity: float
    outcome: Outcome

    @property
    def accuracy(self) -> float | None:
        """Accuracy on the folds that it was tested on."""
        return self.metrics.get("accuracy")

    @property
    def params(self) -> float:
        """Number of parameters."""
        return self.metrics["params"]


def candidates(study: optuna.Study) -> tuple[Candidate, ...]:
    """Every trained candidate of a study, in the order of their trials."""
    return tuple(of_trials(study.get_trials(deepcopy=False)))


def of_trials(trials: Iterable[FrozenTrial]) -> Iterable[Candidate]:
    """The trained ones among some trials."""
    for trial in trials:
        attributes = trial.user_attrs
        if "fidelity" in attributes and "duplicate_of" not in attributes:
            yield Candidate(
                trial=trial.number,
                hash=str(attributes["genome"]),
                metrics=attributes["metrics"],
                violations=attributes.get("violations", {}),
                performance=attributes.get("performance"),
                fidelity=float(attributes.get("fidelity", 0.0)),
                outcome=_outcome(trial),
            )


def _outcome(trial: FrozenTrial) -> Outcome:
    if trial.state is not TrialState.COMPLETE:
        return "stopped"
    return "feasible" if trial.user_attrs.get("feasible") else "infeasible"


def front(found: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The feasible candidates that no other feasible one dominates, fewest parameters first.

    A candidate dominates another that is no better in accuracy, parameters or MACs and worse in
    one. Quadratic in the number of feasible candidates.
    """
    feasible = [one for one in found if one.outcome == "feasible"]
    best = [one for one in feasible if not any(_dominates(other, one) for other in feasible)]
    return tuple(sorted(best, key=lambda one: (one.params, one.trial)))


def _merits(one: Candidate) -> tuple[float, float, float]:
    return one.accuracy or 0.0, -one.params, -one.metrics.get("macs", 0.0)


def _dominates(one: Candidate, other: Candidate) -> bool:
    mine, theirs = _merits(one), _merits(other)
    return mine != theirs and all(a >= b for a, b in zip(mine, theirs, strict=True))
