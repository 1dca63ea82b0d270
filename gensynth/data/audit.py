"""What has to be known of a data set before a figure on it is trusted.

People, and images that are nearly the same, in two parts of a split; labels that disagree on the
same image; parts that were taken or treated differently; classes that hardly occur.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gensynth.data.dataset import DataError, Dataset, Images
from gensynth.data.folders import images_below
from gensynth.data.images import read_image
from gensynth.data.partition import Fold

HASHED = 32
"""Side of the image that is hashed, in pixels."""

KEPT = 8
"""Side of the square of low frequencies whose signs are the hash."""

DISTANCE = 8
"""Bits of 63 by which hashes of one picture may differ."""

ALIKE = 0.98
"""Correlation of two pictures from which on they are taken for one."""

BLOCK = 512
"""Images compared with all others at a time."""

FLAT = 1.0
"""Standard deviation in gray levels below which a picture shows nothing to tell it by."""

SHARPNESS_RATIO = 1.5
"""Ratio of two parts' sharpness from which on they were treated differently."""


@dataclass(frozen=True)
class Duplicate:
    """Two images that are nearly the same.

    Attributes:
        first: Index of one.
        second: Index of the other, greater.
        mirrored: Whether one is the other's mirror image.
        across: Whether they are in different parts, so that one is trained on and one tested on.
        disagree: Whether they have different classes.
        sequence: Whether they are frames of one sequence.
    """

    first: int
    second: int
    mirrored: bool
    across: bool
    disagree: bool
    sequence: bool


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes:
        images: Number of images.
        classes: Images of each class.
        balance: Images of the most frequent class for each of the rarest.
        people: Number of people; None where nobody is known.
        across: People who are in several parts.
        duplicates: Pairs of nearly the same image.
        sharpness: Mean difference of neighbouring pixels in each part, in gray levels.
        skipped: What was left out when the data were read, and how often.
    """

    images: int
    classes: dict[str, int]
    balance: float
    people: int | None
    across: tuple[str, ...]
    duplicates: tuple[Duplicate, ...]
    sharpness: dict[str, float]
    skipped: dict[str, int] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        """The counts, as plain data."""
        leaks = [one for one in self.duplicates if one.across]
        return {
            "images": self.images,
            "classes": self.classes,
            "balance": self.balance,
            "people": self.people,
            "people_in_several_parts": len(self.across),
            "duplicates": len(self.duplicates),
            "duplicates_in_one_sequence": sum(one.sequence for one in self.duplicates),
            "duplicates_across_parts": len(leaks),
            "mirrored_across_parts": sum(one.mirrored for one in leaks),
            "labels_disagree": sum(one.disagree for one in self.duplicates),
            "sharpness": self.sharpness,
            "skipped": self.skipped,
        }

    @property
    def unlike_parts(self) -> bool:
        """Whether the parts' pictures differ as if they had been treated differently."""
        values = [value for value in self.sharpness.values() if value > 0]
        return bool(values) and max(values) > SHARPNESS_RATIO * min(values)


def audit(dataset: Dataset, folds: Sequence[Fold]) -> Audit:
    """Looks through a data set.

    Pictures are compared by the signs of their low frequencies (a perceptual hash: Zauner 2010,
    section 3.2.2), each with all others and with their mirror images; those whose hashes are near
    are compared by their pixels. That takes time with the square of the number of images, 36 000
    of them about a minute.

    Args:
        dataset: The images.
        folds: How they are split.
    """
    parts = parts_of(len(dataset), folds)
    counts = dataset.class_counts
    return Audit(
        images=len(dataset),
        classes=counts,
        balance=max(counts.values()) / max(1, min(counts.values())),
        people=None if dataset.subjects is None else len(np.unique(dataset.subjects)),
        across=_people_across(dataset, parts),
        duplicates=tuple(duplicates(dataset, parts)),
        sharpness={
            name: round(sharpness(dataset.images[mine]), 3)
            for name, mine in _named(dataset, parts).items()
        },
        skipped=dict(dataset.skipped),
    )


def parts_of(count: int, folds: Sequence[Fold]) -> NDArray[np.int64]:
    """Which part each image is in, (count,): the fold that tests it, -1 if none does."""
    parts = np.full(count, -1, dtype=np.int64)
    for fold in folds:
        parts[fold.test] = fold.index
    return parts


