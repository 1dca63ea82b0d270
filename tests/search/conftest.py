from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest

from gensynth.config import load
from gensynth.search import Experiment, Setting, prepare
from gensynth.search.work import Conductor
from gensynth.training import train_fold

SMALL = (
    "constraint=nano_b",
    "constraint.bounds.accuracy.min=0.05",
    "constraint.bounds.macs.max=3e5",
    "data.subjects=40",
    "data.frames=1",
    "folds.count=4",
    "fidelity.rungs=[{folds: 1, epochs: 1}, {folds: 2, epochs: 2}]",
    "fidelity.reduction=2",
    "budget.candidates=4",
    "budget.minutes=null",
    "confirm.finalists=1",
    "confirm.epochs=1",
    "name=small",
)


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., Experiment]:
    """A search of four networks with a few thousand parameters on a hundred images."""

    def make(*overrides: str) -> Experiment:
        return load(Experiment, [*SMALL, f"runs={tmp_path / 'runs'}", *overrides])

    return make


@pytest.fixture(scope="session")
def setting() -> Setting:
    """The small experiment, prepared."""
    return prepare(load(Experiment, SMALL))


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Puts something else in the place of Ray."""

    def put(execute: Callable[..., None] = lambda *ignored: None) -> None:
        monkeypatch.setattr("gensynth.search.run.cluster", lambda *ignored: nullcontext(tmp_path))
        monkeypatch.setattr("gensynth.search.run.execute", execute)

    return put


def drive(conductor: Conductor, setting: Setting, *, folds: int | None = None) -> int:
    """Does a conductor's jobs in this process, one after the other; returns the folds trained.

    Args:
        conductor: Gives them out.
        setting: What to train on.
        folds: Stop after so many, in the middle of whatever is going on.
    """
    trained = 0
    while (found := conductor.next()) is not None:
        key, job = found
        conductor.idle()
        for unit in job.units:
            if trained == folds:
                return trained
            result = train_fold(
                job.genome,
                setting.dataset,
                setting.folds[unit.fold],
                epochs=unit.epochs,
                seed=unit.seed,
                recipe=setting.recipe,
            )
            trained += 1
            if not conductor.result(key, result):
                break
    return trained


def words(experiment: Experiment, overrides: Sequence[str] = ()) -> list[str]:
    """The command line of the small experiment."""
    return [*SMALL, f"runs={experiment.runs}", *overrides]
