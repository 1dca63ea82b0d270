import stat
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from ray import cloudpickle

from gensynth.data import Dataset, Fold
from gensynth.evaluation.protocol import CrossValidations
from gensynth.execution.cluster import cluster
from gensynth.execution.engine import execute
from gensynth.execution.jobs import FIRST, LEAST, Dispatcher, Job
from gensynth.execution.journal import Entry, Journal
from gensynth.execution.units import Unit
from gensynth.genome import Flatten, Genome, InputShape
from gensynth.search import Setting
from gensynth.space import decode
from gensynth.training import Recipe

NETWORK = Genome(
    name="wide",
    input=InputShape(channels=3, height=8, width=8),
    nodes=(Flatten(id="f", inputs=("input",)),),
    outputs={"logits": "f"},
)


def test_a_failed_training_says_what_failed(setting: Setting, tmp_path: Path):
    """Not only that it failed: the exception's type and text."""
    source = CrossValidations(NETWORK, [(Unit(0, 1, 0),)])
    token = Path.home() / ".ray" / "auth_token"
    if token.exists():
        token.chmod(0o644)  # as Ray makes it
    with Journal(tmp_path / "journal.jsonl") as journal, cluster(1) as folder:
        execute(Dispatcher((source,), journal), setting, 1, folder)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert source.failure is not None
    assert "UserError: wide: reads images of 3×8×8" in source.failure


class Endless:
    """A fold whose images never come."""

    index = 0

    @property
    def train(self) -> object:
        time.sleep(600)
        raise AssertionError("nobody waits so long")


@dataclass
class Hanging:
    """What workers train on, a fold of which hangs."""

    dataset: Dataset
    folds: Sequence[Fold]
    recipe: Recipe


@pytest.mark.slow
def test_a_fold_that_hangs_is_given_up_and_the_worker_replaced(
    setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("gensynth.execution.jobs.FIRST", 8.0)
    monkeypatch.setattr("gensynth.execution.jobs.RETRIES", 0)
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    network = decode(setting.space, setting.space.start)
    hanging = CrossValidations(network, [(Unit(0, 1, 0),)])
    trained = CrossValidations(network, [(Unit(1, 1, 1),)])
    folds = [cast(Fold, Endless()), *setting.folds[1:]]
    material = Hanging(setting.dataset, folds, setting.recipe)
    with Journal(tmp_path / "journal.jsonl") as journal, cluster(1) as folder:
        execute(Dispatcher((hanging, trained), journal), material, 1, folder)
        assert [entry.fold for entry in journal] == [1]
    assert hanging.failure == "a fold took longer than 8 s and was given up"


def test_patience_grows_with_what_trainings_take(tmp_path: Path):
    job = Job("evaluate", NETWORK, (Unit(0, 4, 0), Unit(1, 30, 1)))
    with Journal(tmp_path / "journal.jsonl") as journal:
        dispatcher = Dispatcher((), journal)
        assert dispatcher.patience(job) == FIRST
        journal.append(entry(seconds=2.0, epochs=2))
        assert dispatcher.patience(job) == LEAST
        journal.append(entry(seconds=80.0, epochs=2, seed=1))
        assert dispatcher.patience(job) == 10 * 40 * 30


def entry(*, seconds: float, epochs: int, seed: int = 0) -> Entry:
    return Entry(
        phase="search",
        trial=0,
        genome="x",
        fold=0,
        epochs=epochs,
        seed=seed,
        total=1,
        predictions=(0,),
        loss=0.1,
        seconds=seconds,
    )
