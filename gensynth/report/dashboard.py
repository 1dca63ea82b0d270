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
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
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

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

ARTIFACTS = "artifacts"
FIGURE = "gensynth:front"
REFRESH_SECONDS = 15.0
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
READING = ("GET", "HEAD", "OPTIONS")
HARMLESS = (
    ("X-Content-Type-Options", "nosniff"),
    (
        "Content-Security-Policy",
        "sandbox; default-src 'none'",
    ),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
"""Headers of what is attached to trials."""

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


class Guarded:
    """A dashboard that is only looked at, by who asks for it under its own name.

    A page of a stranger can have its name lead to this machine (DNS rebinding) and then ask as if
    it were the dashboard's own page; it cannot ask under another name. What a trial has attached is
    nothing that a browser runs.

    Args:
        app: The dashboard.
        names: What ``Host`` may say, without the port; None lets it say anything.
    """

    def __init__(self, app: WSGIApplication, names: Collection[str] | None) -> None:
        self._app = app
        self._names = names

    def __call__(self, environ: WSGIEnvironment, respond: StartResponse) -> Iterable[bytes]:
        name = environ.get("HTTP_HOST", "").rsplit(":", 1)[0].lower()
        if self._names is not None and name not in self._names:
            return _refused(respond, "403 Forbidden", f"no host {name!r} here")
        if environ["REQUEST_METHOD"] not in READING:
            return _refused(respond, "405 Method Not Allowed", "this dashboard is read-only")
        if not environ["PATH_INFO"].startswith("/artifacts/"):
            return self._app(environ, respond)

        def harmless(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return respond(status, [*headers, *HARMLESS], *rest)

        return self._app(environ, harmless)


def _refused(respond: StartResponse, status: str, words: str) -> Iterable[bytes]:
    respond(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{words}\n".encode()]


def make_server(run: Run, *, host: str = "127.0.0.1", port: int = 8080) -> Server:
    """Makes the dashboard's HTTP server. It shows and changes nothing.

    On a loopback address it answers under the names of this machine alone; on another one, which a
    person has chosen for others to see, under any.

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
    guarded = Guarded(app, LOOPBACK if host in LOOPBACK else None)
    try:
        return make_wsgi_server(host, port, guarded, Server, _Quiet)
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
