"""The search: Ray Tune executes, Optuna remembers, one process writes.

What a run goes through, by file:

* :mod:`~gensynth.search.experiment` says what is to be done, :mod:`~gensynth.search.setting` loads
  and checks all of it, :mod:`~gensynth.search.rundir` is where it is kept.
* :mod:`~gensynth.search.candidates` asks Optuna for networks and races them with the rules of
  :mod:`~gensynth.search.racing`; :mod:`~gensynth.search.confirm` trains the finalists again.
* Both give out jobs made of the units of :mod:`~gensynth.search.plan`, through the conductor of
  :mod:`~gensynth.search.work`, which knows the journal (:mod:`~gensynth.search.journal`) and
  nothing of Ray.
* :mod:`~gensynth.search.engine` has Ray Tune do the jobs, in workers that are
  :mod:`~gensynth.search.trainable`.
* :mod:`~gensynth.search.ledger` writes the study, :mod:`~gensynth.search.generators` and
  :mod:`~gensynth.search.results` the files; :mod:`~gensynth.search.run` is all of it in order.

An evaluation (:mod:`~gensynth.search.evaluation`, kept in an :mod:`~gensynth.search.evaldir`) gives
out jobs the same way; :mod:`~gensynth.search.choices` says which of its figures chose something.

Names are loaded when they are asked for, so that a worker does not import what only the driver
needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gensynth.search.engine import Interrupted
    from gensynth.search.evaldir import EvaluationDirectory
    from gensynth.search.evaluation import SEEDS, evaluate_network
    from gensynth.search.events import Best, Progress, Silent, Watcher
    from gensynth.search.experiment import (
        Budget,
        Confirm,
        Experiment,
        Fidelity,
        Folds,
        SamplerName,
    )
    from gensynth.search.journal import Entry, Journal
    from gensynth.search.plan import Rung, Unit, base_seed
    from gensynth.search.run import search
    from gensynth.search.setting import Setting, prepare

_HOMES = {
    "SEEDS": "evaluation",
    "Best": "events",
    "Budget": "experiment",
    "Confirm": "experiment",
    "Entry": "journal",
    "EvaluationDirectory": "evaldir",
    "Experiment": "experiment",
    "Fidelity": "experiment",
    "Folds": "experiment",
    "Interrupted": "engine",
    "Journal": "journal",
    "Progress": "events",
    "Rung": "plan",
    "SamplerName": "experiment",
    "Setting": "setting",
    "Silent": "events",
    "Unit": "plan",
    "Watcher": "events",
    "base_seed": "plan",
    "evaluate_network": "evaluation",
    "prepare": "setting",
    "search": "run",
}

__all__ = [
    "SEEDS",
    "Best",
    "Budget",
    "Confirm",
    "Entry",
    "EvaluationDirectory",
    "Experiment",
    "Fidelity",
    "Folds",
    "Interrupted",
    "Journal",
    "Progress",
    "Rung",
    "SamplerName",
    "Setting",
    "Silent",
    "Unit",
    "Watcher",
    "base_seed",
    "evaluate_network",
    "prepare",
    "search",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
