"""Ray Tune executes: jobs of a dispatcher become Tune trials, results go back to the dispatcher."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from ray import tune
from ray.tune import Callback
from ray.tune.experiment import Trial
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from gensynth.data import Dataset, Fold
from gensynth.execution.jobs import Dispatcher
from gensynth.execution.trainable import FAILURE, RESULT, FoldTrainer, job_config
from gensynth.genome import dumps
from gensynth.training import Recipe


class Interrupted(KeyboardInterrupt):
    """The user pressed Ctrl-C, or the process was asked to end; everything is kept."""


class Material(Protocol):
    """What workers train on."""

    @property
    def dataset(self) -> Dataset:
        """The images."""

    @property
    def folds(self) -> Sequence[Fold]:
        """All folds."""

    @property
    def recipe(self) -> Recipe:
        """How networks are trained."""


def execute(
    dispatcher: Dispatcher, material: Material, workers: int, folder: Path, *, gpus: float = 0.0
) -> None:
    """Has Tune do a dispatcher's jobs; returns when there are none left.

    Args:
        dispatcher: Where jobs come from and results go to.
        material: What the workers train on.
        workers: Jobs at a time.
        folder: Where Tune may write; nothing there is needed afterwards.
        gpus: What each job takes of a GPU, or how many.

    Raises:
        Interrupted: After Ctrl-C.
        Exception: What went wrong in the dispatcher's books.
    """
    with _interruptible() as interrupted, suppress(_Leave):
        adapter = _Adapter(dispatcher, workers, interrupted)
        tune.Tuner(
            tune.with_resources(
                tune.with_parameters(
                    FoldTrainer,
                    dataset=material.dataset,
                    folds=material.folds,
                    recipe=material.recipe,
                ),
                {"cpu": 1, "gpu": gpus} if gpus else {"cpu": 1},
            ),
            tune_config=tune.TuneConfig(
                search_alg=_JobSearcher(adapter),
                scheduler=_Racing(adapter),
                num_samples=-1,
                reuse_actors=True,
                trial_name_creator=lambda trial: trial.trial_id,
                trial_dirname_creator=lambda trial: trial.trial_id,
            ),
            run_config=tune.RunConfig(
                name="jobs",
                storage_path=str(folder / "tune"),
                callbacks=[_Failures(adapter)],
                failure_config=tune.FailureConfig(max_failures=0, fail_fast=False),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
            ),
        ).fit()
    if dispatcher.error is not None:
        raise dispatcher.error


class _Adapter:
    """Which Tune trial does which job."""

    def __init__(self, dispatcher: Dispatcher, workers: int, interrupted: threading.Event) -> None:
        self.dispatcher = dispatcher
        self.interrupted = interrupted
        self.workers = workers
        self._keys: dict[str, int] = {}
        self._watched: dict[str, tuple[float, float]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Stays behind when Tune pickles what it runs for its own kind of restoring."""
        return {}

    def __deepcopy__(self, memo: object) -> _Adapter:
        return self

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """A job for a trial; Tune asks several times a second."""
        dispatcher = self.dispatcher
        try:
            if dispatcher.running < self.workers or dispatcher.held:
                found = dispatcher.next()
                if found is not None:
                    key, job = found
                    self._keys[trial_id] = key
                    patience = dispatcher.patience(job)
                    self._watched[trial_id] = time.monotonic(), patience
                    return job_config(dumps(job.genome), job.units, patience)
                if dispatcher.finished:
                    return str(Searcher.FINISHED)
            dispatcher.idle()
        except Exception as error:
            dispatcher.error = dispatcher.error or error
        return str(Searcher.FINISHED) if dispatcher.error is not None else None

    def result(self, trial_id: str, result: Mapping[str, Any]) -> bool:
        """Takes a fold, or what failed; returns whether the trial goes on."""
        if self.dispatcher.error is not None:
            return False
        self._watched[trial_id] = time.monotonic(), self._watched[trial_id][1]
        if FAILURE in result:
            self.failed(trial_id, str(result[FAILURE]))
            return False
        try:
            wanted = self.dispatcher.result(self._keys[trial_id], result[RESULT])
        except Exception as error:
            self.dispatcher.error = error
            return False
        if not wanted:
            del self._keys[trial_id]
        return wanted

    def failed(self, trial_id: str, reason: str) -> None:
        """Takes note of a worker that failed, or ended itself because it hung."""
        since, patience = self._watched.get(trial_id, (time.monotonic(), 0.0))
        if 0 < patience <= time.monotonic() - since:
            reason = f"a fold took longer than {patience:.0f} s and was given up"
        try:
            if trial_id in self._keys:
                self.dispatcher.failed(self._keys.pop(trial_id), reason)
        except Exception as error:
            self.dispatcher.error = self.dispatcher.error or error


class _JobSearcher(Searcher):
    """Where Tune gets its trials from."""

    def __init__(self, adapter: _Adapter) -> None:
        super().__init__()
        self._adapter = adapter

    def suggest(self, trial_id: str) -> Any:
        return self._adapter.suggest(trial_id)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Everything is done by the scheduler and the callback."""

    def save(self, checkpoint_path: str) -> None:
        """The study and the journal are the only memory."""

    def restore(self, checkpoint_path: str) -> None:
        """The study and the journal are the only memory."""


class _Racing(TrialScheduler):
    """Passes every fold on, and stops or continues the trial as the dispatcher decides."""

    def __init__(self, adapter: _Adapter) -> None:
        self._adapter = adapter

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """Nothing to prepare."""

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        """See :class:`_Failures`."""

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        wanted = self._adapter.result(trial.trial_id, result)
        return TrialScheduler.CONTINUE if wanted else TrialScheduler.STOP

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        """Done with the result."""

    def on_trial_remove(self, tune_controller: Any, trial: Trial) -> None:
        """Trials are never removed."""

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        """Leaves the choice to Tune: first come, first served."""
        return None

    def debug_string(self) -> str:
        return "racing"


class _Failures(Callback):
    """Tells the dispatcher of workers that failed, and leaves the loop after Ctrl-C."""

    def __init__(self, adapter: _Adapter) -> None:
        self._adapter = adapter

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        self._adapter.failed(trial.trial_id, _reason(trial))

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        self._adapter.dispatcher.watch()
        if self._adapter.interrupted.is_set():
            raise Interrupted
        error = self._adapter.dispatcher.error
        if error is not None:
            raise _Leave


class _Leave(BaseException):
    """Leaves Tune's loop at once."""


def _reason(trial: Trial) -> str:
    """How a worker ended that could not say so itself: killed, or never started.

    Tune reads its own record of the error from where it has not been copied to yet, so the file is
    read where it was written.
    """
    try:
        text = Path(trial.error_file).read_text(encoding="utf-8")
    except (OSError, TypeError):
        return "the worker ended without a word"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith("Failure #")] or ["nothing is known"]
    return said[0] if said[0].startswith("The actor died unexpectedly") else said[-1]


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Turns the first Ctrl-C into an event, so that it interrupts nothing half-done."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def note(number: int, frame: FrameType | None) -> None:
        if event.is_set():
            raise Interrupted
        event.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
