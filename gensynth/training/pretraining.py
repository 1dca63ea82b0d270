"""Weights to begin with: those of the same network trained on drawn faces first.

The faces are the project's own (:mod:`gensynth.data.synthetic`), so nothing comes from outside and
no real image is needed; a recipe that uses them is still one of its own, and says so.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from gensynth.data import EMOTIONS, Dataset, SyntheticConfig, load
from gensynth.data.synthetic import NUMBERS, drawn_from
from gensynth.errors import UserError
from gensynth.genome import Genome, dumps, loads
from gensynth.task import Task
from gensynth.training.fitting import fit
from gensynth.training.recipe import Pretraining, Recipe

CHANNELS = (1, 3)
LEAST, GREATEST = 16, 512
"""Sides of the faces that can be drawn, in pixels."""

_log = logging.getLogger(__name__)


def pretrained(genome: Genome, task: Task, recipe: Recipe, *, seed: int) -> Mapping[str, Tensor]:
    """What a network's training begins with under a recipe with ``pretraining``.

    The network is trained on drawn faces for the same task (those of its classes, where it has
    some), by the same recipe but for what :class:`Pretraining` sets. The result depends on nothing
    else, so a process keeps the last ones, for the folds of a cross-validation to begin with the
    same.

    Args:
        genome: The network.
        task: What it is asked.
        recipe: Resolved, with ``pretraining``.
        seed: Of the weights, the order, the augmentation and dropout; not of the faces.

    Returns:
        The state of the network, by name; not to be changed. Where the training diverges it is
        empty: such a network begins with drawn weights.
    """
    return _pretrained(dumps(genome), task, recipe, seed)


def check_pretraining(recipe: Recipe, dataset: Dataset) -> None:
    """Makes sure that faces like a data set's images can be drawn.

    Raises:
        UserError: If a recipe with ``pretraining`` meets images that are not square with sides of
            16 to 512 pixels, have neither 1 nor 3 channels, or show fewer than two of the classes
            that are drawn; or if the data are faces that it draws itself.
    """
    pretraining = recipe.pretraining
    if pretraining is None:
        return
    channels, height, width = dataset.image_shape
    off = "set training.pretraining=null"
    if height != width or not LEAST <= width <= GREATEST or channels not in CHANNELS:
        raise UserError(
            f"draws square faces of {LEAST} to {GREATEST} pixels and 1 or 3 channels, and "
            f"{dataset.name} has {channels}×{height}×{width}",
            where="training.pretraining",
            remedy=f"load the data so, or {off}",
        )
    problem = dataset.task.unlike(EMOTIONS, NUMBERS)
    if problem is not None:
        raise UserError(
            f"draws {', '.join(EMOTIONS)}, and {dataset.name} {problem}",
            where="training.pretraining",
            remedy=off,
        )
    seeds = range(pretraining.seed, pretraining.seed + pretraining.populations)
    if dataset.synthetic and dataset.source in map(drawn_from, seeds):
        raise UserError(
            f"draws the faces of {dataset.name} themselves",
            where="training.pretraining.seed",
            remedy=f"use one from {seeds.stop}",
        )


@lru_cache(maxsize=4)
def _pretrained(genome: str, task: Task, recipe: Recipe, seed: int) -> Mapping[str, Tensor]:
    network = loads(genome)
    pretraining = recipe.pretraining
    assert pretraining is not None
    images, targets = _faces(pretraining, network.input.shape, task)
    fitted = fit(
        network,
        images,
        targets,
        loss=task.objective(targets, smoothing=recipe.label_smoothing).loss,
        epochs=pretraining.epochs,
        seed=seed,
        recipe=pretraining.recipe(recipe),
    )
    if fitted.loss is None:
        _log.info("%s diverged on drawn faces and begins from scratch", network.name)
        return {}
    return fitted.network.state_dict()


@lru_cache(maxsize=1)
def _faces(pretraining: Pretraining, shape: tuple[int, ...], task: Task) -> tuple[Tensor, Tensor]:
    """Drawn faces that a task can be asked about, uint8 (N, C, H, W), and their targets."""
    same = {"size": shape[1], "channels": shape[0], "frames": 1}
    parts = [
        load(SyntheticConfig.model_validate({**same, "seed": pretraining.seed + number}))
        for number in range(pretraining.populations)
    ]
    targets = np.concatenate([task.targets(part) for part in parts])
    images = np.concatenate([part.images for part in parts])
    known = task.known(targets)
    return torch.from_numpy(images[known]), torch.from_numpy(targets[known])
