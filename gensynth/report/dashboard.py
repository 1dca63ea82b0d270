"""A run in the Optuna dashboard, with what that dashboard does not show by itself.

Optuna-dashboard 0.21 greys infeasible trials out in its figures but lists them among "Best Trials",
and a trial's page has no bound's name. Here every trained trial gets a drawing and a note, the
study a note and a figure of the feasible front, and "Best Trials" leaves infeasible ones out.
Notes and drawings are written in bulk, never in the search loop.
"""

from __future__ import annotations

import io
import json
import logging
import threading
import uuid
from collections.abc import Sequence
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.simple_server import make_server as make_wsgi_server

import optuna
import optuna_dashboard
from optuna.artifacts import FileSystemArtifactStore
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from optuna_dashboard import _app

from gensynth.errors import UserError
from gensynth.export import Run
from gensynth.genome import Genome
from gensynth.report.candidates import of_trials
from gensynth.report.drawing import draw
from gensynth.report.front import front_of
from gensynth.report.interactive import interactive_front
from gensynth.report.notes import study_note, trial_note

ARTIFACTS = "artifacts"
FIGURE = "gensynth:front"
REFRESH_SECONDS = 15.0
NOTE_PIECE = 2045

_log = logging.getLogger(__name__)


def illustrate(run: Run) -> int:
    """Adds the notes, drawings and figures that a run's study still lacks.

    A trial's note is written once and never overwritten, so that what a person adds to it stays.

    Args:
        run: The run, finished or not.

    Returns:
        The number of trials that got a note.
    """
    study = run.study
    store = artifact_store(run)
    attributes = study._storage.get_study_system_attrs(study._study_id)
    added = 0
    trials = {trial.number: trial for trial in study.get_trials(deepcopy=False)}
    for candidate in of_trials(trials.values()):
        trial = trials[candidate.trial]
        if f"dashboard:{trial._trial_id}:note_ver" in attributes or not trial.state.is_finished():
            continue
        genome = _genome(run, trial)
        picture = _attach(study, trial, genome, store) if genome else None
        note = trial_note(run, candidate, genome, picture)
        _save_trial_note(study, trial, note)
        added += 1
    front = front_of(run)
    note = study_note(run, front, study._study_id)
    if optuna_dashboard.get_note(study) != note:
        optuna_dashboard.save_note(study, note)
        optuna_dashboard.save_plotly_graph_object(
            study, interactive_front(front), graph_object_id=FIGURE
        )
    return added


def artifact_store(run: Run) -> FileSystemArtifactStore:
    """Where a run keeps its drawings: ``artifacts/`` in its directory."""
    folder = run.path / ARTIFACTS
    folder.mkdir(exist_ok=True)
    return FileSystemArtifactStore(folder)


class Server(ThreadingMixIn, WSGIServer):
    """Serves requests in threads that do not outlive it."""

    daemon_threads = True


def make_server(run: Run, *, host: str = "127.0.0.1", port: int = 8080) -> Server:
    """Makes the dashboard's HTTP server.

    Args:
        run: The run to show.
        host: Address to listen on.
        port: Port; 0 takes any free one, ``server.server_port`` says which.

    Returns:
        The server, listening; ``serve_forever()`` answers.

    Raises:
        UserError: If the address cannot be listened on.
    """
    _app.get_pareto_front_trials = feasible_front
    app = optuna_dashboard.wsgi(run.study._storage, artifact_store=artifact_store(run))
    try:
        return make_wsgi_server(host, port, app, Server, _Quiet)
    except OSError as error:
        raise UserError(
            f"cannot listen on {host}:{port} ({error.strerror})", remedy="choose another --port"
        ) from error


def keep_illustrated(run: Run, stop: threading.Event) -> None:
    """Illustrates again every few seconds until the run is finished or ``stop`` is set."""
    while not run.finished and not stop.wait(REFRESH_SECONDS):
        illustrate(Run(run.path))


def feasible_front(
    trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection]
) -> list[FrozenTrial]:
    """The non-dominated ones among the trials that satisfy every constraint.

    Takes the place of the dashboard's own, which ignores constraints.
    """
    signs = [1 if direction is StudyDirection.MAXIMIZE else -1 for direction in directions]
    merits = {
        trial.number: tuple(sign * value for sign, value in zip(signs, trial.values, strict=True))
        for trial in trials
        if trial.state is TrialState.COMPLETE and _feasible(trial)
    }
    return [
        trial
        for trial in trials
        if (mine := merits.get(trial.number)) is not None
        and not any(
            theirs != mine and all(a >= b for a, b in zip(theirs, mine, strict=True))
            for theirs in merits.values()
        )
    ]


def _feasible(trial: FrozenTrial) -> bool:
    return all(value <= 0 for value in trial.system_attrs.get("constraints", ()))


def _genome(run: Run, trial: FrozenTrial) -> Genome | None:
    try:
        return run.genome_of(trial)
    except UserError as error:
        _log.warning("trial %d has no drawing: %s", trial.number, error)
        return None


def _save_trial_note(study: optuna.Study, trial: FrozenTrial, note: str) -> None:
    """Does what ``optuna_dashboard.save_note`` does, which takes no finished trial.

    It also reads every note of the study each time.
    """
    pieces = [note[i : i + NOTE_PIECE] for i in range(0, len(note), NOTE_PIECE)]
    prefix = f"dashboard:{trial._trial_id}"
    for number, piece in enumerate(pieces):
        study._storage.set_study_system_attr(study._study_id, f"{prefix}:note_str:{number}", piece)
    study._storage.set_study_system_attr(study._study_id, f"{prefix}:note_ver", 1)


def _attach(
    study: optuna.Study, trial: FrozenTrial, genome: Genome, store: FileSystemArtifactStore
) -> str:
    """Stores a drawing with a trial and returns its path on the dashboard's server.

    Optuna refuses artifacts of finished trials; the dashboard also reads them from the study.
    """
    name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{study.study_name}/{trial.number}/{genome.hash}"))
    store.write(name, io.BytesIO(draw(genome).png()))
    meta = {
        "artifact_id": name,
        "mimetype": "image/png",
        "encoding": None,
        "filename": f"{genome.name}.png",
    }
    key = f"dashboard:artifacts:{trial._trial_id}:{name}"
    study._storage.set_study_system_attr(study._study_id, key, json.dumps(meta))
    return f"/artifacts/{study._study_id}/{trial._trial_id}/{name}"


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        _log.debug(format, *args)
