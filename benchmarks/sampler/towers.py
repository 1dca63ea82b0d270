"""A closed-form stand-in for networks: towers of layers with a cost and an accuracy."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log10
from typing import Any

PARAMS = 60_000
ACCURACY = 0.7
START = {
    f"stage{stage}.{name}": value
    for stage, width in enumerate((16, 32, 64))
    for name, value in {
        "layers": 5,
        **{f"width{layer}": width for layer in range(6)},
        **{f"kernel{layer}": 3 for layer in range(6)},
        "separable": False,
    }.items()
}


@dataclass(frozen=True)
class Tower:
    """Its stages: (width, kernel) of every layer, and whether the stage is separable."""

    stages: tuple[tuple[tuple[tuple[int, int], ...], bool], ...]

    @property
    def params(self) -> int:
        total, before = 0, 1
        for layers, separable in self.stages:
            for width, kernel in layers:
                full = before * width * kernel**2
                total += before * kernel**2 + before * width if separable else full
                before = width
        return total

    @property
    def accuracy(self) -> float:
        """Grows with width and depth and saturates; each stage has a kernel that suits it."""
        lost = 0.0
        for (layers, separable), best, wanted in zip(
            self.stages, (5, 3, 3), (12, 24, 40), strict=True
        ):
            capacity = sum(min(width / wanted, 1.5) for width, _ in layers)
            misfits = sum(kernel != best for _, kernel in layers) / len(layers)
            lost += exp(-0.7 * capacity) + 0.08 * misfits + 0.02 * separable
        return 0.95 * exp(-0.5 * lost)


def define(trial: Any) -> Tower:
    """The space: three stages of one to six layers."""
    stages = []
    for stage in range(3):
        layers = tuple(
            (
                trial.suggest_int(f"stage{stage}.width{layer}", 4, 96, log=True),
                trial.suggest_categorical(f"stage{stage}.kernel{layer}", [1, 3, 5]),
            )
            for layer in range(trial.suggest_int(f"stage{stage}.layers", 1, 6))
        )
        separable = trial.suggest_categorical(f"stage{stage}.separable", [False, True])
        stages.append((layers, separable))
    return Tower(tuple(stages))


def violations(tower: Tower) -> Mapping[str, float]:
    """Static violations, <= 0 when met."""
    return {"params.max": tower.params / PARAMS - 1}


def performance(tower: Tower) -> float:
    """NetScore of accuracy and parameters, in dB."""
    return 20 * log10((100 * tower.accuracy) ** 2 / (tower.params / 1e6) ** 0.5)


def missing(tower: Tower) -> float:
    """Violation of the accuracy bound."""
    return (ACCURACY - tower.accuracy) / ACCURACY
