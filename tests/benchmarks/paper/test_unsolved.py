"""Sequences that nobody gets right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.paper.unsolved import Hard, unsolved
from gensynth.data import Dataset, Fold, folds
from gensynth.errors import UserError


@pytest.fixture(scope="module")
def data() -> Dataset:
    labels = np.repeat(np.arange(12, dtype=np.int64) % 3, 2)
    names = np.array([f"S{index // 4:03d}_{index // 2 % 2:03d}" for index in range(24)])
    return Dataset(
        name="shapes",
        images=np.zeros((24, 1, 4, 4), dtype=np.uint8),
        labels=labels,
        classes=("bar", "dot", "ring"),
        subjects=np.array([name[:4] for name in names]),
        sequences=names,
        synthetic=True,
    )


@pytest.fixture(scope="module")
def parts(data: Dataset) -> tuple[Fold, ...]:
    return folds(data, k=3)


def answered(data: Dataset, parts: tuple[Fold, ...], **wrong: int) -> dict[str, Any]:
    """An evaluation that is right but for so many images of some sequences, one class further."""
    left = dict(wrong)
    said = data.labels.copy()
    for image, sequence in enumerate(data.sequences):
        if left.get(str(sequence), 0):
            left[str(sequence)] -= 1
            said[image] = (said[image] + 1) % 3
    return {
        "name": "net",
        "folds": [
            {
                "fold": part.index,
                "truth": data.labels[part.test].tolist(),
                "predictions": said[part.test].tolist(),
            }
            for part in parts
        ],
    }


def test_only_what_hardly_anybody_gets_right_is_named(data, parts):
    first = answered(data, parts, S001_000=2, S002_001=2, S003_000=1)
    second = answered(data, parts, S001_000=2, S002_001=1)
    (never,) = unsolved([first, second], data, parts)
    assert never == Hard("S001_000", fold=1, truth="ring", taken_for="bar", right=0, answers=4)
    both = unsolved([first, second], data, parts, at_most=0.25)
    assert [(one.sequence, one.right, one.answers) for one in both] == [
        ("S001_000", 0, 4),
        ("S002_001", 1, 4),
    ]
    assert unsolved([answered(data, parts)], data, parts) == []


def test_other_images_are_refused(data, parts):
    other = answered(data, parts)
    other["folds"][0]["truth"][0] = 2 - other["folds"][0]["truth"][0]
    with pytest.raises(UserError, match="evaluated on other images"):
        unsolved([other], data, parts)
