"""A part of a search space that is small enough to be trained whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from gensynth.genome import Genome
from gensynth.space import Chooser, Residual, Value, decode, load_space
from gensynth.training import Recipe

ROOT = Path(__file__).parents[2]


class Steps(BaseModel):
    """Whole numbers from ``low`` to ``high``, both included, every ``step``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: int
    high: int
    step: Annotated[int, Field(ge=1)] = 1


Free = Steps | tuple[Value, ...]


class Specification(BaseModel):
    """What is trained, and how.

    Attributes:
        prototype: φ, by name; a decision that is neither free nor follows is φ's.
        search_space: The space, by name.
        image: Side of the images in pixels.
        free: Decisions of the space that are left, with what they can be.
        follow: Decisions that have the value of another one.
        train: Data seeds of the faces to train on.
        test: Data seeds of the faces to test on: other people.
        epochs: Passes over the training images.
        seeds: Training seeds; a network is trained once with each.
        recipe: How.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prototype: str
    search_space: str
    image: int
    free: Mapping[str, Free]
    follow: Mapping[str, str]
    train: tuple[int, ...]
    test: tuple[int, ...]
    epochs: int
    seeds: Annotated[tuple[int, ...], Field(min_length=2)]
    recipe: Recipe


class SubSpace:
    """The free part of a space, define-by-run; everything else about a network is settled."""

    def __init__(self, specification: Specification) -> None:
        self._free = specification.free
        self._follow = specification.follow
        prototype = _yaml("prototypes", specification.prototype)
        prototype["input"][1:] = [specification.image] * 2
        space = load_space(_yaml("search_spaces", specification.search_space), prototype)
        assert isinstance(space, Residual)
        self._space = space
        self._values: dict[str, Value] = dict(space.start)

    @property
    def start(self) -> dict[str, Value]:
        """φ's values of the free decisions."""
        return {name: self._values[name] for name in self._free}

    def ask(self, chooser: Chooser) -> dict[str, Value]:
        """Asks for a network.

        Args:
            chooser: Decides: an Optuna trial, for example.

        Returns:
            Value of every free decision that was asked.
        """
        narrowed = _Narrowed(chooser, self._free, self._follow, self._values)
        self._space.plan(narrowed)
        return narrowed.asked

    def genome(self, decisions: Mapping[str, Value]) -> Genome:
        """Builds the network of some free decisions; what they leave out is φ's."""
        values = self._values | dict(decisions)
        values |= {name: values[leader] for name, leader in self._follow.items()}
        return decode(self._space, values)

    def points(self) -> Iterator[dict[str, Value]]:
        """Every network of the sub-space, by the free decisions that it asks."""
        path: list[int] = []
        while True:
            walk = _Walk(path)
            yield self.ask(walk)
            path = walk.path
            while path and path[-1] + 1 == walk.sizes[len(path) - 1]:
                path.pop()
            if not path:
                return
            path[-1] += 1


class _Narrowed:
    """Passes the free questions on and answers the others."""

    def __init__(
        self,
        chooser: Chooser,
        free: Mapping[str, Free],
        follow: Mapping[str, str],
        values: Mapping[str, Value],
    ) -> None:
        self._chooser = chooser
        self._free = free
        self._follow = follow
        self._values = values
        self.asked: dict[str, Value] = {}

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        return int(self._decide(name))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        return float(self._decide(name))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._decide(name)

    def _decide(self, name: str) -> Value:
        name = self._follow.get(name, name)
        if name not in self._free:
            return self._values[name]
        if name not in self.asked:
            options = self._free[name]
            self.asked[name] = (
                self._chooser.suggest_int(name, options.low, options.high, step=options.step)
                if isinstance(options, Steps)
                else self._chooser.suggest_categorical(name, options)
            )
        return self.asked[name]


class _Walk:
    """Answers with the options of a path's indices, then with first ones; keeps the whole path."""

    def __init__(self, path: Sequence[int]) -> None:
        self._given = tuple(path)
        self.path: list[int] = []
        self.sizes: list[int] = []

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        return int(self._take(range(low, high + 1, step)))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        raise TypeError(f"{name} has no end of values")

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._take(choices)

    def _take(self, options: Sequence[Any]) -> Any:
        at = len(self.path)
        self.path.append(self._given[at] if at < len(self._given) else 0)
        self.sizes.append(len(options))
        return options[self.path[at]]


def _yaml(folder: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / folder / f"{name}.yaml").read_text())
    return found
