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

The room can be called: ``gensynth.search(constraint="nano_b")`` is :func:`gensynth.api.search`.
"""

import importlib
import sys
from types import ModuleType
from typing import Any

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


class _Callable(ModuleType):
    """A verb and its room have one name, and importing the room may not hide the verb."""

    def __call__(self, *words: str, **arguments: Any) -> Any:
        return importlib.import_module("gensynth.api").search(*words, **arguments)


sys.modules[__name__].__class__ = _Callable
