"""From a run directory to files: the networks of a search, in the formats of others."""

from gensynth.export.formats import FORMATS, Format, export
from gensynth.export.results import (
    ConfirmedFigure,
    Counts,
    FoundNetwork,
    Results,
    SearchFigure,
    UnseenFigure,
    best,
    load_results,
)
from gensynth.export.run import Run, newest

__all__ = [
    "FORMATS",
    "ConfirmedFigure",
    "Counts",
    "Format",
    "FoundNetwork",
    "Results",
    "Run",
    "SearchFigure",
    "UnseenFigure",
    "best",
    "export",
    "load_results",
    "newest",
]
