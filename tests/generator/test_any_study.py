"""The public sampler in studies that know nothing of networks and give no space."""

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.study import Study
from optuna.trial import TrialState

from gensynth import GenerativeSynthesisSampler

optuna.logging.set_verbosity(optuna.logging.WARNING)

ASKER = """
import sys
import optuna
from gensynth import GenerativeSynthesisSampler
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.load_study(
    study_name="s", storage=sys.argv[1], sampler=GenerativeSynthesisSampler(seed=int(sys.argv[2]))
)
study.optimize(lambda trial: sum(trial.suggest_int(n, 0, 9) for n in "abc"), n_trials=12)
"""


def conditional(trial: Any) -> float:
    """A define-by-run space: what is asked depends on ``kind`` and on ``depth``."""
    if trial.suggest_categorical("kind", ["flat", "deep"]) == "flat":
        return float(trial.suggest_int("level", 0, 5))
    depth = trial.suggest_int("depth", 1, 3)
    return float(sum(trial.suggest_int(f"width{layer}", 0, 3) for layer in range(depth)) - 3)


def points(study: Study) -> list[tuple[Any, ...]]:
    return [tuple(sorted(trial.params.items())) for trial in study.trials]


def searched(trials: int, objective: Any = conditional, seed: int = 0, **options: Any) -> Study:
    study = optuna.create_study(sampler=GenerativeSynthesisSampler(seed=seed), **options)
    study.optimize(objective, n_trials=trials, catch=ZeroDivisionError)
    return study


def test_it_is_public_and_its_import_is_lazy():
    code = "import gensynth, sys; print('torch' in sys.modules, 'optuna' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
    assert "GenerativeSynthesisSampler" in dir(__import__("gensynth"))


@pytest.mark.parametrize("seed", range(3))
def test_a_conditional_space_is_learned_without_duplicates(seed: int):
    study = searched(50, seed=seed)
    found = points(study)
    assert len(set(found[2:])) == len(found[2:])
    assert study.best_value == -3.0


def test_failed_and_queued_points_are_not_proposed_again():
    def objective(trial: optuna.Trial) -> float:
        x, y = trial.suggest_int("x", 0, 5), trial.suggest_int("y", 0, 5)
        return 1 / (x - y)

    study = optuna.create_study(sampler=GenerativeSynthesisSampler(seed=0))
    for x in range(3):
        study.enqueue_trial({"x": x, "y": 5})
    study.optimize(objective, n_trials=30, catch=ZeroDivisionError)
    found = points(study)
    assert len(set(found)) == 30
    assert found[:3] == [(("x", x), ("y", 5)) for x in range(3)]
    assert any(trial.state == TrialState.FAIL for trial in study.trials)


def test_a_study_whose_first_trials_all_fail_goes_on():
    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_int("x", 0, 40)
        return x if trial.number > 9 else 1 // 0

    study = searched(25, objective)
    assert len(set(points(study))) == 25
    assert study.best_value < 5


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_either_direction(direction: str):
    sign = 1 if direction == "minimize" else -1

    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 1e-4, 1e2, log=True)
        y = trial.suggest_float("y", 0, 2, step=0.25)
        return sign * float(np.log10(x) ** 2 + (y - 0.5) ** 2)

    best = searched(35, objective, direction=direction).best_trial
    assert 0.3 < best.params["x"] < 3
    assert abs(best.params["y"] - 0.5) <= 0.25


@pytest.mark.parametrize("way", ["set_constraint", "list"])
def test_constraints_without_a_space(way: str):
    def objective(trial: optuna.Trial) -> float:
        x, y = (trial.suggest_float(name, 0, 1) for name in "xy")
        broken = 1.2 - x - y
        if way == "set_constraint":
            trial.set_constraint("sum", broken)
        else:
            trial.storage.set_trial_system_attr(trial._trial_id, "constraints", [broken])
        return x**2 + y**2

    study = searched(40, objective)
    assert study.best_value < 0.85
    late = [sum(trial.params.values()) for trial in study.trials[25:]]
    assert abs(float(np.median(late)) - 1.2) < 0.15


@pytest.mark.parametrize("count", [2, 3, 5])
def test_several_objectives_widen_their_front(count: int):
    def objective(trial: optuna.Trial) -> tuple[float, ...]:
        at = [trial.suggest_float(f"x{axis}", 0, 1) for axis in range(3)]
        centres = [[(7 * k + 3 * axis) % 5 / 4 for axis in range(3)] for k in range(count)]
        return tuple(
            sum((x - c) ** 2 for x, c in zip(at, centre, strict=True)) for centre in centres
        )

    study = searched(30, objective, directions=["minimize"] * count)
    front = np.asarray([trial.values for trial in study.best_trials])
    assert len(front) >= 10
    assert (front.min(axis=0) < 0.25).all()


def test_pruned_trials_teach():
    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        for step in range(3):
            trial.report((x - 0.3) ** 2, step)
            if x > 0.5:
                raise optuna.TrialPruned
        return (x - 0.3) ** 2

    study = searched(25, objective)
    assert {trial.state for trial in study.trials} == {TrialState.COMPLETE, TrialState.PRUNED}
    assert study.best_value < 1e-3
    assert all(trial.params["x"] < 0.5 for trial in study.trials[18:])


def test_a_seed_fixes_everything_and_storage_changes_nothing(tmp_path: Path):
    memory = points(searched(16, seed=3))
    stored = points(searched(16, seed=3, storage=f"sqlite:///{tmp_path / 's.db'}"))
    assert memory == stored
    assert memory != points(searched(16, seed=4))


def test_threads_propose_different_points():
    study = optuna.create_study(sampler=GenerativeSynthesisSampler(seed=0))
    study.optimize(conditional, n_trials=6)
    study.optimize(conditional, n_trials=24, n_jobs=4)
    found = points(study)
    assert len(set(found[2:])) == len(found[2:])


def test_processes_share_one_storage(tmp_path: Path):
    storage = f"sqlite:///{tmp_path / 's.db'}"
    optuna.create_study(study_name="s", storage=storage)
    askers = [
        subprocess.Popen([sys.executable, "-c", ASKER, storage, str(seed)]) for seed in range(2)
    ]
    assert [asker.wait(120) for asker in askers] == [0, 0]
    study = optuna.load_study(study_name="s", storage=storage)
    assert len(study.trials) == 24
    found = points(study)[2:]
    assert len(set(found)) == len(found)


def test_it_can_be_copied_to_another_process():
    study = searched(12)
    twin = optuna.create_study(sampler=copy.deepcopy(study.sampler))
    twin.add_trials(study.trials)
    asked = [one.ask() for one in (study, twin)]
    assert conditional(asked[0]) == conditional(asked[1])
    assert asked[0].params == asked[1].params
