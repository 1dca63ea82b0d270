"""Search spaces: prototype, ranges and decisions in, a genome out; define-by-run."""

from gensynth.space.choosing import Chooser, Space, Value
from gensynth.space.decisions import Trace, decode, trace, unmeetable
from gensynth.space.loading import check_ranges, load_space
from gensynth.space.residual import Residual
from gensynth.space.residual_config import IntRange, ResidualConfig, StemRanges

__all__ = [
    "Chooser",
    "IntRange",
    "Residual",
    "ResidualConfig",
    "Space",
    "StemRanges",
    "Trace",
    "Value",
    "check_ranges",
    "decode",
    "load_space",
    "trace",
    "unmeetable",
]
