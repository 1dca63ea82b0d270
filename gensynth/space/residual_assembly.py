"""From the plan of a residual network to its genome."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from gensynth.genome import (
    INPUT,
    Activation,
    Add,
    BatchNorm,
    Conv,
    Flatten,
    Genome,
    GlobalAvgPool,
    InputShape,
    Linear,
    Operation,
    Pool,
)
from gensynth.prototype import OUTPUT, Classes


@dataclass(frozen=True)
class Module:
    """Two convolutions.

    Attributes:
        sources: Outputs of the stage that are read; of the first module, those of the stage before
            (of the first stage, the stem).
        inner: Channels between the convolutions.
        kernels: Window sizes of the inner and the outer one in pixels.
        separable: Whether they are depthwise-separable.
    """

    sources: tuple[int, ...]
    inner: int
    kernels: tuple[int, int]
    separable: bool


@dataclass(frozen=True)
class Stage:
    """Modules that work at one resolution.

    Attributes:
        width: Output channels of each module.
        modules: The modules that are part of the network, by their number from 1.
        projection: Outputs of the stage before that the long-range convolution reads; None where
            there is none.
        joined: Modules of the stage before whose inner outputs it reads as well.
        exit: Outputs that the classifier reads; only of the last stage.
    """

    width: int
    modules: Mapping[int, Module]
    projection: tuple[int, ...] | None = None
    joined: tuple[int, ...] = ()
    exit: tuple[int, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A residual network in a dozen numbers a stage.

    Attributes:
        normalised: Whether batch normalisation follows convolutions; they have biases otherwise.
        activation: The non-linearity.
        before: Whether a module's shortcut joins before its activation; there is none otherwise.
        stem_kernel: Window size of the first convolution in pixels.
        stem_stride: Its step in pixels.
        stages: The stages.
        columns: How many such networks stand side by side.
        grid: Cells along each side of the picture, at most, over each of which the last maps are
            averaged; 1 averages over all of it.
    """

    normalised: bool
    activation: str
    before: bool
    stem_kernel: int
    stem_stride: int
    stages: tuple[Stage, ...]
    columns: int = 1
    grid: int = 1


def assemble(plan: Plan, *, image: InputShape, classes: Classes, **labels: Any) -> Genome:
    """Writes out the network of a plan.

    Nodes stand in the order in which they should run. A long-range convolution runs as soon as
    everything that it reads is there: its output is a quarter of the size of the maps that would
    otherwise have to be kept for it. A sum is computed once, for its first reader.

    Args:
        plan: The network.
        image: Shape of the input.
        classes: Outputs of the classifier, or of each head by its name.
        labels: Name and provenance.

    Returns:
        The genome. Nodes are named after what they are part of: ``stage1.module2.inner.conv``, of
        a second column ``column2.stage1.module2.inner.conv``.
    """
    assembly = _Assembly(plan, image)
    assembly.stem()
    for number in range(1, len(plan.stages) + 1):
        assembly.stage(number)
    heads = assembly.heads(classes)
    nodes, outputs = _side_by_side(assembly.nodes, heads, plan.columns)
    return Genome.constructed(input=image, nodes=nodes, outputs=outputs, **labels)


def _side_by_side(
    column: list[Operation], heads: dict[str, str], columns: int
) -> tuple[Any, dict[str, str]]:
    """The nodes of so many columns, and those that add up what each head says."""
    if columns == 1:
        return tuple(column), heads
    nodes = list(column)
    for number in range(2, columns + 1):
        names = {node.id: f"column{number}.{node.id}" for node in column}
        nodes += [
            node.model_copy(
                update={
                    "id": names[node.id],
                    "inputs": tuple(names.get(source, source) for source in node.inputs),
                }
            )
            for node in column
        ]
    outputs = {}
    for name, last in heads.items():
        ends = [last, *(f"column{number}.{last}" for number in range(2, columns + 1))]
        outputs[name] = "columns" if len(heads) == 1 else f"{name}.columns"
        nodes.append(_node(Add, id=outputs[name], inputs=tuple(ends)))
    return tuple(nodes), outputs


@lru_cache(maxsize=2**14)
def _node(model: type[Operation], **attributes: Any) -> Operation:
    return model(**attributes)


