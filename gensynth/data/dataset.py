"""What a data set *is* to the rest of gensynth: one array of images and who and what is on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensynth.errors import UserError
from gensynth.task import Classification, Task

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
Names = NDArray[np.str_]
Numbers = NDArray[np.float64]
Votes = NDArray[np.float32]

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")
"""Parts of an official split: to train on, to choose by, to report on."""

EMOTIONS: tuple[str, ...] = (
    "anger",
    "contempt",
    "disgust",
    "fear",
    "happy",
    "sadness",
    "surprise",
)
"""The seven expressions of CK+ in the order of its label codes 1 to 7 (Lucey et al. 2010)."""

NEUTRAL = "neutral"
"""The class of label code 0; data sets that have it list it before the seven expressions."""


class DataError(UserError):
    """A data set that is missing, broken or unfit for what was asked of it."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Labelled face images, held in memory as one contiguous array that processes can share.

    Args:
        name: Short name, as shown in banners and reports.
        images: ``uint8`` array of shape ``(N, C, H, W)``, C-contiguous; C is 1 (gray) or 3 (RGB).
        labels: ``int64`` array of shape ``(N,)``, indices into ``classes``.
        classes: Class names, in the order of the label indices.
        subjects: Subject ID of each image, shape ``(N,)``, or ``None`` where nobody is known.
        sequences: Sequence ID of each image, shape ``(N,)``. Images of one sequence show the same
            expression of the same person moments apart, so they count as one piece of evidence.
        synthetic: Whether the faces are drawn rather than photographed.
        source: Where the images come from, for people to read (a folder, or a seed).
        numbers: What is measured of each image, by name, each ``float64`` of shape ``(N,)``.
        votes: Share of each class among those who labelled an image, ``float32`` of shape
            ``(N, classes)``, or ``None`` where only one label is known.
        splits: Official part of each image, of ``SPLITS``, shape ``(N,)``, or ``None`` without one.
        skipped: What was left out when the data were read, in words, and how often.
        task: What is asked about the images; which class they are of, unless it is said.

    Raises:
        ValueError: If the arrays do not fit together as described above.
        UserError: If the data do not know what the task asks for.
    """

    name: str
    images: Images
    labels: Labels
    classes: tuple[str, ...]
    subjects: Names | None
    sequences: Names
    synthetic: bool = False
    source: str = ""
    numbers: Mapping[str, Numbers] = field(default_factory=dict)
    votes: Votes | None = None
    splits: Names | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)
    task: Task = field(default_factory=Classification)

    def __post_init__(self) -> None:
        count = len(self.images)
        if self.images.dtype != np.uint8 or self.images.ndim != 4:
            raise ValueError("images must be uint8 of shape (N, C, H, W)")
        if not self.images.flags.c_contiguous:
            raise ValueError("images must be C-contiguous")
        if self.labels.dtype != np.int64 or self.labels.shape != (count,):
            raise ValueError(f"labels must be int64 of shape ({count},)")
        if count and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise ValueError("labels must be indices into classes")
        if self.sequences.shape != (count,):
            raise ValueError(f"sequences must have shape ({count},)")
        if self.subjects is not None and self.subjects.shape != (count,):
            raise ValueError(f"subjects must have shape ({count},)")
        for name, values in self.numbers.items():
            if values.dtype != np.float64 or values.shape != (count,):
                raise ValueError(f"numbers {name!r} must be float64 of shape ({count},)")
        if self.votes is not None and (
            self.votes.dtype != np.float32 or self.votes.shape != (count, len(self.classes))
        ):
            raise ValueError(f"votes must be float32 of shape ({count}, {len(self.classes)})")
        if self.splits is not None and (
            self.splits.shape != (count,) or not set(np.unique(self.splits)) <= set(SPLITS)
        ):
            raise ValueError(f"splits must be of {', '.join(SPLITS)} and have shape ({count},)")
        object.__setattr__(self, "task", self.task.of(self))

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)

    def asked(self, task: Task) -> Dataset:
        """The same images with another question.

        Raises:
            UserError: If the data do not know what the task asks for.
        """
        return replace(self, task=task)

    @property
    def targets(self) -> NDArray[Any]:
        """The task's right answer for each image, (N,) or (N, numbers)."""
        return self.task.targets(self)

    @property
    def lessons(self) -> NDArray[Any]:
        """What training is taught of each image, see :meth:`gensynth.task.Task.lessons`."""
        return self.task.lessons(self)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """``(channels, height, width)`` of every image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    @property
    def class_counts(self) -> dict[str, int]:
        """Number of images of each class, in the order of ``classes``."""
        counts = np.bincount(self.labels, minlength=len(self.classes))
        return {name: int(count) for name, count in zip(self.classes, counts, strict=True)}

    @property
    def contents(self) -> str:
        """One line for banners: the classes with their counts, the first twenty of many."""
        counts = [f"{name} {count}" for name, count in self.class_counts.items()]
        more = f", … ({len(counts)} classes)" if len(counts) > 20 else ""
        return f"{', '.join(counts[:20])}{more}"

    @property
    def summary(self) -> str:
        """One line for banners: size, people, and a plain word where the faces are drawn."""
        people = "" if self.subjects is None else f", {len(np.unique(self.subjects))} subjects"
        drawn = " (synthetic faces)" if self.synthetic else ""
        skipped = "".join(f"; {count} left out: {why}" for why, count in self.skipped.items())
        return (
            f"{self.name}{drawn}: {len(self)} images, {len(np.unique(self.sequences))} sequences"
            f"{people}, {self.task.asked}{skipped}"
        )
