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

from gensynth.execution.clock import Clock
from gensynth.execution.jobs import Dispatcher, Job, JobSource
from gensynth.execution.journal import Entry, Journal
from gensynth.execution.progress import Best, Progress, Silent, Watcher
from gensynth.execution.units import Phase, Rung, Unit, base_seed, cross_validation

__all__ = [
    "Best",
    "Clock",
    "Dispatcher",
    "Entry",
    "Job",
    "JobSource",
    "Journal",
    "Phase",
    "Progress",
    "Rung",
    "Silent",
    "Unit",
    "Watcher",
    "base_seed",
    "cross_validation",
]
