"""The search: ask, refuse or train, tell; confirm; write down. One process writes.

What a run goes through, by file:

* :mod:`~gensynth.search.preparation` loads and checks all that an experiment names;
  :mod:`~gensynth.search.run_directory` is where the run is kept.
* :mod:`~gensynth.search.candidates` asks Optuna for networks and races them by the rules of
  :mod:`~gensynth.search.racing`; :mod:`~gensynth.search.confirmation` trains the finalists again.
  Both are sources of jobs for :mod:`gensynth.execution`.
* :mod:`~gensynth.search.study` is what is written to the Optuna study and read back.
* :mod:`~gensynth.search.generator_files` and :mod:`~gensynth.search.results` write the files;
  :mod:`~gensynth.search.run` is all of it in order.

Names are loaded when they are asked for, so that whoever reads a study does not import what only a
search needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gensynth.search.preparation import Setting, prepare
    from gensynth.search.run import search

_HOMES = {"Setting": "preparation", "prepare": "preparation", "search": "run"}

__all__ = ["Setting", "prepare", "search"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
