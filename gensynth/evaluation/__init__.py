"""Evaluation: the whole cross-validation of one network, and what chose what.

* :mod:`~gensynth.evaluation.protocol` trains and judges one network.
* :mod:`~gensynth.evaluation.disclosure` says which test images chose the network and the recipe,
  and gives the figures on those that chose nothing.
* :mod:`~gensynth.evaluation.directory` is where an evaluation is kept.
"""

from gensynth.evaluation.directory import EvaluationDirectory
from gensynth.evaluation.protocol import SEEDS, evaluate_network

__all__ = ["SEEDS", "EvaluationDirectory", "evaluate_network"]
