"""What a network costs, in closed form: nothing is allocated and nothing runs.

Conventions, all per image:

**Parameters** are what an optimiser trains: weights, biases, and scale and shift of batch
normalisation (2 a channel). Running statistics are not parameters; Keras, and papers that take its
total, count them (:func:`params_with_statistics`).

**Multiply-accumulates** (MACs) are those of convolutions (padding included), linear layers and the
two 1x1 layers of squeeze-excite. Biases, normalisation, activations, sums, pooling and the scaling
of squeeze-excite are not counted.

**Peak memory** is the most bytes of float32 activations that are alive at once when the nodes run
one after the other in the order of ``genome.nodes``:

* The image counts as a buffer. A buffer lives until its last reader has run; an output lives to
  the end.
* Batch normalisation, activations, dropout and flatten (operations that are ``in_place``) overwrite
  their input where no later node reads it and it is no output; otherwise they write a new buffer.
* Every other node writes a new buffer while all its inputs are alive. Squeeze-excite runs as four
  such steps: pool, reduce, expand, scale.
* Weights, padding and the scratch space of a particular kernel are not counted.

**Model bytes** are 4 for every value that inference has to store: all weights and biases once
batch normalisation is folded. A normalisation that is the only reader of a convolution becomes
that convolution's bias; any other keeps a scale and a shift a channel.

What one node adds to each of these is said by its operation, in :mod:`gensynth.genome.operations`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from gensynth.genome import INPUT, Genome, GenomeError, Operation, Shape
from gensynth.genome.operations import Counts

FLOAT_BYTES = 4

_SHOWN_ELSEWHERE = frozenset({"id", "op", "inputs", "out_channels", "out_features"})


@dataclass(frozen=True)
class Cost:
    """Static cost of a network, by the conventions of :mod:`gensynth.cost`.

    Attributes:
        params: Trained values.
        macs: Multiply-accumulates for one image.
        peak_memory: Bytes of float32 activations alive at once for one image.
        model_bytes: Bytes of float32 weights at inference.
    """

    params: int
    macs: int
    peak_memory: int
    model_bytes: int

    def metrics(self) -> dict[str, float]:
        """The figures by name, as bounds and objectives read them."""
        return {name: float(value) for name, value in asdict(self).items()}


STATIC_METRICS: tuple[str, ...] = tuple(field.name for field in fields(Cost))


@dataclass(frozen=True)
class Limits:
    """What a genome from a stranger may cost before anything is allocated for it.

    Attributes:
        params: Most parameters.
        macs: Most multiply-accumulates for one image.
        peak_memory: Most bytes of activations for one image.
        nodes: Most nodes.
    """

    params: int = 100_000_000
    macs: int = 100_000_000_000
    peak_memory: int = 2**30
    nodes: int = 10_000


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class LayerCost:
    """One line of the table that describes a network.

    Attributes:
        id: The node.
        op: Its operation.
        inputs: What it reads.
        shape: Shape of its output, per image.
        params: Its parameters.
        macs: Its multiply-accumulates.
        description: Its attributes in words.
    """

    id: str
    op: str
    inputs: tuple[str, ...]
    shape: Shape
    params: int
    macs: int
    description: str


def cost(genome: Genome) -> Cost:
    """Counts a network's parameters, multiply-accumulates, peak memory and model bytes.

    Linear in nodes and edges, and remembered with the genome.

    Args:
        genome: The network.

    Returns:
        Its cost.
    """
    known = genome.__dict__.get("_cost")
    if isinstance(known, Cost):
        return known
    found = genome.__dict__["_cost"] = _counted(genome)
    return found


def params_with_statistics(genome: Genome) -> int:
    """Parameters and running statistics of normalisation, Keras' total."""
    return cost(genome).params + sum(
        node.statistics(genome.input_shapes(node)) for node in genome.nodes
    )


def _counted(genome: Genome) -> Cost:
    shapes = genome.shapes
    counts = [
        node.counts(tuple([shapes[source] for source in node.inputs])) for node in genome.nodes
    ]
    params = sum([count.parameters for count in counts])
    return Cost(
        params=params,
        macs=sum([count.macs for count in counts]),
        peak_memory=FLOAT_BYTES * _peak_values(genome, counts),
        model_bytes=FLOAT_BYTES * (params - _values_folded_away(genome)),
    )


def check_limits(genome: Genome, limits: Limits = DEFAULT_LIMITS, *, where: str = "genome") -> None:
    """Refuses a network that costs more than its reader is willing to allocate.

    Args:
        genome: The network.
        limits: What it may cost.
        where: The file, for the error.

    Raises:
        GenomeError: One line with the first limit that is exceeded.
    """
    _refuse_above("nodes", len(genome.nodes), limits.nodes, where)
    found = cost(genome)
    for name in ("params", "macs", "peak_memory"):
        _refuse_above(name, getattr(found, name), getattr(limits, name), where)


def layer_table(genome: Genome) -> tuple[LayerCost, ...]:
    """Describes a network node by node, in the order in which they run."""
    return tuple(_layer(genome, node) for node in genome.nodes)


def _refuse_above(name: str, value: int, limit: int, where: str) -> None:
    if value > limit:
        raise GenomeError(f"{name} {value:,} exceed the limit of {limit:,}", where=where)


def _layer(genome: Genome, node: Operation) -> LayerCost:
    counts = node.counts(genome.input_shapes(node))
    return LayerCost(
        id=node.id,
        op=node.op,
        inputs=node.inputs,
        shape=genome.shapes[node.id],
        params=counts.parameters,
        macs=counts.macs,
        description=_describe(node),
    )


def _describe(node: Operation) -> str:
    """The attributes that no other column shows and that differ from their defaults."""
    words = []
    for name, field in type(node).model_fields.items():
        value: Any = getattr(node, name)
        if name in _SHOWN_ELSEWHERE or value == field.default:
            continue
        text = "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
        words.append(f"{name.replace('_', ' ')} {text}" if value is not False else f"no {name}")
    return ", ".join(words)


def _peak_values(genome: Genome, counts: Sequence[Counts]) -> int:
    nodes = genome.nodes
    sizes = {name: math.prod(shape) for name, shape in genome.shapes.items()}
    last_use = {source: at for at, node in enumerate(nodes) for source in node.inputs}
    last_use.update(dict.fromkeys(genome.outputs.values(), len(nodes)))
    alive = peak = sizes[INPUT]
    for at, (node, count) in enumerate(zip(nodes, counts, strict=True)):
        sources = node.inputs if len(node.inputs) == 1 else set(node.inputs)
        freed = sum([sizes[source] for source in sources if last_use[source] == at])
        if freed and node.in_place:
            continue
        peak = max(peak, alive + count.working_values)
        alive += sizes[node.id] - freed
    return peak


def _values_folded_away(genome: Genome) -> int:
    """How many values fewer there are once batch normalisation is folded into convolutions."""
    by_id = {node.id: node for node in genome.nodes}
    readers = Counter(source for node in genome.nodes for source in node.inputs)
    readers.update(genome.outputs.values())
    saved = 0
    for node in genome.nodes:
        source = by_id.get(node.inputs[0])
        if source is not None and readers[source.id] == 1:
            saved += node.folded_values(source)
    return saved
