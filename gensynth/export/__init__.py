"""From a run directory to files: the networks of a search, in the formats of others."""

from gensynth.export.formats import FORMATS, Format, export
from gensynth.export.run import Run, newest, run_directories

__all__ = ["FORMATS", "Format", "Run", "export", "newest", "run_directories"]
