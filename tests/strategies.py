"""Random networks for property-based tests."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gensynth.genome import OPERATIONS, Genome, Shape
from gensynth.genome.operations import ShapeError

ACTIVATIONS = (
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "gelu",
    "silu",
    "hard_swish",
    "sigmoid",
    "hard_sigmoid",
    "tanh",
)
OPS = (*OPERATIONS, "conv", "conv", "depthwise", "add", "add", "batch_norm", "relu")


def random_genome(rng: np.random.Generator, *, nodes: int = 16, side: int = 10) -> Genome:
    """A network of up to about ``nodes`` nodes with every op, residuals and several readers.

    Deterministic in the generator's state. Its layers are small: ``side`` pixels, few channels.
    """
    draw = _Draw(rng, side)
    for _ in range(nodes):
        draw.grow()
    return draw.finish()


def genomes(*, nodes: int = 16, side: int = 10) -> st.SearchStrategy[Genome]:
    """Random networks; examples shrink towards fewer nodes."""

    def make(seed: int, size: int) -> Genome:
        return random_genome(np.random.default_rng(seed), nodes=size, side=side)

    return st.builds(make, st.integers(0, 2**32 - 1), st.integers(1, nodes))


def generators() -> st.SearchStrategy[np.random.Generator]:
    return st.integers(0, 2**32 - 1).map(np.random.default_rng)


class _Draw:
    def __init__(self, rng: np.random.Generator, side: int) -> None:
        self.rng = rng
        self.shapes: dict[str, Shape] = {
            "input": (self.integer(1, 4), self.integer(4, side), self.integer(4, side))
        }
        self.nodes: list[dict[str, Any]] = []

    def integer(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def choice(self, options: Iterable[Any]) -> Any:
        listed = list(options)
        return listed[self.integer(0, len(listed) - 1)]

    def grow(self) -> None:
        op = self.choice(OPS)
        source = self.recent()
        if op in ("add", "concat"):
            self.merge(op)
        else:
            self.append(op, [source], **self.attributes(op, self.shapes[source]))

    def recent(self, among: Callable[[Shape], bool] = bool) -> str:
        """An earlier value, most often one of the last."""
        known = [name for name, shape in self.shapes.items() if among(shape)]
        return known[-min(int(self.rng.geometric(0.5)), len(known))]

    def merge(self, op: str) -> None:
        first = self.recent(lambda shape: len(shape) == 3)
        shape = self.shapes[first]
        first_shared = 0 if op == "add" else 1
        near = [
            name
            for name, other in self.shapes.items()
            if len(other) == 3 and other[first_shared:] == shape[first_shared:]
        ]
        if len(near) == 1:
            branch = self.append("conv", [first], out_channels=shape[0], kernel=3, padding=1)
            near += [branch] if branch else []
        others = [self.choice(near) for _ in range(self.integer(1, 3))]
        if sum(self.shapes[name][0] for name in others) < 40:
            self.append(op, [first, *others])

    def attributes(self, op: str, shape: Shape) -> dict[str, Any]:
        channels = shape[0]
        match op:
            case "conv":
                groups = self.choice(n for n in (1, 1, 2, channels) if channels % n == 0)
                return {
                    "out_channels": groups * self.integer(1, max(1, 8 // groups)),
                    "groups": groups,
                    **self.window(),
                    "dilation": self.choice([1, 1, 2, (2, 1)]),
                    "bias": self.choice([True, False]),
                }
            case "depthwise":
                return {
                    "out_channels": channels,
                    "groups": channels,
                    "bias": False,
                    **self.window(),
                }
            case "max_pool" | "avg_pool":
                return self.window()
            case "squeeze_excite":
                return {
                    "channels": self.integer(1, 2 * channels),
                    "activation": self.choice(ACTIVATIONS),
                    "gate": self.choice(["sigmoid", "hard_sigmoid"]),
                }
            case "dropout":
                return {"rate": self.choice([0.0, 0.1, 0.5])}
            case "linear":
                return {"out_features": self.integer(1, 9), "bias": self.choice([True, False])}
        return {}

    def window(self) -> dict[str, Any]:
        return {
            "kernel": self.choice([1, 2, 3, 3, 3, 4, 5, (1, 3), (3, 2)]),
            "stride": self.choice([1, 1, 1, 2, 3, (1, 2)]),
            "padding": self.choice(["same", "same", 0, 1, 1, 2, (1, 0)]),
        }

    def append(self, op: str, inputs: list[str], **attributes: Any) -> str | None:
        """Adds a node where its inputs allow it."""
        op = "conv" if op == "depthwise" else op
        name = f"n{len(self.nodes)}.{op}"
        written = {"id": name, "op": op, "inputs": inputs, **attributes}
        try:
            node = OPERATIONS[op].model_validate(written)
            shape = node.infer([self.shapes[source] for source in inputs])
        except ShapeError:
            return None
        self.shapes[name] = shape
        self.nodes.append(written)
        return name

    def finish(self) -> Genome:
        if not self.nodes:
            self.append("relu", ["input"])
        last = self.nodes[-1]["id"]
        if self.integer(0, 1) and len(self.shapes[last]) == 3:
            self.append("global_avg_pool", [last])
            self.append("flatten", [self.nodes[-1]["id"]])
            self.append("linear", [self.nodes[-1]["id"]], out_features=7)
        outputs = {self.nodes[-1]["id"]} | {
            self.choice(self.nodes)["id"] for _ in range(self.choice([0, 0, 0, 1, 2]))
        }
        used, kept = set(outputs), []
        for node in reversed(self.nodes):
            if node["id"] in used:
                used.update(node["inputs"])
                kept.append(node)
        channels, height, width = self.shapes["input"]
        return Genome.parse(
            {
                "input": {"channels": channels, "height": height, "width": width},
                "nodes": kept[::-1],
                "outputs": {f"out{number}": name for number, name in enumerate(sorted(outputs))},
            }
        )