def duplicates(dataset: Dataset, parts: NDArray[np.int64]) -> Iterator[Duplicate]:
    """Pairs of nearly the same image, in order.

    Args:
        dataset: The images.
        parts: The part of each.
    """
    gray = _gray(dataset.images)
    plain, turned = hashes(gray), hashes(gray[:, :, ::-1])
    seen: set[tuple[int, int]] = set()
    for mirrored, others in ((False, plain), (True, turned)):
        for first, second in _near(plain, others):
            other = gray[second][:, ::-1] if mirrored else gray[second]
            if (first, second) in seen or not _alike(gray[first], other):
                continue
            seen.add((first, second))
            yield Duplicate(
                first=first,
                second=second,
                mirrored=mirrored,
                across=bool(parts[first] != parts[second]),
                disagree=bool(dataset.labels[first] != dataset.labels[second]),
                sequence=bool(dataset.sequences[first] == dataset.sequences[second]),
            )


def hashes(gray: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The perceptual hash of each image, (N,): what is above the median of its low frequencies.

    Args:
        gray: Images, (N, H, W).
    """
    from scipy.fft import dctn

    found = np.empty(len(gray), dtype=np.uint64)
    for start in range(0, len(gray), BLOCK):
        part = np.stack([_small(image) for image in gray[start : start + BLOCK]])
        low = dctn(part, axes=(1, 2))[:, :KEPT, :KEPT].reshape(len(part), -1)[:, 1:]
        bits = low > np.median(low, axis=1, keepdims=True)
        padded = np.pad(bits, ((0, 0), (1, 0)))
        found[start : start + BLOCK] = np.packbits(padded, axis=1).view(">u8")[:, 0]
    return found


def sharpness(images: Images) -> float:
    """Mean difference of neighbouring pixels, (N, C, H, W), in gray levels."""
    gaps = (
        float(np.abs(np.diff(images[start : start + BLOCK].astype(np.int16), axis=-1)).sum())
        for start in range(0, len(images), BLOCK)
    )
    count, channels, height, width = images.shape
    pixels: int = count * channels * height * (width - 1)
    return sum(gaps) / max(1, pixels)


def broken(folder: Path) -> tuple[Path, ...]:
    """Image files below a folder that cannot be read, in order."""
    return tuple(path for path in images_below(folder) if _is_broken(path))


def _is_broken(path: Path) -> bool:
    try:
        read_image(path, channels=1)
    except DataError:
        return True
    return False


def _named(dataset: Dataset, parts: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Images of each part by its name: the official parts, or the folds."""
    if dataset.splits is not None:
        return {str(name): dataset.splits == name for name in np.unique(dataset.splits)}
    return {f"fold {part}": parts == part for part in np.unique(parts).tolist() if part >= 0}


def _people_across(dataset: Dataset, parts: NDArray[np.int64]) -> tuple[str, ...]:
    if dataset.subjects is None:
        return ()
    pairs = np.unique(np.stack([dataset.subjects, parts.astype(str)], axis=1), axis=0)
    people, counts = np.unique(pairs[:, 0], return_counts=True)
    return tuple(people[counts > 1].tolist())


def _gray(images: Images) -> NDArray[np.uint8]:
    if images.shape[1] == 1:
        only: NDArray[np.uint8] = images[:, 0]
        return only
    mean: NDArray[np.uint8] = images.mean(axis=1).astype(np.uint8)
    return mean


def _small(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    small = Image.fromarray(image).resize((HASHED, HASHED), Image.Resampling.BILINEAR)
    return np.asarray(small, dtype=np.float64)


def _near(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> Iterator[tuple[int, int]]:
    """Pairs (i, j), i < j, whose hashes differ by few bits."""
    for start in range(0, len(first), BLOCK):
        apart = np.bitwise_count(first[start : start + BLOCK, None] ^ second[None, start:])
        rows, columns = np.nonzero(apart <= DISTANCE)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if row < column:
                yield start + row, start + column


def _alike(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> bool:
    one, other = (image.astype(np.float64) - image.mean() for image in (first, second))
    spreads = one.std() * other.std()
    if spreads < FLAT**2:
        return bool(np.array_equal(first, second))
    return bool((one * other).mean() / spreads >= ALIKE)
