"""Private names of Optuna. Seen to hold for 5.0.0; ``setup.cfg`` allows 5.0.

=========================  =======================================================================
name                       why no public one does
=========================  =======================================================================
``Study._storage``,        What a sampler plans for a trial has to be in the storage before the
``Study._study_id``,       trial is told, as a system attribute: user attributes are people's, and
``Trial._trial_id``        a study shows its storage to nobody. Optuna's own samplers do the same.
``Trial(study, id)``       What an earlier process asked for is to be told under its own number;
                           ``ask`` makes a new trial. The class is public, its arguments are not.
``_CachedStorage.``        A study on a URL wraps its database; a connection that is not disposed
``_backend``               of outlives the run.
``_hypervolume.``          The boxes that a front leaves to be won. Kept libraries measure
``box_decomposition``      hypervolumes (moocore, pymoo) but do not give the boxes; BoTorch does.
=========================  =======================================================================
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna._hypervolume.box_decomposition import get_non_dominated_box_bounds
from optuna.storages import BaseStorage, RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial

SEEN = ("5.0.0",)

Matrix = NDArray[np.float64]


def adopted(study: Study, trial: FrozenTrial) -> Trial:
    """A running trial of another process as one of this process; it keeps what it was suggested."""
    return Trial(study, trial._trial_id)


def storage_of(study: Study) -> BaseStorage:
    """Where a study is kept."""
    return study._storage


def study_id(study: Study) -> int:
    """A study's number in its storage."""
    return study._study_id


def trial_id(trial: Trial | FrozenTrial) -> int:
    """A trial's number in its storage, which is not its number in its study."""
    return trial._trial_id


def note_trial(study: Study, trial: Trial | FrozenTrial, name: str, value: Any) -> None:
    """Writes a system attribute of a trial that is not finished; ``value`` is JSON."""
    study._storage.set_trial_system_attr(trial._trial_id, name, value)


def note_study(study: Study, name: str, value: Any) -> None:
    """Writes a system attribute of a study; ``value`` is JSON."""
    study._storage.set_study_system_attr(study._study_id, name, value)


def notes_of(study: Study) -> dict[str, Any]:
    """A study's system attributes."""
    return study._storage.get_study_system_attrs(study._study_id)


def close(study: Study) -> None:
    """Gives a study's database connections back."""
    backend = getattr(study._storage, "_backend", study._storage)
    if isinstance(backend, RDBStorage):
        backend.remove_session()
        backend.engine.dispose()


def boxes(losses: Matrix, reference: Matrix) -> tuple[Matrix, Matrix]:
    """Cuts what no point dominates, above a reference, into boxes.

    Args:
        losses: (points, objectives), less is better.
        reference: (objectives,), worse than every point.

    Returns:
        Corners of least and of greatest losses, (boxes, objectives) each; the least may be -inf.
    """
    return get_non_dominated_box_bounds(losses, reference)
