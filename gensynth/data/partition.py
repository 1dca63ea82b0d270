"""Cross-validation folds, by subject unless others are asked for by name; official splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gensynth.data.dataset import SPLITS, DataError, Dataset

FoldBy = Literal["subject", "image", "official"]


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One split of a data set into images to train on and images to test on.

    Args:
        index: Number of the fold, from 0.
        train: Sorted ``int64`` indices of the training images.
        test: Sorted ``int64`` indices of the test images.
        chooses: Whether the test images are there to choose by, so that nothing is reported on
            them: those of the validation part of an official split.
    """

    index: int
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    chooses: bool = False


def reported(folds: Sequence[Fold]) -> tuple[Fold, ...]:
    """The folds on which a network is reported: all that are not there to choose by."""
    return tuple(fold for fold in folds if not fold.chooses)


def folds(
    dataset: Dataset, k: int = 10, by: FoldBy = "subject", order: int | None = None
) -> tuple[Fold, ...]:
    """Lay ``k`` folds over a data set.

    By subject, the protocol of the CK+ literature: subjects sorted by ID, subject ``i`` (from 0)
    goes to fold ``i mod k``, so nobody is in both parts of a fold. By image, image ``i`` goes to
    fold ``i mod k``: the same faces are then trained and tested on, and accuracies are not
    comparable with subject folds, which is why it has to be asked for by name.

    An ``order`` shuffles the subjects (or images) before they are dealt: fresh folds, for figures
    that do not depend on how the published ones happen to fall.

    Official, the split that a data set was published with (:attr:`Dataset.splits`), whatever ``k``:
    fold 0 is tested on the validation part and is there to choose by, fold 1 is tested on the test
    part and is there to report on. Both are trained on the training part. Where a data set has no
    validation part, a tenth of each class of its training part is taken for one, and training is on
    the rest: every tenth image, or drawn by the seed ``order``.

    A fold whose *test* part lacks a class is allowed (on CK+ the last fold has no fear); a fold
    whose *training* part lacks one is refused.

    Args:
        dataset: The data set to split.
        k: Number of folds, at least 2.
        by: ``"subject"``, ``"image"`` or ``"official"``.
        order: Seed of the shuffle; None deals in order, as published.

    Returns:
        The ``k`` folds; their test parts are disjoint and cover the data set.

    Raises:
        DataError: If a class has no images, subjects are unknown or fewer than ``k``, or the
            training part of a fold lacks a class.
    """
    if by not in get_args(FoldBy):
        raise DataError(
            f"cannot lay folds by {by!r}",
            where=dataset.name,
            remedy=f"use one of {', '.join(get_args(FoldBy))}",
        )
    if by == "official":
        return _official(dataset, order)
    if k < 2:
        raise DataError(f"{k} folds asked for", where=dataset.name, remedy="use at least 2")
    for name, count in dataset.class_counts.items():
        if count == 0:
            raise DataError(
                f"class {name!r} has no images",
                where=dataset.name,
                remedy="add images of it or remove the class",
            )
    place = _places_by_subject(dataset, k) if by == "subject" else _places_by_image(dataset, k)
    if order is not None:
        place = np.random.default_rng(order).permutation(place.max() + 1)[place]
    home = place % k
    laid = tuple(
        Fold(index=index, train=np.flatnonzero(home != index), test=np.flatnonzero(home == index))
        for index in range(k)
    )
    for fold in laid:
        _check_training_part(dataset, fold)
    return laid


def _official(dataset: Dataset, order: int | None) -> tuple[Fold, ...]:
    if dataset.splits is None:
        raise DataError(
            "has no official split",
            where=dataset.name,
            remedy="ask for folds by subject or image: folds.by=subject",
        )
    train, validation, test = (np.flatnonzero(dataset.splits == part) for part in SPLITS)
    if not len(validation):
        validation = _tenth(dataset, train, order)
        train = np.setdiff1d(train, validation)
    for part, images in zip(SPLITS, (train, validation, test), strict=True):
        if not len(images):
            raise DataError(f"the {part} part has no images", where=dataset.name)
    laid = (
        Fold(index=0, train=train, test=validation, chooses=True),
        Fold(index=1, train=train, test=test),
    )
    _check_training_part(dataset, laid[0])
    return laid


def _tenth(dataset: Dataset, images: NDArray[np.int64], order: int | None) -> NDArray[np.int64]:
    if order is not None:
        images = np.random.default_rng(order).permutation(images)
    mine = (images[dataset.labels[images] == label] for label in range(len(dataset.classes)))
    return np.sort(np.concatenate([one[9::10] for one in mine]))


def _places_by_subject(dataset: Dataset, k: int) -> NDArray[np.int64]:
    if dataset.subjects is None:
        raise DataError(
            "folds by subject need subject IDs and this data set has none",
            where=dataset.name,
            remedy="give data.pattern with a group (?P<subject>...), or ask for folds by image "
            "with folds.by=image",
        )
    subjects, position = np.unique(dataset.subjects, return_inverse=True)
    if len(subjects) < k:
        raise DataError(
            f"{len(subjects)} subjects are too few for {k} folds by subject",
            where=dataset.name,
            remedy=_fewer(len(subjects), "subjects"),
        )
    return position.astype(np.int64)


def _places_by_image(dataset: Dataset, k: int) -> NDArray[np.int64]:
    if len(dataset) < k:
        raise DataError(
            f"{len(dataset)} images are too few for {k} folds",
            where=dataset.name,
            remedy=_fewer(len(dataset), "images"),
        )
    return np.arange(len(dataset), dtype=np.int64)


def _fewer(most: int, what: str) -> str:
    return f"use at most {most} folds or more {what}" if most > 1 else f"use more {what}"


def _check_training_part(dataset: Dataset, fold: Fold) -> None:
    present = np.bincount(dataset.labels[fold.train], minlength=len(dataset.classes))
    for name, count in zip(dataset.classes, present, strict=True):
        if count == 0:
            raise DataError(
                f"the training part of fold {fold.index} has no image of class {name!r}",
                where=dataset.name,
                remedy="add subjects who show it, or change the number of folds",
            )
