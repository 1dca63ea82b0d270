from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensynth.data import Dataset
from gensynth.task import Answers, Regression, Task, Truth

POSE = Regression(name="pose", numbers=("yaw", "roll"), unit="°")


def truth(targets: NDArray[Any], *, folds: int = 2, frames: int = 2) -> Truth:
    """Truth about images, so many in a row of one sequence, two sequences a subject."""
    count = len(targets)
    numbers = np.arange(count)
    return Truth(
        images=numbers,
        folds=numbers // frames % folds,
        targets=targets,
        sequences=np.array([f"s{number // frames}" for number in numbers]),
        subjects=np.array([f"p{number // frames // 2}" for number in numbers]),
    )


def said(targets: NDArray[Any], predictions: NDArray[Any], **options: int) -> Answers:
    return Answers(truth=truth(targets, **options), predictions=predictions)


def only(part: Truth, fold: int, *, others: bool = False) -> Truth:
    """The images of one fold, or of the others."""
    chosen = (part.folds == fold) != others
    assert part.subjects is not None
    return Truth(
        images=part.images[chosen],
        folds=part.folds[chosen],
        targets=part.targets[chosen],
        sequences=part.sequences[chosen],
        subjects=part.subjects[chosen],
    )


def tiny(count: int = 12, task: Task | None = None) -> Dataset:
    """Noise, of which a class and two numbers are known."""
    random = np.random.default_rng(3)
    data = Dataset(
        name="tiny",
        images=random.integers(0, 255, (count, 1, 8, 8), dtype=np.uint8),
        labels=np.arange(count) % 3,
        classes=("a", "b", "c"),
        subjects=np.array([f"p{index // 2}" for index in range(count)]),
        sequences=np.array([f"s{index}" for index in range(count)]),
        numbers={"yaw": random.normal(3, 5, count), "roll": random.normal(-20, 0.1, count)},
    )
    return data if task is None else data.asked(task)
