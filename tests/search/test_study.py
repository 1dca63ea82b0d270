from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from gensynth.errors import UserError
from gensynth.search.outcome import TIME, Outcome, objectives_of
from gensynth.search.study import SearchStudy, open_study, sqlite_url
from gensynth.task import Classification

OBJECTIVES = objectives_of(Classification())

BOUNDS = ("accuracy.min", "params.max")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "study.db"


def reopen(path: Path) -> SearchStudy:
    study = open_study(sqlite_url(path), "run", optuna.samplers.RandomSampler(seed=0), OBJECTIVES)
    return SearchStudy(study, BOUNDS, OBJECTIVES)


def asked(memory: SearchStudy) -> optuna.Trial:
    trial = memory.study.ask()
    trial.suggest_int("width", 1, 99)
    return trial


def outcome(trial: optuna.Trial, **changes) -> Outcome:
    base = {
        "trial": trial.number,
        "decisions": trial.params,
        "genome": f"hash{trial.number}",
        "metrics": {"accuracy": 0.5, "params": 10.0, "macs": 20.0},
        "violations": {"accuracy.min": 0.1, "params.max": -0.5},
        "performance": 42.0,
        "fidelity": 1.0,
        "feasible": False,
        "complete": True,
        "rungs": ((-0.1, 42.0),),
    }
    return Outcome(**{**base, **changes})


def test_outcomes_survive_in_the_study(path: Path):
    memory = reopen(path)
    told = []
    for changes in (
        {},
        {"complete": False, "stopped": "accuracy.min", "fidelity": 0.25},
        {"violations": {"accuracy.min": float("inf"), "params.max": 0.0}},
    ):
        trial = asked(memory)
        told.append(outcome(trial, **changes))
        memory.tell(trial, told[-1])
    memory.close()
    again = reopen(path)
    read = list(again.outcomes.values())
    assert read[:2] == told[:2]
    assert again.candidates == 3
    states = [trial.state for trial in again.study.trials]
    assert states == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.COMPLETE]
    constraints = [trial.system_attrs["constraints"] for trial in again.study.trials]
    assert constraints == [[0.1, -0.5], [0.1, -0.5], [1e9, 0.0]]
    first = again.study.trials[0]
    assert first.values == [0.5, 10.0, 20.0]
    assert first.user_attrs["genome"] == "hash0"
    assert first.user_attrs["feasible"] is False
    assert again.study.metric_names == ["accuracy", "params", "macs"]


def test_feasibility_is_right_for_optuna(path: Path):
    memory = reopen(path)
    for violation in (0.3, -0.2, 0.0):
        trial = asked(memory)
        violations = {"accuracy.min": violation, "params.max": -0.1}
        memory.tell(trial, outcome(trial, violations=violations))
    assert {trial.number for trial in memory.study.best_trials} == {1, 2}


def test_what_was_running_goes_on_and_what_time_stopped_is_queued_again_once(path: Path):
    memory = reopen(path)
    lost, slow, unstarted, done = (asked(memory) for _ in range(4))
    memory.tell(slow, outcome(slow, complete=False, stopped=TIME, fidelity=0.5))
    memory.abandon(unstarted)
    memory.tell(done, outcome(done))
    memory.close()
    again = reopen(path)
    assert again.candidates == 1
    assert again.requeue() == 2
    assert [trial.number for trial in again.unfinished()] == [lost.number]
    assert again.unfinished()[0].params == lost.params
    asked_again = [again.study.ask() for _ in range(2)]
    assert [trial.suggest_int("width", 1, 99) for trial in asked_again] == [
        trial.params["width"] for trial in (slow, unstarted)
    ]
    assert list(again.outcomes) == [done.number]
    again.close()
    third = reopen(path)
    assert third.requeue() == 0
    unfinished = [trial.number for trial in third.unfinished()]
    assert unfinished == [lost.number, *(trial.number for trial in asked_again)]


def test_refusals_doubles_and_failures_are_told_and_counted(path: Path):
    memory = reopen(path)
    first = asked(memory)
    memory.tell(first, outcome(first))
    double = asked(memory)
    memory.tell_duplicate(double, first.number)
    large = asked(memory)
    memory.tell_refused(large, "big", {"params": 99.0}, {"params.max": 0.7})
    broken = asked(memory)
    memory.tell_failed(broken, "hash", "ZeroDivisionError: division by zero")
    memory.close()
    again = reopen(path)
    assert (again.duplicates, again.failed, dict(again.refused)) == (1, 1, {"params.max": 1})
    assert again.candidates == 2
    trials = again.study.trials
    assert trials[double.number].values == trials[first.number].values
    assert trials[large.number].state == TrialState.PRUNED
    assert trials[large.number].system_attrs["constraints"] == [0.0, 0.7]
    assert trials[broken.number].state == TrialState.FAIL
    assert again.requeue() == 0


def test_a_storage_that_cannot_be_opened_is_one_line():
    with pytest.raises(UserError, match="cannot open the study") as caught:
        open_study(
            "sqlite:////no/such/folder/study.db", "run", optuna.samplers.RandomSampler(), OBJECTIVES
        )
    assert "\n" not in str(caught.value)


def test_another_kind_of_study_of_that_name_is_refused(path: Path):
    optuna.create_study(study_name="run", storage=sqlite_url(path))
    with pytest.raises(UserError, match="other objectives"):
        reopen(path)
