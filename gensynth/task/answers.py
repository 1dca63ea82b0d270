"""What is true of test images, and what a network says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Labelled(Protocol):
    """What a task has to know of a data set."""

    @property
    def name(self) -> str:
        """Of the data set."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the label indices."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class index of each image, (N,)."""

    @property
    def votes(self) -> NDArray[np.float32] | None:
        """Share of each class among the votes on each image, (N, classes); None without votes."""

    @property
    def numbers(self) -> Mapping[str, NDArray[np.float64]]:
        """What else is measured of each image, by name, each (N,)."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is true of some test images, and who is on them.

    Attributes:
        images: Index of each image in the data set, int64 (N,).
        folds: Index of the fold that tests it, int64 (N,).
        targets: As the task has them, (N,) or (N, numbers).
        sequences: Sequence ID of each image, (N,).
        subjects: Subject ID of each image, (N,); None where nobody is known.
    """

    images: NDArray[np.int64]
    folds: NDArray[np.int64]
    targets: NDArray[Any]
    sequences: NDArray[np.str_]
    subjects: NDArray[np.str_] | None

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)

    @property
    def people(self) -> NDArray[np.str_]:
        """Who gives independent evidence: the subject of each image, or its sequence."""
        return self.sequences if self.subjects is None else self.subjects

    @classmethod
    def joined(cls, parts: Sequence[Truth]) -> Truth:
        """Several ones, of at least one, as one."""
        subjects = [part.subjects for part in parts if part.subjects is not None]
        return cls(
            images=np.concatenate([part.images for part in parts]),
            folds=np.concatenate([part.folds for part in parts]),
            targets=np.concatenate([part.targets for part in parts]),
            sequences=np.concatenate([part.sequences for part in parts]),
            subjects=np.concatenate(subjects) if len(subjects) == len(parts) else None,
        )


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a network says of some test images.

    Attributes:
        truth: What is true of them.
        predictions: In the same order, as the task decodes them.
        scores: What the results of the folds keep besides, by name, one value a fold.
    """

    truth: Truth
    predictions: NDArray[Any]
    scores: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.predictions) != len(self.truth):
            raise ValueError(f"{len(self.predictions)} predictions for {len(self.truth)} images")

    @property
    def targets(self) -> NDArray[Any]:
        """What should have been said."""
        return self.truth.targets

    @property
    def folds(self) -> tuple[int, ...]:
        """Indices of the folds, in order."""
        return tuple(np.unique(self.truth.folds).tolist())

    def and_of(self, truth: Truth, predictions: NDArray[Any]) -> Answers:
        """These answers and some about other images."""
        return Answers(
            truth=Truth.joined([self.truth, truth]),
            predictions=np.concatenate([self.predictions, predictions]),
        )