@dataclass
class _Assembly:
    """The nodes written so far.

    Attributes:
        plan: The network.
        image: Shape of the input.
        nodes: In the order in which they run.
        outputs: Node of each output of a stage, by (stage, module); module 0 is its entry.
        inners: Node of each inner output, by (stage, module).
        sums: Node of each sum, by its terms.
    """

    plan: Plan
    image: InputShape
    nodes: list[Operation] = field(default_factory=list)
    outputs: dict[tuple[int, int], str] = field(default_factory=dict)
    inners: dict[tuple[int, int], str] = field(default_factory=dict)
    sums: dict[frozenset[str], str] = field(default_factory=dict)

    def stem(self) -> None:
        plan = self.plan
        last = self.conv(
            "stem", INPUT, plan.stages[0].width, kernel=plan.stem_kernel, stride=plan.stem_stride
        )
        self.outputs[1, 0] = self.activation("stem", last)
        self.project_from(1)

    def stage(self, number: int) -> None:
        for module in sorted(self.plan.stages[number - 1].modules):
            self.module(number, module)

    def module(self, number: int, module: int) -> None:
        """Writes a module and, where it completes what the next projection reads, that one."""
        stage = self.plan.stages[number - 1]
        design = stage.modules[module]
        here = f"stage{number}.module{module}"
        first = module == 1
        read_from = number - 1 if first and number > 1 else number
        source = self.sum(here, [self.outputs[read_from, output] for output in design.sources])
        channels = self.plan.stages[read_from - 1].width
        stride = 2 if read_from < number else 1
        wide, tall = design.kernels
        inner = f"{here}.inner"
        last = self.layer(inner, source, (channels, design.inner), wide, stride, design.separable)
        self.inners[number, module] = hidden = self.activation(inner, last)
        self.project_from(number)
        outer = f"{here}.outer"
        last = self.layer(outer, hidden, (design.inner, stage.width), tall, 1, design.separable)
        if self.plan.before:
            shortcut = self.outputs[number, 0] if read_from < number else source
            last = self.add(_node(Add, id=f"{here}.add", inputs=(last, shortcut)))
            outer = here
        self.outputs[number, module] = self.activation(outer, last)
        self.project_from(number)

    def project_from(self, number: int) -> None:
        """Writes the long-range convolution out of a stage once all that it reads is there."""
        after = number + 1
        if number == len(self.plan.stages) or (after, 0) in self.outputs:
            return
        stage = self.plan.stages[number]
        if stage.projection is None:
            return
        wanted = [self.outputs.get((number, output)) for output in stage.projection]
        wanted += [self.inners.get((number, module)) for module in stage.joined]
        ready = [node for node in wanted if node is not None]
        if len(ready) == len(wanted):
            here = f"stage{after}.projection"
            source = self.sum(here, ready)
            self.outputs[after, 0] = self.conv(here, source, stage.width, kernel=1, stride=2)
            self.project_from(after)

    def heads(self, classes: Classes) -> dict[str, str]:
        """Writes the linear layers at the end; returns the node of each output."""
        number = len(self.plan.stages)
        read = [self.outputs[number, output] for output in self.plan.stages[-1].exit]
        pooled = self.pool(self.sum("pool", read))
        flat = self.add(_node(Flatten, id="flatten", inputs=(pooled,)))
        if isinstance(classes, int):
            classes, named = {OUTPUT: classes}, {OUTPUT: "classifier"}
        else:
            named = {name: f"{name}.linear" for name in classes}
        return {
            name: self.add(_node(Linear, id=named[name], inputs=(flat,), out_features=size))
            for name, size in classes.items()
        }

    def pool(self, source: str) -> str:
        """Averages over the cells of the grid, as equal ones as windows of one size can be."""
        if self.plan.grid == 1:
            return self.add(_node(GlobalAvgPool, id="pool", inputs=(source,)))
        sides = [self.image.height, self.image.width]
        for stride in (self.plan.stem_stride, *[2] * (len(self.plan.stages) - 1)):
            sides = [math.ceil(side / stride) for side in sides]
        window = tuple(math.ceil(side / self.plan.grid) for side in sides)
        shape = {"kernel": window, "stride": window, "padding": "same"}
        return self.add(_node(Pool, id="pool", op="avg_pool", inputs=(source,), **shape))

    def layer(
        self,
        here: str,
        source: str,
        channels: tuple[int, int],
        kernel: int,
        stride: int,
        separable: bool,
    ) -> str:
        """A convolution with normalisation.

        A separable one has nothing between its two halves (as in Xception: Chollet 2017,
        arXiv:1610.02357, section 4.7). Of a 1x1 window the depthwise half would be one factor a
        channel: it is left out.
        """
        before, after = channels
        if not separable or kernel == 1:
            return self.conv(here, source, after, kernel=kernel, stride=stride)
        depthwise = _node(
            Conv,
            id=f"{here}.depthwise",
            inputs=(source,),
            out_channels=before,
            kernel=kernel,
            stride=stride,
            padding=kernel // 2,
            groups=before,
            bias=False,
        )
        return self.conv(here, self.add(depthwise), after, kernel=1, stride=1)

    def conv(self, here: str, source: str, width: int, *, kernel: int, stride: int) -> str:
        normalised = self.plan.normalised
        node = _node(
            Conv,
            id=f"{here}.conv",
            inputs=(source,),
            out_channels=width,
            kernel=kernel,
            stride=stride,
            padding=kernel // 2,
            bias=not normalised,
        )
        last = self.add(node)
        if normalised:
            last = self.add(_node(BatchNorm, id=f"{here}.norm", inputs=(last,)))
        return last

    def activation(self, here: str, source: str) -> str:
        name = self.plan.activation
        return self.add(_node(Activation, id=f"{here}.{name}", op=name, inputs=(source,)))

    def sum(self, reader: str, terms: Sequence[str]) -> str:
        """The node that holds the sum of ``terms``."""
        if len(terms) == 1:
            return terms[0]
        key = frozenset(terms)
        if key not in self.sums:
            self.sums[key] = self.add(_node(Add, id=f"{reader}.sum", inputs=tuple(terms)))
        return self.sums[key]

    def add(self, node: Operation) -> str:
        self.nodes.append(node)
        return node.id
