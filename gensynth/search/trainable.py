"""The worker: a Tune Trainable whose steps are the folds of a job."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Sequence
from typing import Any

import torch
from ray import tune

from gensynth.data import Dataset, Fold
from gensynth.genome import Genome, loads
from gensynth.search.plan import Unit
from gensynth.training import Recipe, train_fold

RESULT = "fold_result"


class FoldTrainer(tune.Trainable):
    """Trains the folds of one network after the other, and of the next network when reset.

    The data come once for each worker, through Ray's object store, which every worker of a machine
    maps into its memory without a copy.
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
        """Trains the next fold."""
        unit = self._units.popleft()
        result = train_fold(
            self._genome,
            self._dataset,
            self._folds[unit.fold],
            epochs=unit.epochs,
            seed=unit.seed,
            recipe=self._recipe,
        )
        return {RESULT: result}

    def _begin(self, config: dict[str, Any]) -> None:
        self._genome: Genome = loads(config["genome"])
        self._units = deque(Unit(*unit) for unit in config["units"])
        self.config = {}  # Tune sends it back with every result


def job_config(genome: str, units: Sequence[Unit]) -> dict[str, Any]:
    """A job as Tune carries it to a worker.

    Args:
        genome: The network as JSON.
        units: What to train, in order.
    """
    return {"genome": genome, "units": [[unit.fold, unit.epochs, unit.seed] for unit in units]}
