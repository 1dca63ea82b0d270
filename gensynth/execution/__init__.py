"""Execution: jobs are done, results are kept. Nothing here knows of Optuna.

* :mod:`~gensynth.execution.units` says what is trained: units, rungs, seeds.
* :mod:`~gensynth.execution.jobs` gives units of networks out to whoever trains them, and what
  comes back to whoever asked; it knows nothing of Ray.
* :mod:`~gensynth.execution.journal` keeps every fold that was ever trained.
* :mod:`~gensynth.execution.engine` has Ray Tune do the jobs, in workers that are
  :mod:`~gensynth.execution.trainable`, on the Ray of :mod:`~gensynth.execution.cluster`. These
  three import Ray, which takes a second, and are imported by their own names.
* :mod:`~gensynth.execution.clock` counts the time, :mod:`~gensynth.execution.progress` is what a
  person sees meanwhile, :mod:`~gensynth.execution.files` writes a file whole or not at all.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
