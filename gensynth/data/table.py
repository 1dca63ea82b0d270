"""Any images that a table lists, and folders whose file names say everything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import StringConstraints

from gensynth.data.dataset import SPLITS, DataError, Dataset
from gensynth.data.folders import images_below
from gensynth.data.kinds import DATASETS
from gensynth.data.listing import Listed, ListedConfig, Listing, rows
from gensynth.data.patterns import Pattern, search

if TYPE_CHECKING:
    from gensynth.data.class_folders import FolderConfig

FILE, LABEL, SUBJECT, SEQUENCE, SPLIT = COLUMNS = (
    "file",
    "label",
    "subject",
    "sequence",
    "split",
)
SPELLED = {"training": "train", "val": "validation", "valid": "validation", "testing": "test"}
EVERYTHING = "face"
"""The one class of images that a table gives numbers of and no label."""

BAD_ROW = "row cannot be read"


@DATASETS.register
class TableConfig(ListedConfig):
    """Images that a table lists, one a row.

    The column ``file`` is a path below the folder. ``label`` is the class; every other column but
    ``subject``, ``sequence`` and ``split`` (train, validation or test) is a number that is known of
    each image. One of ``label`` and numbers has to be there.

    Args:
        table: The table, below the folder: comma- or tab-separated, its first line naming columns.
    """

    kind: Literal["table"] = "table"
    table: Annotated[str, StringConstraints(min_length=1)] = "labels.csv"

    def load(self) -> Dataset:
        root = self.folder()
        path = root / self.table
        if not path.is_file():
            raise DataError(
                "there is no such table", where=str(path), remedy="set data.table to its name"
            )
        classes: dict[str, int] = {} if _has(path, LABEL) else {EVERYTHING: 0}
        listing = Listing((), _numbers(path))
        for row in rows(path):
            item = _item(root, row, classes, listing.numbers)
            if item is None:
                listing.skipped[BAD_ROW] += 1
            else:
                listing.items.append(item)
        _by_name(listing, classes)
        name = path.stem if path.stem != "labels" else root.resolve().name
        return listing.load(name, self, self.limit)


def load_named(config: FolderConfig, pattern: Pattern) -> Dataset:
    """Loads a folder whose file names carry the class.

    Args:
        config: The folder.
        pattern: With a group ``class``, and perhaps ``subject`` and ``sequence``, searched for in
            the path of every image below the folder.

    Raises:
        DataError: If a name does not match, or nothing can be read.
    """
    root = config.folder()
    classes: dict[str, int] = {}
    listing = Listing(())
    for path in images_below(root, listing.skipped):
        alone = path.relative_to(root).as_posix()
        found = search(pattern, alone, path)
        groups = (
            {} if found is None else {key: value or "" for key, value in found.groupdict().items()}
        )
        if found is None or not groups["class"] or groups.get("subject") == "":
            raise DataError(
                f"the file's name does not match {pattern.pattern!r}",
                where=str(path),
                remedy="rename or remove the file, or correct the pattern",
            )
        subject, sequence = groups.get("subject", ""), groups.get("sequence", "")
        label = classes.setdefault(groups["class"], len(classes))
        whole = f"{groups['class']}/{subject}_{sequence}" if sequence else ""
        listing.items.append(Listed(path, alone, label, subject=subject, sequence=whole))
    if len(classes) == 1:
        raise DataError(
            f"{next(iter(classes))!r} is the only class in it",
            where=str(root),
            remedy="point data.root higher, or correct the pattern",
        )
    _by_name(listing, classes)
    return listing.load(root.resolve().name, config)


def _has(path: Path, column: str) -> bool:
    return column in next(iter(rows(path)), {})


def _numbers(path: Path) -> tuple[str, ...]:
    """Names of the columns that are numbers."""
    first = next(iter(rows(path)), {})
    if FILE not in first:
        raise DataError(
            f"has no column {FILE}",
            where=str(path),
            remedy=f"name columns in the first line: {', '.join(COLUMNS)}, and numbers",
        )
    found = tuple(
        name for name in first if name not in COLUMNS and _number(first[name]) is not None
    )
    if not found and LABEL not in first:
        raise DataError(
            "has neither a column label nor one of numbers", where=str(path), remedy="add one"
        )
    return found


def _number(written: str) -> float | None:
    try:
        value = float(written)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _item(
    root: Path, row: Mapping[str, str], classes: dict[str, int], numbers: tuple[str, ...]
) -> Listed | None:
    values = [_number(row.get(name, "")) for name in numbers]
    known = tuple(value for value in values if value is not None)
    file, split = row.get(FILE, ""), row.get(SPLIT, "").strip().lower()
    split = SPELLED.get(split, split)
    label = row.get(LABEL, "").strip() if LABEL in row else EVERYTHING
    unknown = SPLIT in row and split not in SPLITS
    if not file or not label or len(known) < len(numbers) or unknown:
        return None
    subject, sequence = row.get(SUBJECT, "").strip(), row.get(SEQUENCE, "").strip()
    whole = f"{subject}_{sequence}" if sequence and subject else sequence
    at = classes.setdefault(label, len(classes))
    return Listed(root / file, file, at, split, numbers=known, subject=subject, sequence=whole)


def _by_name(listing: Listing, classes: Mapping[str, int]) -> None:
    """Puts classes in the order of their names."""
    listing.classes = tuple(sorted(classes))
    place = {classes[name]: at for at, name in enumerate(listing.classes)}
    for item in listing.items:
        item.label = place[item.label]
