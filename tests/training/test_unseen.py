"""Nothing of the test part enters a training."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from gensynth.data import Dataset, Fold
from gensynth.training import LocalContrast, Recipe, train_fold
from gensynth.training.fitting import fit
from tests.training.conftest import network


def scrambled(dataset: Dataset, part: np.ndarray, seed: int = 3) -> Dataset:
    """The data set with noise for the images of a part, and with other labels."""
    random = np.random.default_rng(seed)
    images, labels = dataset.images.copy(), dataset.labels.copy()
    images[part] = random.integers(0, 256, images[part].shape, dtype=np.uint8)
    labels[part] = (labels[part] + random.integers(1, 3, len(part))) % len(dataset.classes)
    return dataclasses.replace(dataset, images=images, labels=labels)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"average": 0.0, "flip_test": True},
        {"local_contrast": LocalContrast(window=0.3, floor=12)},
    ],
    ids=["averaged", "last weights", "local contrast"],
)
def test_scrambled_test_images_and_labels_change_nothing_in_a_training(
    shapes: Dataset,
    parts: tuple[Fold, ...],
    plain: Recipe,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
):
    fitted = []

    def noted(*arguments: Any, **options: Any) -> Any:
        fitted.append(fit(*arguments, **options))
        return fitted[-1]

    monkeypatch.setattr("gensynth.training.fold.fit", noted)
    recipe = plain.model_copy(update=changes)
    part = parts[1]
    first, second, third = (
        train_fold(network(dropout=0.2), data, part, epochs=2, seed=5, recipe=recipe)
        for data in (shapes, scrambled(shapes, part.test), scrambled(shapes, part.train[:9]))
    )
    states = [one.network.state_dict() for one in fitted]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    probe = torch.from_numpy(shapes.images)
    assert torch.equal(fitted[0].normalisation(probe), fitted[1].normalisation(probe))
    assert first.loss == second.loss
    assert first.scores["cross_entropy"] != second.scores["cross_entropy"]
    assert not all(torch.equal(states[0][name], states[2][name]) for name in states[0])
    assert first.loss != third.loss
