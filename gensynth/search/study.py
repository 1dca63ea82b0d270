"""The Optuna study as the memory of a search: what is written to a trial, and read back."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from gensynth.errors import UserError
from gensynth.search.racing import score
from gensynth.search.storage import storage, write_ahead

OBJECTIVES: Mapping[str, Literal["maximize", "minimize"]] = {
    "accuracy": "maximize",
    "params": "minimize",
    "macs": "minimize",
}
"""Objectives of a study, by name, and their directions."""

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
TIME = "time"
AGAIN = "again"
UNKNOWN = 0.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a candidate.

    Attributes:
        trial: Number of its Optuna trial.
        params: Its decisions.
        genome: Canonical hash of the network.
        metrics: Static metrics, and the trained ones at the highest fidelity reached.
        violations: Of every bound whose metric is known, signed.
        performance: U; None if nothing was trained.
        fidelity: Share of the full search budget that it was trained for.
        feasible: Whether it satisfied 1_r at the full search fidelity.
        complete: Whether it reached that fidelity.
        stopped: Why it did not: the bound out of reach, ``"halving"`` or ``"time"``.
        rungs: Its score at the end of each rung that it finished.
    """

    trial: int
    params: Mapping[str, Any]
    genome: str
    metrics: Mapping[str, float]
    violations: Mapping[str, float]
    performance: float | None
    fidelity: float
    feasible: bool
    complete: bool
    stopped: str | None = None
    rungs: tuple[tuple[float, float], ...] = ()

    @property
    def score(self) -> tuple[float, float]:
        """Feasible first, then U; greater is better."""
        return score(self.violations, self.performance or 0.0)


