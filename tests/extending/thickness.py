"""A kind of search space: a prototype, all of its convolutions made thinner by one factor."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from optuna.distributions import BaseDistribution, IntDistribution

from gensynth.genome import Conv, Genome
from gensynth.prototype import Classes, expand
from gensynth.space import SPACES, Chooser, Space, SpaceConfig, Value


@SPACES.register
class Thickness(SpaceConfig):
    """How many eighths of its width the prototype may keep."""

    kind: Literal["thickness"] = "thickness"
    least: int = 1

    def around(self, prototype: Mapping[str, Any], classes: Classes | None) -> Space:
        return Thinned(expand(prototype, classes), self.least)


@dataclass
class Thinned:
    """The prototype at so many eighths of its width."""

    prototype: Genome
    least: int
    name: str = "thickness"

    @property
    def distributions(self) -> Mapping[str, BaseDistribution]:
        """The one decision."""
        return {"eighths": IntDistribution(self.least, 8)}

    @property
    def start(self) -> Mapping[str, Value]:
        """The prototype itself."""
        return {"eighths": 8}

    def complete(self, decisions: Mapping[str, Value]) -> dict[str, Value]:
        """All of the width where nothing is said."""
        return {**self.start, **decisions}

    def extremes(self) -> Mapping[str, tuple[Genome, Genome]]:
        """Every cost grows with the width."""
        ends = self._at(self.least), self._at(8)
        return dict.fromkeys(("params", "macs", "peak_memory", "model_bytes"), ends)

    def __call__(self, chooser: Chooser) -> Genome:
        """Asks for the width and builds the network."""
        return self._at(chooser.suggest_int("eighths", self.least, 8))

    def _at(self, eighths: int) -> Genome:
        nodes = [
            {**node.model_dump(), "out_channels": max(1, node.out_channels * eighths // 8)}
            if isinstance(node, Conv)
            else node.model_dump()
            for node in self.prototype.nodes
        ]
        return Genome.parse({**self.prototype.model_dump(), "nodes": nodes})
