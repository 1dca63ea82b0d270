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
from gensynth.data.synthetic import drawn_from
from gensynth.errors import UserError
from gensynth.genome import Genome, dumps, loads
from gensynth.training.fitting import fit
from gensynth.training.recipe import Pretraining, Recipe

CHANNELS = (1, 3)
LEAST, GREATEST = 16, 512
"""Sides of the faces that can be drawn, in pixels."""

_log = logging.getLogger(__name__)


def pretrained(
    genome: Genome, classes: tuple[str, ...], recipe: Recipe, *, seed: int
) -> Mapping[str, Tensor]:
    """What a network's training begins with under a recipe with ``pretraining``.

    The network is trained on drawn faces of the classes that the data name, by the same recipe but
    for what :class:`Pretraining` sets. The result depends on nothing else, so a process keeps the
    last ones, for the folds of a cross-validation to begin with the same.

    Args:
        genome: The network.
        classes: Names of its outputs, in order.
        recipe: Resolved, with ``pretraining``.
        seed: Of the weights, the order, the augmentation and dropout; not of the faces.

    Returns:
        The state of the network, by name; not to be changed. Where the training diverges it is
        empty: such a network begins with drawn weights.
    """
    return _pretrained(dumps(genome), classes, recipe, seed)


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
    if len(set(dataset.classes) & set(EMOTIONS)) < 2:
        raise UserError(
            f"draws {', '.join(EMOTIONS)}, and {dataset.name} has fewer than two of these classes",
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
def _pretrained(
    genome: str, classes: tuple[str, ...], recipe: Recipe, seed: int
) -> Mapping[str, Tensor]:
    network = loads(genome)
    pretraining = recipe.pretraining
    assert pretraining is not None
    images, labels = _faces(pretraining, network.input.shape, classes)
    fitted = fit(
        network,
        images,
        labels,
        epochs=pretraining.epochs,
        seed=seed,
        recipe=pretraining.recipe(recipe),
    )
    if fitted.loss is None:
        _log.info("%s diverged on drawn faces and begins from scratch", network.name)
        return {}
    return fitted.network.state_dict()


@lru_cache(maxsize=1)
def _faces(
    pretraining: Pretraining, shape: tuple[int, ...], classes: tuple[str, ...]
) -> tuple[Tensor, Tensor]:
    """Drawn faces of the classes named, uint8 (N, C, H, W), and their indices, int64 (N,)."""
    same = {"size": shape[1], "channels": shape[0], "frames": 1}
    parts = [
        load(SyntheticConfig.model_validate({**same, "seed": pretraining.seed + number}))
        for number in range(pretraining.populations)
    ]
    names = np.concatenate([np.asarray(part.classes)[part.labels] for part in parts])
    images = np.concatenate([part.images for part in parts])
    known = np.isin(names, classes)
    labels = [classes.index(name) for name in names[known].tolist()]
    return torch.from_numpy(images[known]), torch.tensor(labels)
