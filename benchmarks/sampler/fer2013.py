"""FER2013 (Goodfellow et al. 2013) as it lies around: JPEG files in ``{train,test}/CLASS``.

The files are called after FER2013's three parts, ``Training_…``, ``PublicTest_…`` and
``PrivateTest_…``. Copies differ: in the one in ``archive`` of the repository
``anudeepkaddala/Facial-Expression-Predictor`` the training images are smoothed (neighbouring pixels
differ by 3.9 gray levels in the mean) and both tests are not (14.0 and 14.1), so that a network
trained on the one and tested on the others is tested on something else. :func:`sharpness` tells.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict

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


Part = Literal["Training", "PublicTest", "PrivateTest"]


class Parts(BaseModel):
    """Which parts of FER2013 are trained and tested on.

    Attributes:
        train: The training part.
        test: The test part.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: Part
    test: Part


def load(root: Path, parts: Parts) -> tuple[Dataset, Fold]:
    """Two parts of FER2013.

    Args:
        root: Folder that holds ``train`` and ``test``.
        parts: Which.

    Returns:
        The images and the one split.

    Raises:
        UserError: If a part has no images.
    """
    train, test = _files(root, parts.train), _files(root, parts.test)
    files = [*train, *test]
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
    return dataset, Fold(index=0, train=places[: len(train)], test=places[len(train) :])


def sharpness(images: NDArray[np.uint8]) -> float:
    """Mean difference of neighbouring pixels of images, (N, C, H, W), in gray levels."""
    return float(np.abs(np.diff(images.astype(np.int16), axis=-1)).mean())


def _files(root: Path, part: Part) -> list[tuple[Path, int]]:
    """Image files with the index of their class, in a fixed order."""
    found = [
        (path, label)
        for label, name in enumerate(CLASSES)
        for path in sorted(root.glob(f"*/{name}/{part}_*"))
    ]
    if not found:
        raise UserError(
            f"has no images of {part}",
            where=str(root),
            remedy="name the folder that holds FER2013's train and test",
        )
    return found