@dataclass
class Ledger:
    """A study and the one process that writes it.

    Args:
        study: The study.
        bounds: Names of the bounds of 1_r, in order.
    """

    study: optuna.Study
    bounds: Sequence[str]
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    failed: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    asked: int = 0

    def __post_init__(self) -> None:
        trials = self.study.get_trials(deepcopy=False)
        queued = _queued_again(trials)
        for trial in trials:
            self.asked += trial.state != TrialState.WAITING
            self.failed += "failure" in trial.user_attrs
            if "duplicate_of" in trial.user_attrs:
                self.duplicates += 1
            elif "refused" in trial.user_attrs:
                self.refused.update(trial.user_attrs["refused"])
            elif trial.state in FINISHED and trial.number not in queued:
                self._read(trial)

    @property
    def candidates(self) -> int:
        """Number of candidates that count against the budget."""
        timed_out = sum(outcome.stopped == TIME for outcome in self.outcomes.values())
        return len(self.outcomes) - timed_out + self.failed

    def requeue(self) -> int:
        """Queues what an earlier session left unfinished; returns how many networks that are.

        A trial that a crash left RUNNING is told FAIL. Its decisions, and those of candidates that
        time stopped, are asked again first, in their order; the journal has the folds they already
        had.
        """
        trials = self.study.get_trials(deepcopy=False)
        queued = _queued_again(trials)
        count = 0
        for trial in trials:
            left = trial.state == TrialState.RUNNING
            params = trial.params or trial.system_attrs.get("fixed_params", {})
            if params and trial.number not in queued and (left or _out_of_time(trial)):
                self.study.enqueue_trial(params, user_attrs={AGAIN: trial.number})
                self.outcomes.pop(trial.number, None)
                count += 1
            if left:
                self.study.tell(trial.number, state=TrialState.FAIL)
        return count

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Writes a candidate's outcome and ends its trial."""
        self._describe(trial, outcome)
        if outcome.complete:
            values = [outcome.metrics[name] for name in OBJECTIVES]
            self.study.tell(trial, values)
        else:
            self.study.tell(trial, state=TrialState.PRUNED)
        self.outcomes[trial.number] = outcome

    def tell_failed(self, trial: Trial, genome: str, reason: str) -> None:
        """Ends the trial of a candidate whose training failed."""
        trial.set_user_attr("genome", genome)
        trial.set_user_attr("failure", reason[:500])
        self.study.tell(trial, state=TrialState.FAIL)
        self.failed += 1

    def abandon(self, trial: Trial) -> None:
        """Ends the trial of a candidate that there was no time for; it can be queued again."""
        trial.set_user_attr("stopped", TIME)
        self.study.tell(trial, state=TrialState.FAIL)

    def tell_refused(
        self,
        trial: Trial,
        genome: str,
        metrics: Mapping[str, float],
        violations: Mapping[str, float],
    ) -> None:
        """Ends the trial of a network that a static bound refuses."""
        broken = [name for name, violation in violations.items() if violation > 0]
        trial.set_user_attr("refused", broken)
        trial.set_user_attr("genome", genome)
        trial.set_user_attr("metrics", dict(metrics))
        trial.set_user_attr("feasible", False)
        self._constrain(trial, violations)
        self.study.tell(trial, state=TrialState.PRUNED)
        self.refused.update(broken)

    def tell_duplicate(self, trial: Trial, of: int) -> None:
        """Ends the trial of a network that is another's double, with the other's outcome."""
        trial.set_user_attr("duplicate_of", of)
        outcome = self.outcomes.get(of)
        if outcome is not None:
            self._describe(trial, outcome)
        if outcome is not None and outcome.complete:
            self.study.tell(trial, [outcome.metrics[name] for name in OBJECTIVES])
        else:
            self.study.tell(trial, state=TrialState.PRUNED)
        self.duplicates += 1

    def remove(self) -> None:
        """Removes the study from its storage."""
        self.study._storage.delete_study(self.study._study_id)

    def close(self) -> None:
        """Gives the storage back."""
        backend = getattr(self.study._storage, "_backend", self.study._storage)
        if isinstance(backend, RDBStorage):
            backend.remove_session()
            backend.engine.dispose()

    def note(self, name: str, value: Any) -> None:
        """Remembers something about the run."""
        self.study.set_user_attr(name, value)

    def noted(self, name: str) -> Any:
        """What an earlier session remembered, or None."""
        return self.study.user_attrs.get(name)

    def _describe(self, trial: Trial, outcome: Outcome) -> None:
        attributes = {
            "genome": outcome.genome,
            "metrics": dict(outcome.metrics),
            "violations": dict(outcome.violations),
            "performance": outcome.performance,
            "fidelity": outcome.fidelity,
            "feasible": outcome.feasible,
            "rungs": [list(score) for score in outcome.rungs],
        }
        if outcome.stopped is not None:
            attributes["stopped"] = outcome.stopped
        for name, value in attributes.items():
            trial.set_user_attr(name, value)
        self._constrain(trial, outcome.violations)

    def _constrain(self, trial: Trial, violations: Mapping[str, float]) -> None:
        """Writes the older list of constraints, which samplers and the dashboard both read.

        An infinite violation (of a metric that is NaN) is written as the greatest finite one.
        """
        values = [_finite(violations.get(name, UNKNOWN)) for name in self.bounds]
        self.study._storage.set_trial_system_attr(trial._trial_id, "constraints", values)

    def _read(self, trial: FrozenTrial) -> None:
        attributes = trial.user_attrs
        if "genome" not in attributes:
            return
        self.outcomes[trial.number] = Outcome(
            trial=trial.number,
            params=trial.params,
            genome=attributes["genome"],
            metrics=attributes.get("metrics", {}),
            violations=attributes.get("violations", {}),
            performance=attributes.get("performance"),
            fidelity=attributes.get("fidelity", 0.0),
            feasible=attributes.get("feasible", False),
            complete=trial.state == TrialState.COMPLETE,
            stopped=attributes.get("stopped"),
            rungs=tuple((score[0], score[1]) for score in attributes.get("rungs", ())),
        )


def open_study(url: str, name: str, sampler: BaseSampler) -> optuna.Study:
    """Opens a study, or makes it.

    Args:
        url: Of the Optuna storage, such as ``sqlite:///study.db``.
        name: Of the study in it.
        sampler: Who proposes.

    Raises:
        UserError: If the storage cannot be opened or holds another kind of study of that name.
    """
    try:
        write_ahead(url)
        study = optuna.create_study(
            study_name=name,
            storage=storage(url),
            sampler=sampler,
            directions=list(OBJECTIVES.values()),
            load_if_exists=True,
        )
    except Exception as error:
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"cannot open the study ({line})",
            where=f"storage: {url}",
            remedy="give an Optuna storage URL such as sqlite:///study.db",
        ) from error
    if [direction.name.lower() for direction in study.directions] != list(OBJECTIVES.values()):
        raise UserError(
            f"has a study {name!r} with other objectives",
            where=f"storage: {url}",
            remedy="choose another name",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        study.set_metric_names(list(OBJECTIVES))
    return study


def sqlite_url(path: Path) -> str:
    """The storage URL of a SQLite file."""
    return f"sqlite:///{path}"


def _out_of_time(trial: FrozenTrial) -> bool:
    return trial.user_attrs.get("stopped") == TIME


def _queued_again(trials: Sequence[FrozenTrial]) -> set[int]:
    """Numbers of the trials whose networks have a later trial."""
    return {trial.user_attrs[AGAIN] for trial in trials if AGAIN in trial.user_attrs}


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.copysign(1e9, value)
