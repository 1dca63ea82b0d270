"""Answers at random, from a seed or from Hypothesis."""

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


class Seeded:
    """Draws as Optuna's random sampler does."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self.decisions: dict[str, Any] = {}

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        if not log:
            whole = int(self._rng.integers(low, high, endpoint=True))
            return self._keep(name, low + (whole - low) // step * step)
        drawn = math.exp(self._rng.uniform(math.log(low - 0.5), math.log(high + 0.5)))
        return self._keep(name, min(max(round(drawn), low), high))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        return self._keep(name, float(self._rng.uniform(low, high)))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._keep(name, choices[int(self._rng.integers(len(choices)))])

    def _keep(self, name: str, value: T) -> T:
        assert name not in self.decisions, f"{name} is asked twice"
        self.decisions[name] = value
        return value


class Extreme(Seeded):
    """Draws ends of ranges only, which is where extremes are."""

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        return self._keep(name, (low, high)[int(self._rng.integers(2))])
