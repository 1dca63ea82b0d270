"""FER2013 (Goodfellow et al. 2013, arXiv:1307.0414) and FERPlus (Barsoum et al. 2016).

Both are 35 887 gray images of 48×48 pixels, found by a search engine, in three official parts:
``Training``, ``PublicTest`` (to choose by) and ``PrivateTest`` (to report on). FERPlus has ten
votes on each of them. Nobody on them is known by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gensynth.data.class_folders import SPELLINGS
from gensynth.data.dataset import NEUTRAL, TEST, TRAIN, VALIDATION, DataError, Dataset
from gensynth.data.folders import visible_folders
from gensynth.data.images import is_image
from gensynth.data.kinds import DATASETS
from gensynth.data.listing import Listed, ListedConfig, Listing, rows

CODES = ("anger", "disgust", "fear", "happy", "sadness", "surprise", NEUTRAL)
"""FER2013's classes by code, 0 to 6."""

USAGES = {"training": TRAIN, "publictest": VALIDATION, "privatetest": TEST}
"""FER2013's parts, as ``Usage`` and the names of files in folders begin."""

FOLDERS = {"train": TRAIN, "validation": VALIDATION, "val": VALIDATION, "test": TEST}

PIXELS = re.compile(r"\d{1,3}(?: \d{1,3}){2303}\s*")
SIDE = 48

