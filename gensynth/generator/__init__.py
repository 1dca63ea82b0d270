"""The generator G, the inquisitor I, and the sampler that brings them to Optuna."""

from gensynth.generator.generator import Generator
from gensynth.generator.inquisitor import Inquisitor, Prediction
from gensynth.generator.proposal import Unsatisfiable
from gensynth.generator.sampler import GenerativeSynthesisSampler
from gensynth.generator.tracing import Plan, trace
from gensynth.generator.update import step

__all__ = [
    "GenerativeSynthesisSampler",
    "Generator",
    "Inquisitor",
    "Plan",
    "Prediction",
    "Unsatisfiable",
    "step",
    "trace",
]
