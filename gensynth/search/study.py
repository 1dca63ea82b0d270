"""The Optuna study as the memory of a search.

Every attribute that a search writes to its study and trials is written here and read here, and by
nobody else.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, Trial, TrialState

from gensynth.errors import UserError, first_line
from gensynth.prototype import Classes
from gensynth.seams import optuna as private
from gensynth.search.outcome import TIME, Objectives, Outcome
from gensynth.search.storage import storage, write_ahead
from gensynth.search.verdict import Verdict
from gensynth.storage_url import public

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
SESSION = "session"
OUTPUTS = "outputs"
CLASSES = "classes"
"""What runs of earlier versions keep instead: the names of the classes."""

AGAIN = "again"
VERDICTS = "verdicts"
"""What confirmations found, by trial; Optuna lets nobody change a trial that is finished."""

UNKNOWN = 0.0


@dataclass(frozen=True)
class Session:
    """What sessions of a run remember besides the trials.

    Attributes:
        seconds: Time used.
        setup: Time until training could begin.
        refused: Networks that the sampler itself refused, by bound, in sessions of versions before
            trials kept them.
    """

    seconds: float = 0.0
    setup: float = 0.0
    refused: Mapping[str, int] = field(default_factory=dict)


@dataclass
class SearchStudy:
    """A study and the one process that writes it.

    Args:
        study: The study.
        bounds: Names of the bounds of 1_r, in order.
        objectives: What is told of a candidate that is trained in full.
    """

    study: optuna.Study
    bounds: Sequence[str]
    objectives: Objectives
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    failed: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    asked: int = 0

    def __post_init__(self) -> None:
        trials = self.study.get_trials(deepcopy=False)
        for trial in trials:
            self.asked += trial.state != TrialState.WAITING
            self.failed += "failure" in trial.user_attrs
            self.duplicates += is_duplicate(trial)
            self.refused.update(trial.user_attrs.get("refused", ()))
        self.outcomes = {outcome.trial: outcome for outcome in outcomes_of(self.study)}

    @property
    def candidates(self) -> int:
        """Number of candidates that count against the budget."""
        timed_out = sum(outcome.stopped == TIME for outcome in self.outcomes.values())
        return len(self.outcomes) - timed_out + self.failed

    def unfinished(self) -> list[FrozenTrial]:
        """The trials that an earlier session left running, in their order."""
        return self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))

    def requeue(self) -> int:
        """Queues the candidates that time stopped; returns how many networks that are.

        They are asked again first, in their order; the journal has the folds they already had.
        """
        trials = self.study.get_trials(deepcopy=False)
        queued = _queued_again(trials)
        count = 0
        for trial in trials:
            params = trial.params or trial.system_attrs.get("fixed_params", {})
            if params and trial.number not in queued and _out_of_time(trial):
                self.study.enqueue_trial(params, user_attrs={AGAIN: trial.number})
                self.outcomes.pop(trial.number, None)
                count += 1
        return count

    def frozen(self, trial: Trial) -> FrozenTrial:
        """A trial as it stands in the storage."""
        return private.storage_of(self.study).get_trial(private.trial_id(trial))

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Writes a candidate's outcome and ends its trial."""
        self._describe(trial, outcome)
        if outcome.complete:
            values = [outcome.metrics[name] for name in self.objectives]
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
            self.study.tell(trial, [outcome.metrics[name] for name in self.objectives])
        else:
            self.study.tell(trial, state=TrialState.PRUNED)
        self.duplicates += 1

    def judge(self, trial: int, verdict: Verdict) -> None:
        """Writes down what a confirmation found of a trial's network."""
        known = self.study.user_attrs.get(VERDICTS, {})
        if known.get(str(trial)) != verdict:
            self.study.set_user_attr(VERDICTS, {**known, str(trial): verdict})
        self.outcomes[trial] = replace(self.outcomes[trial], confirmation=verdict)

    @property
    def failure(self) -> str:
        """Why the last candidate failed that did."""
        trials = self.study.get_trials(deepcopy=False)
        reasons = [trial.user_attrs["failure"] for trial in trials if "failure" in trial.user_attrs]
        return str(reasons[-1]) if reasons else ""

    def remove(self) -> None:
        """Removes the study from its storage."""
        private.storage_of(self.study).delete_study(private.study_id(self.study))

    def close(self) -> None:
        """Gives the storage back."""
        private.close(self.study)

    def keep_outputs(self, outputs: Classes) -> None:
        """Keeps how many values networks give, for whoever builds them again."""
        self.study.set_user_attr(OUTPUTS, outputs)

    @property
    def session(self) -> Session:
        """What is remembered."""
        known = self.study.user_attrs.get(SESSION) or {}
        return Session(**{name: known[name] for name in asdict(Session()) if name in known})

    def remember(self, **changes: Any) -> None:
        """Remembers fields of :class:`Session`, and those that it had."""
        self.study.set_user_attr(SESSION, asdict(replace(self.session, **changes)))

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
        private.note_trial(self.study, trial, "constraints", values)