VOTES = (NEUTRAL, "happy", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
"""FERPlus's classes in the order of its columns; ``unknown`` and ``NF`` (no face) come after."""

VOTE_COLUMNS = (
    *("neutral", "happiness", "surprise", "sadness", "anger"),
    *("disgust", "fear", "contempt", "unknown", "NF"),
)
PLUS_FOLDERS = {"FER2013Train": TRAIN, "FER2013Valid": VALIDATION, "FER2013Test": TEST}
PLUS_TABLE = "fer2013new.csv"

BAD_ROW = "row cannot be read"
NO_MAJORITY = "no class has a majority of the votes"


@DATASETS.register
class FER2013Config(ListedConfig):
    """FER2013 as a table, or as folders.

    The table is ``fer2013.csv`` with the columns ``emotion``, ``pixels`` and ``Usage``. Folders are
    ``{train,test}/CLASS``; where names of files begin with ``PublicTest_`` or ``PrivateTest_``,
    those say which official part a file is of, whatever its folder.
    """

    kind: Literal["fer2013"] = "fer2013"

    def load(self) -> Dataset:
        root = self.folder()
        table = _table(root)
        listing = Listing(CODES)
        if table is not None:
            _read_table(listing, table)
        else:
            _read_folders(listing, root)
        return listing.load("fer2013", self, self.limit)


@DATASETS.register
class FERPlusConfig(ListedConfig):
    """FERPlus: ten votes on each image of FER2013, eight classes.

    The votes are those of ``fer2013new.csv``, joined to ``fer2013.csv`` beside it row by row, or of
    ``label.csv`` in each of the folders ``FER2013Train``, ``FER2013Valid`` and ``FER2013Test`` of
    images. A class that has one vote only is passed over, as the authors do.

    Args:
        majority: Share of the votes that an image's class has to exceed, ``unknown`` and "no face"
            included; an image without such a class is left out. 0 takes the class of most votes.
    """

    kind: Literal["ferplus"] = "ferplus"
    majority: float = Field(default=0.5, ge=0, lt=1)

    def load(self) -> Dataset:
        root = self.folder()
        listing = Listing(VOTES)
        if (root / PLUS_TABLE).is_file():
            entries = _joined(listing, root)
        else:
            entries = _labelled(listing, root)
        for item, counts in entries:
            shares = shares_of(counts)
            label = int(shares.argmax())
            if not shares.any() or label >= len(VOTES) or shares[label] <= self.majority:
                listing.skipped[NO_MAJORITY] += 1
                continue
            known = shares[: len(VOTES)]
            item.label, item.votes = label, tuple((known / known.sum()).tolist())
            listing.items.append(item)
        return listing.load("ferplus", self, self.limit)


def shares_of(counts: Sequence[float]) -> NDArray[np.float64]:
    """Share of each column among the votes, single ones passed over."""
    votes = np.array(counts, dtype=np.float64)
    votes[votes <= 1] = 0
    return votes / max(1.0, float(votes.sum()))


def pixels(text: str) -> NDArray[np.uint8] | None:
    """The image of a row, (48, 48); None if it is none."""
    if PIXELS.fullmatch(text) is None:
        return None
    values = np.array(text.split(), dtype=np.int64)
    return values.astype(np.uint8).reshape(SIDE, SIDE) if values.max() <= 255 else None


def _table(root: Path) -> Path | None:
    found = (root / name for name in ("fer2013.csv", "icml_face_data.csv"))
    return next((path for path in found if path.is_file()), None)


def _read_table(listing: Listing, table: Path) -> None:
    for number, row in enumerate(rows(table)):
        _check_columns(row, ("emotion", "pixels", "Usage"), table)
        image, split = pixels(row["pixels"].strip()), USAGES.get(row["Usage"].strip().lower())
        code = row["emotion"].strip()
        if image is None or split is None or code not in {str(at) for at in range(len(CODES))}:
            listing.skipped[BAD_ROW] += 1
            continue
        listing.items.append(Listed(image, f"fer{number:07d}", int(code), split))


def _read_folders(listing: Listing, root: Path) -> None:
    parts = [folder for folder in visible_folders(root) if folder.name.lower() in FOLDERS]
    if not parts:
        raise DataError(
            "holds neither fer2013.csv nor the folders train and test",
            where=str(root),
            remedy="point data.root at the folder that holds FER2013",
        )
    for part in parts:
        for folder in visible_folders(part):
            name = SPELLINGS.get(folder.name.lower(), folder.name.lower())
            if name not in CODES:
                raise DataError(
                    "this folder's name is no class of FER2013",
                    where=str(folder),
                    remedy=f"its classes are {', '.join(CODES)}",
                )
            for path in sorted(filter(is_image, folder.iterdir())):
                split = USAGES.get(path.name.partition("_")[0].lower(), FOLDERS[part.name.lower()])
                alone = path.relative_to(root).as_posix()
                listing.items.append(Listed(path, alone, CODES.index(name), split))


def _joined(listing: Listing, root: Path) -> Iterator[tuple[Listed, list[float]]]:
    """Images with their votes, by row: names skip rows, and some rows have none."""
    table = _table(root)
    if table is None:
        raise DataError(
            f"{PLUS_TABLE} has votes only: fer2013.csv, which has the images, is missing",
            where=str(root),
            remedy="put fer2013.csv beside it",
        )
    pairs = zip_longest(rows(table), rows(root / PLUS_TABLE))
    for number, (row, votes) in enumerate(pairs):
        if row is None or votes is None:
            raise DataError(
                f"fer2013.csv and {PLUS_TABLE} have different numbers of rows, {number} and more",
                where=str(root),
                remedy="both have 35 887; restore the shorter one",
            )
        _check_columns(row, ("pixels",), table)
        _check_columns(votes, ("Usage", *VOTE_COLUMNS), root / PLUS_TABLE)
        image, split = pixels(row["pixels"].strip()), USAGES.get(votes["Usage"].strip().lower())
        counts = _counts([votes[name] for name in VOTE_COLUMNS])
        if image is None or split is None or counts is None:
            listing.skipped[BAD_ROW] += 1
            continue
        yield Listed(image, f"fer{number:07d}", 0, split), counts


def _labelled(listing: Listing, root: Path) -> Iterator[tuple[Listed, list[float]]]:
    """Images of folders with a table each, of the name, the box and the votes."""
    tables = {root / name / "label.csv": split for name, split in PLUS_FOLDERS.items()}
    if not any(path.is_file() for path in tables):
        raise DataError(
            f"holds neither {PLUS_TABLE} nor {', '.join(PLUS_FOLDERS)} with a label.csv each",
            where=str(root),
            remedy="point data.root at the folder that holds FERPlus",
        )
    for table, split in tables.items():
        if not table.is_file():
            raise DataError("is missing", where=str(table), remedy="restore the file")
        for row in rows(table, columns=("name", "box", *VOTE_COLUMNS)):
            counts = _counts([row.get(name, "") for name in VOTE_COLUMNS])
            if counts is None or not row["name"]:
                listing.skipped[BAD_ROW] += 1
                continue
            path = table.parent / row["name"]
            yield Listed(path, path.stem, 0, split, box=_box(row["box"])), counts


def _counts(written: Sequence[str]) -> list[float] | None:
    try:
        counts = [float(text) for text in written]
    except ValueError:
        return None
    return counts if all(0 <= count <= 10 for count in counts) else None


def _box(written: str) -> tuple[float, float, float, float] | None:
    found = [float(number) for number in re.findall(r"\d+", written)]
    return (found[0], found[1], found[2], found[3]) if len(found) == 4 else None


def _check_columns(row: object, wanted: Sequence[str], table: Path) -> None:
    missing = [name for name in wanted if name not in (row if isinstance(row, dict) else {})]
    if missing:
        raise DataError(f"has no column {missing[0]}", where=str(table), remedy="restore the file")
