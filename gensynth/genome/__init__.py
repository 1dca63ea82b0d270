"""What a network is: typed, versioned data, with a hash that ignores how it is written."""

from gensynth.genome.files import dumps, json_schema, load, loads, save
from gensynth.genome.graph import INPUT, Genome, GenomeError, InputShape
from gensynth.genome.ops import (
    Activation,
    Add,
    BatchNorm,
    Concat,
    Conv,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Linear,
    Node,
    Operation,
    Pool,
    Shape,
    SqueezeExcite,
    Window,
)

__all__ = [
    "INPUT",
    "Activation",
    "Add",
    "BatchNorm",
    "Concat",
    "Conv",
    "Dropout",
    "Flatten",
    "Genome",
    "GenomeError",
    "GlobalAvgPool",
    "InputShape",
    "Linear",
    "Node",
    "Operation",
    "Pool",
    "Shape",
    "SqueezeExcite",
    "Window",
    "dumps",
    "json_schema",
    "load",
    "loads",
    "save",
]
