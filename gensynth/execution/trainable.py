"""The worker: a Tune Trainable whose steps are the folds of a job."""

from __future__ import annotations

import faulthandler
import os
import warnings
from collections import deque
from collections.abc import Sequence
from typing import Any

import torch
from ray import tune

from gensynth.data import Dataset, Fold
from gensynth.execution.units import Unit
from gensynth.genome import loads
from gensynth.training import FoldResult, Recipe, train_fold

RESULT = "fold_result"
FAILURE = "failure"


class FoldTrainer(tune.Trainable):
    """Trains the folds of one network after the other, and of the next network when reset.

    The data come once for each worker, through Ray's object store, which every worker of a machine
    maps into its memory without a copy. What goes wrong is a result like any other, since Tune
    loses the text of an exception.
    """

    def setup(
        self,
        config: dict[str, Any],
        dataset: Dataset | None = None,
        folds: Sequence[Fold] = (),
        recipe: Recipe | None = None,
    ) -> None:
        """Takes what all jobs share, and the first job."""
        assert dataset is not None
        assert recipe is not None
        torch.set_num_threads(1)
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        self._dataset, self._folds, self._recipe = dataset, folds, recipe
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Takes another job."""
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Trains the next fold: a result under ``RESULT``, or what failed under ``FAILURE``.

        A fold that hangs ends the process, whatever it hangs in: the watch needs no interpreter.
        """
        with open(os.devnull, "w") as nowhere:
            faulthandler.dump_traceback_later(self._patience, exit=True, file=nowhere)
            try:
                return {RESULT: self._train(self._units.popleft())}
            except Exception as error:
                return {FAILURE: " ".join(f"{type(error).__name__}: {error}".split())}
            finally:
                faulthandler.cancel_dump_traceback_later()

    def _train(self, unit: Unit) -> FoldResult:
        return train_fold(
            loads(self._genome),
            self._dataset,
            self._folds[unit.fold],
            epochs=unit.epochs,
            seed=unit.seed,
            recipe=self._recipe,
        )

    def _begin(self, config: dict[str, Any]) -> None:
        self._genome: str = config["genome"]
        self._units = deque(Unit(*unit) for unit in config["units"])
        self._patience: float = config["patience"]
        self.config = {}  # Tune sends it back with every result


def job_config(genome: str, units: Sequence[Unit], patience: float) -> dict[str, Any]:
    """A job as Tune carries it to a worker.

    Args:
        genome: The network as JSON.
        units: What to train, in order.
        patience: Seconds after which a fold hangs.
    """
    return {
        "genome": genome,
        "units": [[unit.fold, unit.epochs, unit.seed] for unit in units],
        "patience": patience,
    }