def outcome_of(trial: FrozenTrial) -> Outcome | None:
    """What became of a trial's network; None if it never was a candidate of its own."""
    attributes = trial.user_attrs
    other = is_duplicate(trial) or "refused" in attributes
    if other or trial.state not in FINISHED or "genome" not in attributes:
        return None
    return Outcome(
        trial=trial.number,
        decisions=trial.params,
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


def outcomes_of(study: optuna.Study) -> tuple[Outcome, ...]:
    """What became of every candidate of a study, in the order of their trials.

    A candidate that was queued again, because time had stopped it, counts once.
    """
    trials = study.get_trials(deepcopy=False)
    queued = _queued_again(trials)
    found = (outcome_of(trial) for trial in trials if trial.number not in queued)
    judged = verdicts_of(study)
    return tuple(
        replace(outcome, confirmation=judged.get(outcome.trial))
        for outcome in found
        if outcome is not None
    )


def verdicts_of(study: optuna.Study) -> Mapping[int, Verdict]:
    """What confirmations found, by number of the trial."""
    known = study.user_attrs.get(VERDICTS, {})
    return {int(number): Verdict(verdict) for number, verdict in known.items()}


def is_duplicate(trial: FrozenTrial) -> bool:
    """Whether the trial's network is that of an earlier trial."""
    return "duplicate_of" in trial.user_attrs


def genome_hash_of(trial: FrozenTrial) -> str | None:
    """Canonical hash of the trial's network, if it got as far as having one."""
    found = trial.user_attrs.get("genome")
    return None if found is None else str(found)


def performance_of(trial: FrozenTrial) -> float | None:
    """U of the trial's network, None if nothing was trained."""
    return _number(trial.user_attrs.get("performance"))


def violations_of(trial: FrozenTrial) -> Mapping[str, float]:
    """Of every bound whose metric is known of the trial's network, signed."""
    found: Mapping[str, float] = trial.user_attrs.get("violations", {})
    return found


def was_trained(trial: FrozenTrial) -> bool:
    """Whether the trial's network was trained, in this trial or in the one that it repeats."""
    return "fidelity" in trial.user_attrs


def metrics_of(trial: FrozenTrial) -> Mapping[str, float]:
    """What is known of the trial's network by name."""
    found: Mapping[str, float] = trial.user_attrs.get("metrics", {})
    return found


def outputs_of(study: optuna.Study) -> Classes | None:
    """How many values the networks of a study give; None in the oldest ones."""
    known: Classes | None = study.user_attrs.get(OUTPUTS)
    names = study.user_attrs.get(CLASSES)
    return known or (len(names) if names else None)


def open_study(url: str, name: str, sampler: BaseSampler, objectives: Objectives) -> optuna.Study:
    """Opens a study, or makes it.

    Args:
        url: Of the Optuna storage, such as ``sqlite:///study.db``.
        name: Of the study in it.
        sampler: Who proposes.
        objectives: What is wanted of networks.

    Raises:
        UserError: If the storage cannot be opened or holds another kind of study of that name.
    """
    try:
        write_ahead(url)
        study = optuna.create_study(
            study_name=name,
            storage=storage(url),
            sampler=sampler,
            directions=list(objectives.values()),
            load_if_exists=True,
        )
    except Exception as error:
        raise UserError(
            f"cannot open the study ({first_line(error)})",
            where=f"storage: {public(url)}",
            remedy=_remedy(error),
        ) from error
    if [direction.name.lower() for direction in study.directions] != list(objectives.values()):
        raise UserError(
            f"has a study {name!r} with other objectives",
            where=f"storage: {public(url)}",
            remedy="choose another name",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        study.set_metric_names(list(objectives))
    return study


def _remedy(error: Exception) -> str:
    if isinstance(error, ImportError) and error.name and error.name.startswith("psycopg"):
        return "pip install 'gensynth[postgresql]'"
    return "give an Optuna storage URL such as sqlite:///study.db"


def sqlite_url(path: Path) -> str:
    """The storage URL of a SQLite file."""
    return f"sqlite:///{path}"


def _out_of_time(trial: FrozenTrial) -> bool:
    return trial.user_attrs.get("stopped") == TIME


def _queued_again(trials: Sequence[FrozenTrial]) -> set[int]:
    """Numbers of the trials whose networks have a later trial."""
    return {trial.user_attrs[AGAIN] for trial in trials if AGAIN in trial.user_attrs}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.copysign(1e9, value)
