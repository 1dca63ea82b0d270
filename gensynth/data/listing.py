"""Images that a list names one by one, of any number: read one at a time, broken ones counted."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from gensynth.data.dataset import DataError, Dataset, Images
from gensynth.data.folders import OnDiskConfig
from gensynth.data.images import Box, names, read_image, shrink, white_level

IN_MEMORY = 1 << 30
"""Bytes of images from which on they lie in a file that is mapped into memory."""

BROKEN = "image cannot be read"


class ListedConfig(OnDiskConfig):
    """Settings of every data set whose images a list names.

    Args:
        limit: Take only so many images of each part of the split, the same ones every time: some
            part of a data set that is too large to try things on. None takes all.
    """

    limit: int | None = Field(default=None, ge=1)


@dataclass(slots=True)
class Listed:
    """One image of a list.

    Attributes:
        image: Its file, or gray pixels (H, W).
        name: What identifies it in the data set.
        label: Class index.
        split: Its part of an official split; empty where there is none.
        box: Left, upper, right and lower edge of the face; None is all of the image.
        numbers: What else is measured of it, in the order of their names.
        votes: Share of each class among its votes; empty where there are none.
        subject: Who is on it; empty where nobody is known.
        sequence: The sequence that it is of; empty where it is one by itself.
    """

    image: Path | NDArray[np.uint8]
    name: str
    label: int
    split: str = ""
    box: Box | None = None
    numbers: tuple[float, ...] = ()
    votes: tuple[float, ...] = ()
    subject: str = ""
    sequence: str = ""


@dataclass
class Listing:
    """A list as it is read.

    Attributes:
        classes: Class names.
        numbers: Names of what else is measured.
        items: The images.
        skipped: What was left out, in words, and how often.
    """

    classes: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    items: list[Listed] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    def load(self, name: str, config: OnDiskConfig, limit: int | None = None) -> Dataset:
        """Reads the images.

        One image is decoded at a time. Where all of them take more than a gibibyte, they go to a
        temporary file that is mapped into memory, so that the system keeps as much of it there as
        it has room for.

        Args:
            name: Of the data set.
            config: Size, channels and the folder.
            limit: Images to take of each part, see :class:`ListedConfig`.

        Raises:
            DataError: If no image, or none of some class, can be read.
        """
        items = _limited(self.items, limit)
        images = _room(len(items), config)
        files = (item.image for item in items if isinstance(item.image, Path))
        white = config.white or white_level(files)
        kept: list[Listed] = []
        for item in items:
            picture = self._picture(item, config, white)
            if picture is not None:
                images[len(kept)] = picture
                kept.append(item)
        source = str(config.folder())
        if not kept:
            why = ", ".join(f"{reason}: {count}" for reason, count in self.skipped.items())
            raise DataError(
                f"there is no image that can be read{f' ({why})' if why else ''}",
                where=source,
                remedy=f"point data.root at the folder of {name}",
            )
        measured = np.array([item.numbers for item in kept], dtype=np.float64)
        return Dataset(
            name=name,
            images=images[: len(kept)],
            labels=np.array([item.label for item in kept], dtype=np.int64),
            classes=self.classes,
            subjects=_all(kept, "subject"),
            sequences=names([item.sequence or item.name for item in kept]),
            source=source,
            numbers={name: measured[:, at].copy() for at, name in enumerate(self.numbers)},
            votes=np.array([item.votes for item in kept], np.float32) if kept[0].votes else None,
            splits=_all(kept, "split"),
            skipped=dict(sorted(self.skipped.items())),
        )

    def _picture(
        self, item: Listed, config: OnDiskConfig, white: float | None
    ) -> NDArray[np.uint8] | None:
        """Pixels (C, H, W); None, and counted, where they cannot be read."""
        try:
            if isinstance(item.image, Path):
                image = read_image(item.image, channels=config.channels, white=white)
            else:
                image = Image.fromarray(item.image).convert("L" if config.channels == 1 else "RGB")
            shown = shrink(image, size=config.size, box=_within(item.box, image.size))
        except DataError:
            self.skipped[BROKEN] += 1
            return None
        pixels = np.asarray(shown, dtype=np.uint8)
        return pixels[None] if config.channels == 1 else pixels.transpose(2, 0, 1)


def rows(path: Path, *, columns: Sequence[str] = ()) -> Iterator[Mapping[str, str]]:
    """The rows of a table, one at a time.

    Args:
        path: Comma- or tab-separated values (``.tsv``).
        columns: Their names, where the file has no line that says them.

    Raises:
        DataError: If the file cannot be read.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    delimiter = "\t" if path.suffix == ".tsv" else ","
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True)
            head = list(columns) or [name.strip() for name in next(reader, [])]
            for row in reader:
                if row:
                    yield dict(zip(head, row, strict=False))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"cannot be read as a table ({error})", where=str(path), remedy="restore the file"
        ) from error


def _limited(items: Sequence[Listed], limit: int | None) -> Sequence[Listed]:
    """So many of each part, by a hash of their names, in the order of the list."""
    if limit is None:
        return items
    order = sorted(items, key=lambda item: blake2b(item.name.encode(), digest_size=8).digest())
    count: Counter[str] = Counter()
    chosen: set[int] = set()
    for item in order:
        if count[item.split] < limit:
            count[item.split] += 1
            chosen.add(id(item))
    return [item for item in items if id(item) in chosen]


def _room(count: int, config: OnDiskConfig) -> Images:
    shape = (count, config.channels, config.size, config.size)
    if np.prod(shape) <= IN_MEMORY:
        return np.empty(shape, dtype=np.uint8)
    with TemporaryFile(prefix="gensynth-") as file:  # the mapping keeps it open
        return np.memmap(file, dtype=np.uint8, mode="w+", shape=shape)


def _within(box: Box | None, size: tuple[int, int]) -> Box | None:
    """A box cut to an image; None where nothing is left of it."""
    if box is None:
        return None
    left, upper, right, lower = box
    cut = max(0.0, left), max(0.0, upper), min(float(size[0]), right), min(float(size[1]), lower)
    return cut if cut[0] < cut[2] and cut[1] < cut[3] else None


def _all(items: Sequence[Listed], key: str) -> NDArray[np.str_] | None:
    values = [getattr(item, key) for item in items]
    return names(values) if all(values) else None
