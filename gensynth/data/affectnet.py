"""AffectNet (Mollahosseini, Hasani, Mahoor 2017, arXiv:1708.03985), in both of its distributions.

Faces from the web with one of eight classes, and valence and arousal from -1 to 1. The published
test part has never been given out: the validation part is what figures in the literature are of, so
it is the test part here, and a validation part to choose by is taken from the training part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from gensynth.data.dataset import NEUTRAL, TEST, TRAIN, DataError, Dataset
from gensynth.data.images import Channels, is_image
from gensynth.data.kinds import DATASETS
from gensynth.data.listing import Listed, ListedConfig, Listing, rows

CODES = (NEUTRAL, "happy", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
"""Classes by code, 0 to 7; 8 is none, 9 uncertain, 10 no face."""

UNUSABLE = -2
"""Valence and arousal of an image on which they cannot be said."""

NUMBERS = ("valence", "arousal")
TABLES = {
    TRAIN: ("training.csv", "Manually_Annotated_file_lists/training.csv"),
    TEST: ("validation.csv", "Manually_Annotated_file_lists/validation.csv"),
}
IMAGES = ("Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images", ".")
PARTS = {TRAIN: "train_set", TEST: "val_set"}

BAD_ROW = "row cannot be read"
NO_CLASS = "no class (codes 8 to 10)"
NO_NUMBERS = "no valence or arousal"
NO_ANNOTATION = "annotation missing or broken"


@DATASETS.register
class AffectNetConfig(ListedConfig):
    """AffectNet, its manually annotated part.

    One distribution is ``training.csv`` and ``validation.csv``, with the path, face box, class,
    valence and arousal of each image, beside ``Manually_Annotated_Images``; the face is cut out.
    The other is ``{train,val}_set/images/N.jpg`` with ``annotations/N_{exp,val,aro}.npy``. Both are
    read row by row; what has no class, or no valence or arousal, is left out and counted.

    Args:
        contempt: Whether contempt is a class; without it these are seven, as many papers have it.
    """

    kind: Literal["affectnet"] = "affectnet"
    size: int = Field(default=128, ge=8, le=512)
    channels: Channels = 3
    contempt: bool = True

    def load(self) -> Dataset:
        root = self.folder()
        listing = Listing(CODES if self.contempt else CODES[:-1], NUMBERS)
        tables = {split: _first(root, names) for split, names in TABLES.items()}
        if any(tables.values()):
            found = _tables(root, tables)
        elif (root / PARTS[TRAIN]).is_dir():
            found = _numbered(root)
        else:
            raise DataError(
                "holds neither training.csv and validation.csv nor train_set and val_set",
                where=str(root),
                remedy="point data.root at the folder that holds AffectNet",
            )
        for item in found:
            if isinstance(item, str):
                listing.skipped[item] += 1
            elif item.label < len(listing.classes):
                listing.items.append(item)
            else:
                listing.skipped["contempt, which is no class here"] += 1
        return listing.load("affectnet", self, self.limit)


def _first(root: Path, names: tuple[str, ...]) -> Path | None:
    return next((root / name for name in names if (root / name).is_file()), None)


def _tables(root: Path, tables: Mapping[str, Path | None]) -> Iterator[Listed | str]:
    """Images of the tables, or why a row gives none."""
    folder = next(root / name for name in IMAGES if (root / name).is_dir())
    for split, table in tables.items():
        if table is None:
            raise DataError(
                f"{TABLES[split][0]} is missing", where=str(root), remedy="restore the file"
            )
        for row in rows(table):
            if "subDirectory_filePath" not in row:
                raise DataError(
                    "has no column subDirectory_filePath",
                    where=str(table),
                    remedy="restore the first line of AffectNet's table",
                )
            yield _row(folder, split, row)


def _row(folder: Path, split: str, row: Mapping[str, str]) -> Listed | str:
    try:
        code = int(row["expression"])
        numbers = float(row["valence"]), float(row["arousal"])
        place = [float(row[f"face_{key}"]) for key in ("x", "y", "width", "height")]
    except (KeyError, ValueError):
        return BAD_ROW
    x, y, width, height = place
    path = row["subDirectory_filePath"]
    return _item(folder / path, path, split, code, numbers, (x, y, x + width, y + height))


def _numbered(root: Path) -> Iterator[Listed | str]:
    """Images of numbered files, or why one gives none."""
    for split, part in PARTS.items():
        folder = root / part
        if not (folder / "images").is_dir():
            raise DataError("images are missing", where=str(folder), remedy="restore the folder")
        for path in sorted((folder / "images").iterdir(), key=lambda path: (len(path.stem), path)):
            if not is_image(path):
                continue
            values = [
                _annotation(folder / "annotations" / f"{path.stem}_{key}.npy")
                for key in ("exp", "val", "aro")
            ]
            code, *numbers = (value for value in values if value is not None)
            if len(numbers) < len(NUMBERS):
                yield NO_ANNOTATION
                continue
            alone = f"{part}/{path.stem}"
            yield _item(path, alone, split, int(code), (numbers[0], numbers[1]), None)


def _annotation(path: Path) -> float | None:
    """The number in a file, which may be written as text."""
    try:
        value: Any = np.load(path, allow_pickle=False)
        return float(value.item())
    except (OSError, ValueError, EOFError):
        return None


def _item(
    path: Path, name: str, split: str, code: int, numbers: tuple[float, float], box: Any
) -> Listed | str:
    if not 0 <= code < len(CODES):
        return NO_CLASS if code in (8, 9, 10) else BAD_ROW
    if any(number == UNUSABLE for number in numbers):
        return NO_NUMBERS
    if not all(-1 <= number <= 1 for number in numbers):
        return BAD_ROW
    return Listed(path, name, code, split, box=box, numbers=numbers)
