from .clock import Clock
from .jobs import Dispatcher, Job, JobSource
from .journal import Entry, Journal
from .progress import Best, Progress, Silent, Watcher
from .units import Phase, Rung, Unit, base_seed, cross_validation

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
