"""The operations a genome is made of, a file a family: what each is, costs and computes.

Defaults are those of ``torch.nn``; a JSON genome always spells them out.
"""

from gensynth.genome.operations.activation import Activation, ActivationName
from gensynth.genome.operations.attention import SqueezeExcite
from gensynth.genome.operations.combination import Add, Concat
from gensynth.genome.operations.convolution import Conv
from gensynth.genome.operations.linear import Flatten, Linear
from gensynth.genome.operations.normalisation import BatchNorm, Dropout
from gensynth.genome.operations.operation import (
    OPERATIONS,
    Count,
    Counts,
    Node,
    NodeId,
    Operation,
    Shape,
    ShapeError,
    Weightless,
)
from gensynth.genome.operations.pooling import GlobalAvgPool, Pool
from gensynth.genome.operations.window import Window

__all__ = [
    "OPERATIONS",
    "Activation",
    "ActivationName",
    "Add",
    "BatchNorm",
    "Concat",
    "Conv",
    "Count",
    "Counts",
    "Dropout",
    "Flatten",
    "GlobalAvgPool",
    "Linear",
    "Node",
    "NodeId",
    "Operation",
    "Pool",
    "Shape",
    "ShapeError",
    "SqueezeExcite",
    "Weightless",
    "Window",
]
