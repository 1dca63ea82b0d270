"""Private names of Optuna's dashboard. Seen to hold for 0.21.0; ``setup.cfg`` allows 0.21.

===============================  =================================================================
name                             why no public one does
===============================  =================================================================
``_app.get_pareto_front_trials`` "Best Trials" ignores constraints, and nothing says otherwise.
keys ``dashboard:ID:note_…``     ``save_note`` takes no trial that is finished, and reads every
                                 note of the study each time.
keys ``dashboard:artifacts:…``   Optuna refuses artifacts of finished trials; the dashboard also
                                 reads them from the study.
``/artifacts/STUDY/TRIAL/NAME``  Where its server has them.
===============================  =================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence

import optuna_dashboard
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial
from optuna_dashboard import _app

from gensynth.seams import optuna as private

SEEN = ("0.21.0",)
NOTE_PIECE = 2045
"""Characters of a note that one attribute holds; the dashboard joins them."""

BestTrials = Callable[[Sequence[FrozenTrial], Sequence[StudyDirection]], list[FrozenTrial]]


def replace_best_trials(best: BestTrials) -> None:
    """Has every dashboard of this process list other trials as best."""
    _app.get_pareto_front_trials = best


def has_note(attributes: Collection[str], trial: FrozenTrial) -> bool:
    """Whether a trial has a note, by the names of its study's system attributes."""
    return f"{_prefix(trial)}:note_ver" in attributes


def note(attributes: Mapping[str, str], trial: FrozenTrial) -> str:
    """The note of a trial, from its study's system attributes."""
    pieces: list[str] = []
    while (piece := attributes.get(f"{_prefix(trial)}:note_str:{len(pieces)}")) is not None:
        pieces.append(piece)
    return "".join(pieces)


def save_note(study: Study, trial: FrozenTrial, note: str) -> None:
    """Writes the note of a trial, finished or not; an empty piece ends it."""
    for number, start in enumerate(range(0, len(note) + NOTE_PIECE, NOTE_PIECE)):
        piece = note[start : start + NOTE_PIECE]
        private.note_study(study, f"{_prefix(trial)}:note_str:{number}", piece)
    private.note_study(study, f"{_prefix(trial)}:note_ver", 1)


def attach(study: Study, trial: FrozenTrial, name: str, filename: str, mimetype: str) -> str:
    """Ties an artifact that is in the store to a trial, finished or not.

    Returns:
        Its path on the dashboard's server.
    """
    meta = {"artifact_id": name, "mimetype": mimetype, "encoding": None, "filename": filename}
    key = f"dashboard:artifacts:{private.trial_id(trial)}:{name}"
    private.note_study(study, key, json.dumps(meta))
    return f"/artifacts/{private.study_id(study)}/{private.trial_id(trial)}/{name}"


def _prefix(trial: FrozenTrial) -> str:
    return f"dashboard:{private.trial_id(trial)}"


assert optuna_dashboard.save_note  # its format is what is written here
