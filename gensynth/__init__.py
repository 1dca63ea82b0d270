"""Generative synthesis of small neural networks under human constraints.

A human writes a prototype φ and an indicator function 1_r; gensynth learns a generator of networks
that satisfy it and hands back the Pareto front as networks to read, train and deploy.

The public names below are imported on first use, so that ``import gensynth`` stays quick.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gensynth.errors import GensynthError, UserError
    from gensynth.generator import GenerativeSynthesisSampler
    from gensynth.genome import Genome

__version__ = "0.1.0"

_EXPORTS = {
    "GenerativeSynthesisSampler": "gensynth.generator",
    "Genome": "gensynth.genome",
    "GensynthError": "gensynth.errors",
    "UserError": "gensynth.errors",
}

__all__ = ["GenerativeSynthesisSampler", "Genome", "GensynthError", "UserError", "__version__"]


def __getattr__(name: str) -> object:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
