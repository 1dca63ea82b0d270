"""The generator G, the inquisitor I, and the sampler that brings them to Optuna."""

from gensynth.generator.assessment import HELD_OUT, Assessment, assess, assessed, best, pareto
from gensynth.generator.family import Member, budgets, family
from gensynth.generator.generator import Generator
from gensynth.generator.inquisitor import Inquisitor, Prediction
from gensynth.generator.proposal import Unsatisfiable
from gensynth.generator.sampler import GenerativeSynthesisSampler
from gensynth.generator.tracing import Plan, trace
from gensynth.generator.update import step

__all__ = [
    "HELD_OUT",
    "Assessment",
    "GenerativeSynthesisSampler",
    "Generator",
    "Inquisitor",
    "Member",
    "Plan",
    "Prediction",
    "Unsatisfiable",
    "assess",
    "assessed",
    "best",
    "budgets",
    "family",
    "pareto",
    "step",
    "trace",
]
