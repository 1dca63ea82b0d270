"""A run in the Optuna dashboard, with what that dashboard does not show by itself.

Optuna-dashboard 0.21 greys infeasible trials out in its figures but lists them among "Best Trials",
and a trial's page has no bound's name. Here every trained trial gets a drawing and a note, the
study a note and a figure of the feasible front, and "Best Trials" leaves infeasible ones out.
Notes and drawings are written in bulk, never in the search loop.
"""

from __future__ import annotations

import io
import logging
import threading
import uuid
from collections.abc import Callable, Collection, Sequence
from functools import partial
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.simple_server import make_server as make_wsgi_server

import numpy as np
import optuna
import optuna_dashboard
from optuna.artifacts import FileSystemArtifactStore
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from gensynth.dominance import nondominated
from gensynth.errors import UserError
from gensynth.export import Run
from gensynth.genome import Genome
from gensynth.report.drawing import draw
from gensynth.report.front import front_of
from gensynth.report.interactive import interactive_front
from gensynth.report.notes import heading, study_note, trial_note
from gensynth.seams import dashboard as seam
from gensynth.seams import optuna as private
from gensynth.search.study import is_duplicate, outcomes_of, verdicts_of

ARTIFACTS = "artifacts"
FIGURE = "gensynth:front"
REFRESH_SECONDS = 15.0

_log = logging.getLogger(__name__)


def illustrate(run: Run) -> int:
    """Adds the notes, drawings and figures that a run's study still lacks.

    A trial's note is written once, so that what a person adds to it stays; only its first line, the
    verdict, follows the confirmation.

    Args:
        run: The run, finished or not.

    Returns:
        The number of trials that got a note.
    """
    study = run.study
    store = artifact_store(run)
    attributes = private.notes_of(study)
    added = 0
    trials = {trial.number: trial for trial in study.get_trials(deepcopy=False)}
    for outcome in outcomes_of(study):
        trial = trials[outcome.trial]
        if seam.has_note(attributes, trial):
            _judge(study, trial, heading(outcome), seam.note(attributes, trial))
            continue
        genome = _genome(run, trial)
        picture = _attach(study, trial, genome, store) if genome else None
        note = trial_note(run, outcome, genome, picture)
        seam.save_note(study, trial, note)
        added += 1
    front = front_of(run)
    note = study_note(run, front, private.study_id(study))
    if optuna_dashboard.get_note(study) != note:
        optuna_dashboard.save_note(study, note)
        optuna_dashboard.save_plotly_graph_object(
            study, interactive_front(front), graph_object_id=FIGURE
        )
    return added


def _judge(study: optuna.Study, trial: FrozenTrial, verdict: str, note: str) -> None:
    """Puts the verdict at the head of a note, unless a person has put something else there."""
    first, _, rest = note.partition("\n")
    if first != verdict and first.startswith(verdict.partition(":")[0]):
        seam.save_note(study, trial, f"{verdict}\n{rest}")


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
    seam.replace_best_trials(partial(feasible_front, refuted=partial(_refuted, run.study)))
    app = optuna_dashboard.wsgi(private.storage_of(run.study), artifact_store=artifact_store(run))
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
    trials: Sequence[FrozenTrial],
    directions: Sequence[StudyDirection],
    *,
    refuted: Callable[[], Collection[int]] = tuple,
) -> list[FrozenTrial]:
    """The non-dominated ones among the trials that satisfy every constraint, each network once.

    Takes the place of the dashboard's own, which ignores constraints.

    Args:
        trials: Of a study.
        directions: Of its objectives.
        refuted: Gives the numbers of trials that satisfied them in the search only.
    """
    wrong = refuted()
    signs = [1 if direction is StudyDirection.MAXIMIZE else -1 for direction in directions]
    shown = [
        trial
        for trial in trials
        if trial.state is TrialState.COMPLETE
        and trial.number not in wrong
        and _feasible(trial)
        and not is_duplicate(trial)
    ]
    best = nondominated([np.multiply(signs, trial.values) for trial in shown])
    return [trial for trial, marked in zip(shown, best, strict=True) if marked]


def _refuted(study: optuna.Study) -> list[int]:
    return [number for number, verdict in verdicts_of(study).items() if not verdict.satisfied]


def _feasible(trial: FrozenTrial) -> bool:
    return all(value <= 0 for value in trial.system_attrs.get("constraints", ()))


def _genome(run: Run, trial: FrozenTrial) -> Genome | None:
    try:
        return run.genome_of(trial)
    except UserError as error:
        _log.warning("trial %d has no drawing: %s", trial.number, error)
        return None


def _attach(
    study: optuna.Study, trial: FrozenTrial, genome: Genome, store: FileSystemArtifactStore
) -> str:
    """Stores a drawing with a trial and returns its path on the dashboard's server."""
    name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{study.study_name}/{trial.number}/{genome.hash}"))
    store.write(name, io.BytesIO(draw(genome).png()))
    return seam.attach(study, trial, name, f"{genome.name}.png", "image/png")


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        _log.debug(format, *args)
