"""Data sets with one folder for each class: any such folder, and CK+48."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import regex
from pydantic import field_validator

from gensynth.data.dataset import EMOTIONS, NEUTRAL, SPLITS, DataError, Dataset
from gensynth.data.folders import OnDiskConfig, images_below, visible_folders
from gensynth.data.images import names, read_image, shrink, stack, white_level
from gensynth.data.kinds import DATASETS
from gensynth.data.patterns import Pattern, compiled, search
from gensynth.data.table import SPELLED, load_named

SPELLINGS = {
    "angry": "anger",
    "disgusted": "disgust",
    "afraid": "fear",
    "fearful": "fear",
    "happiness": "happy",
    "joy": "happy",
    "sad": "sadness",
    "surprised": "surprise",
}
"""Other names under which CK+48's class folders go around, in lower case."""

CK48_NAME = compiled(r"^(?P<subject>S\d{3})_(?P<sequence>\d{3})_\d{8}\.\w+$")
"""Files are called as in CK+: subject, sequence and frame, ``S010_004_00000017.png``."""


@DATASETS.register
class FolderConfig(OnDiskConfig):
    """Any folder with one folder of images for each class, named after it.

    Args:
        pattern: Regular expression searched for in the path of each image below its class folder
            (with ``/`` between folders). Its group ``subject`` is the subject ID; its group
            ``sequence``, if there, names the sequence within the subject and class. Without a
            pattern nobody is known, and only folds by image can be laid; without a group
            ``sequence`` every image is its own sequence. With a group ``class`` folders mean
            nothing: it is searched for in the path below ``root``, and says the class itself.
    """

    kind: Literal["folder"] = "folder"
    pattern: str | None = None

    @field_validator("pattern")
    @classmethod
    def _has_subject(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            groups = compiled(value).groupindex
        except regex.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        if not {"subject", "class"} & groups.keys():
            raise ValueError("the pattern needs a group (?P<subject>...) or (?P<class>...)")
        return value

    def load(self) -> Dataset:
        return load_folder(self)


@DATASETS.register
class CK48Config(OnDiskConfig):
    """CK+48: folders of 48×48 gray face crops called after CK+'s frames.

    Class folders are recognised under the usual spellings (``SPELLINGS``), in any case; a folder
    ``neutral`` is an eighth class.
    """

    kind: Literal["ck48"] = "ck48"

    def load(self) -> Dataset:
        return load_ck48(self)


@dataclass(frozen=True)
class Item:
    """One image file: its class, and who and what is on it as far as its name tells."""

    path: Path
    label: int
    subject: str | None
    sequence: str
    split: str = ""


def load_folder(config: FolderConfig) -> Dataset:
    """Load a folder of class folders; classes are the folders' names in sorted order.

    Raises:
        DataError: If the folder is missing or without classes, a class is empty, a name does not
            match the pattern, or an image is broken.
    """
    pattern = None if config.pattern is None else compiled(config.pattern)
    if pattern is not None and "class" in pattern.groupindex:
        return load_named(config, pattern)
    root = config.folder()
    parts = _parts(root)
    folders = [(folder, split) for part, split in parts for folder in _class_folders(part)]
    classes = tuple(sorted({folder.name for folder, _ in folders}))
    skipped: Counter[str] = Counter()
    items = [
        _item(
            path,
            folder=folder,
            label=classes.index(folder.name),
            pattern=pattern,
            within=f"{folder.relative_to(root).as_posix()}/",
            split=split,
        )
        for folder, split in folders
        for path in _images(folder, skipped, nested=pattern is not None)
    ]
    return _assemble(root.resolve().name, items, classes=classes, config=config, skipped=skipped)


def _parts(root: Path) -> list[tuple[Path, str]]:
    """Folders of class folders, and the part of an official split that each is.

    One folder that is called like a part may be a class (a train among vehicles); two are not.

    Raises:
        DataError: If folders of parts stand beside others.
    """
    named = {folder: _split(folder.name) for folder in visible_folders(root)}
    parts = [(folder, split) for folder, split in named.items() if split]
    if len(parts) < 2:
        return [(root, "")]
    others = [folder.name for folder, split in named.items() if not split]
    if others or len({split for _, split in parts}) < len(parts):
        raise DataError(
            f"{' and '.join(folder.name for folder, _ in parts)} are parts of a split, which "
            f"{f'{others[0]} is not' if others else 'overlap'}",
            where=str(root),
            remedy="point data.root at one of them, or leave one folder for each part",
        )
    return parts


def _split(name: str) -> str:
    known = SPELLED.get(name.lower(), name.lower())
    return known if known in SPLITS else ""


def _class_folders(root: Path) -> list[Path]:
    """The class folders of a folder.

    Raises:
        DataError: If there are fewer than two.
    """
    folders = visible_folders(root)
    if len(folders) >= 2:
        return folders
    lower = folders and len(visible_folders(folders[0])) >= 2
    raise DataError(
        f"{folders[0].name!r} is the only class folder in it"
        if folders
        else "there are no class folders in it",
        where=str(root),
        remedy=f"set data.root={folders[0]}"
        if lower
        else "point data.root at a folder with one folder for each class, at least two",
    )


def load_ck48(config: CK48Config) -> Dataset:
    """Load CK+48; classes are in the order of CK+'s label codes.

    Raises:
        DataError: If a class folder is missing, unknown, doubled or empty, a file is not called
            like a CK+ frame, or an image is broken.
    """
    root = config.folder()
    folder_of: dict[str, Path] = {}
    for folder in visible_folders(root):
        name = SPELLINGS.get(folder.name.lower(), folder.name.lower())
        if name not in (NEUTRAL, *EMOTIONS):
            raise DataError(
                "this folder's name is no class of CK+",
                where=str(folder),
                remedy="point data.root at the folder that holds the class folders of CK+48 and "
                "nothing else, or use data=folder for other classes",
            )
        if name in folder_of:
            raise DataError(
                f"this folder and {folder_of[name].name!r} are both class {name!r}",
                where=str(folder),
                remedy="merge the two folders",
            )
        folder_of[name] = folder
    for name in EMOTIONS:
        if name not in folder_of:
            raise DataError(
                f"the class folder {name!r} is missing",
                where=str(root),
                remedy="point data.root at the folder that holds CK+48's seven class folders",
            )
    classes = (NEUTRAL, *EMOTIONS) if NEUTRAL in folder_of else EMOTIONS
    skipped: Counter[str] = Counter()
    items = [
        _item(path, folder=folder_of[name], label=label, pattern=CK48_NAME)
        for label, name in enumerate(classes)
        for path in _images(folder_of[name], skipped)
    ]
    return _assemble("ck48", items, classes=classes, config=config, skipped=skipped)


def _images(folder: Path, skipped: Counter[str], *, nested: bool = True) -> list[Path]:
    found = images_below(folder, skipped)
    if not found:
        raise DataError(
            f"class folder {folder.name!r} has no images",
            where=str(folder),
            remedy="add images to it or remove the folder",
        )
    if not nested and not any(path.parent == folder for path in found):
        raise DataError(
            f"all images of the class folder {folder.name!r} lie in folders within it",
            where=str(folder),
            remedy="point data.root one level lower, or set data.pattern, which says what they are",
        )
    return found


def _item(
    path: Path,
    *,
    folder: Path,
    label: int,
    pattern: Pattern | None,
    within: str = "",
    split: str = "",
) -> Item:
    """The image at a path; ``within`` comes before the name of its sequence."""
    inner = path.relative_to(folder).as_posix()
    alone = f"{within or f'{folder.name}/'}{inner}"
    if pattern is None:
        return Item(path=path, label=label, subject=None, sequence=alone, split=split)
    match = search(pattern, inner, path)
    if match is None or not match["subject"]:
        raise DataError(
            f"the file's name does not match {pattern.pattern!r}",
            where=str(path),
            remedy="rename or remove the file, or correct the pattern",
        )
    sequence = match.groupdict().get("sequence")
    return Item(
        path=path,
        label=label,
        subject=match["subject"],
        sequence=f"{within}{match['subject']}_{sequence}" if sequence else alone,
        split=split,
    )


def _assemble(
    name: str,
    items: Sequence[Item],
    *,
    classes: tuple[str, ...],
    config: OnDiskConfig,
    skipped: Mapping[str, int],
) -> Dataset:
    white = config.white or white_level(item.path for item in items)
    images = stack(
        (
            shrink(read_image(i.path, channels=config.channels, white=white), size=config.size)
            for i in items
        ),
        count=len(items),
        size=config.size,
        channels=config.channels,
    )
    subjects = [item.subject for item in items if item.subject is not None]
    return Dataset(
        name=name,
        images=images,
        labels=np.array([item.label for item in items], dtype=np.int64),
        classes=classes,
        subjects=names(subjects) if len(subjects) == len(items) else None,
        sequences=names([item.sequence for item in items]),
        source=str(config.folder()),
        splits=names([item.split for item in items]) if items and items[0].split else None,
        skipped=dict(sorted(skipped.items())),
    )
