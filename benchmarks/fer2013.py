"""FER2013 (Goodfellow et al. 2013) as it lies around: JPEG files in ``{train,test}/CLASS``.

The files of the test half are called ``PublicTest_…`` and ``PrivateTest_…``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from gensynth.data import Dataset, Fold
from gensynth.errors import UserError

CLASSES = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "sad": "sadness",
    "surprise": "surprise",
}
"""Class folders, and what their classes are called in the package."""


class Subset(BaseModel):
    """A part of FER2013 to train on.

    Attributes:
        train: Number of training images, drawn at random from all.
        seed: Of the draw.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: int = Field(ge=1)
    seed: int = Field(ge=0)


def load(root: Path, subset: Subset) -> tuple[Dataset, Fold]:
    """Some training images and all of the public test.

    Args:
        root: Folder that holds ``train`` and ``test``.
        subset: Which training images.

    Returns:
        The images and the one split.

    Raises:
        UserError: If there are no such files, or not so many.
    """
    train = _files(root / "train", "*")
    test = _files(root / "test", "PublicTest_*")
    if len(train) < subset.train or not test:
        raise UserError(
            f"{len(train)} training and {len(test)} public test images are too few",
            where=str(root),
            remedy="name the folder that holds FER2013's train and test",
        )
    order = np.random.default_rng(subset.seed).permutation(len(train))
    files = [*(train[index] for index in sorted(order[: subset.train])), *test]
    images = np.stack([np.asarray(Image.open(path).convert("L")) for path, _ in files])
    dataset = Dataset(
        name="fer2013",
        images=np.ascontiguousarray(images[:, None]),
        labels=np.asarray([label for _, label in files], dtype=np.int64),
        classes=tuple(CLASSES.values()),
        subjects=None,
        sequences=np.asarray([f"{path.parent.name}/{path.stem}" for path, _ in files]),
        source=root.name,
    )
    places = np.arange(len(files))
    return dataset, Fold(index=0, train=places[: subset.train], test=places[subset.train :])


def _files(folder: Path, pattern: str) -> list[tuple[Path, int]]:
    """Image files with the index of their class, in a fixed order."""
    return [
        (path, label)
        for label, name in enumerate(CLASSES)
        for path in sorted((folder / name).glob(pattern))
    ]
