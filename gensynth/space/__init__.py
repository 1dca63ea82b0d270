"""Search spaces: prototype, ranges and decisions in, a genome out; define-by-run."""

from gensynth.space.choosing import MISFIT, Chooser, Space, Value
from gensynth.space.decisions import Point, decode, exact_violations, trace, unmeetable
from gensynth.space.kinds import SPACES, AnySpace, SpaceConfig
from gensynth.space.loading import check_ranges, load_space
from gensynth.space.open import Open, OpenConfig
from gensynth.space.residual import Residual
from gensynth.space.residual_config import IntRange, ResidualConfig, StemRanges

__all__ = [
    "MISFIT",
    "SPACES",
    "AnySpace",
    "Chooser",
    "IntRange",
    "Open",
    "OpenConfig",
    "Point",
    "Residual",
    "ResidualConfig",
    "Space",
    "SpaceConfig",
    "StemRanges",
    "Value",
    "check_ranges",
    "decode",
    "exact_violations",
    "load_space",
    "trace",
    "unmeetable",
]
