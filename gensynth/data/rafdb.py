"""RAF-DB, its basic part (Li, Deng, Du 2017): faces from the web, labelled by some forty people."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gensynth.data.dataset import NEUTRAL, TEST, TRAIN, DataError, Dataset
from gensynth.data.folders import visible_folders
from gensynth.data.images import is_image
from gensynth.data.kinds import DATASETS
from gensynth.data.listing import Listed, ListedConfig, Listing

CODES = {
    1: "surprise",
    2: "fear",
    3: "disgust",
    4: "happy",
    5: "sadness",
    6: "anger",
    7: NEUTRAL,
}
"""Classes by the codes of ``list_patition_label.txt``."""

LIST = "list_patition_label.txt"
LISTS = (f"EmoLabel/{LIST}", f"basic/EmoLabel/{LIST}", LIST)
IMAGES = (
    "Image/aligned",
    "basic/Image/aligned",
    "aligned",
    "Image/original",
    "basic/Image/original",
)
LINE = re.compile(r"(?P<stem>(?P<part>train|test)_\d+)\.\w+\s+(?P<code>\d+)")
BAD_LINE = "line cannot be read"

Name = Annotated[str, StringConstraints(min_length=1)]


@DATASETS.register
class RAFDBConfig(ListedConfig):
    """RAF-DB's basic part, 12 271 images to train on and 3 068 to test on.

    As given out it is ``EmoLabel/list_patition_label.txt`` beside ``Image/aligned`` (or
    ``Image/original``); its codes are known (:data:`CODES`). Copies that are folders of numbered
    classes, ``{train,test}/4``, number them in several ways, so that what they mean has to be said.

    Args:
        codes: Class by the number of its folder. Needed for folders of numbers, and for nothing
            else.
    """

    kind: Literal["rafdb"] = "rafdb"
    codes: dict[int, Name] | None = Field(default=None)

    def load(self) -> Dataset:
        root = self.folder()
        table = next((root / name for name in LISTS if (root / name).is_file()), None)
        listing = Listing(tuple((self.codes or CODES).values()))
        if table is not None:
            _read_list(listing, root, table)
        else:
            _read_folders(listing, root, self.codes)
        return listing.load("rafdb", self, self.limit)


def _read_list(listing: Listing, root: Path, table: Path) -> None:
    folder = next((root / name for name in IMAGES if (root / name).is_dir()), None)
    if folder is None:
        raise DataError(
            "the folder Image/aligned is missing",
            where=str(root),
            remedy="unpack the images beside EmoLabel",
        )
    listing.classes = tuple(CODES.values())
    for line in table.read_text(encoding="utf-8", errors="replace").splitlines():
        found = LINE.fullmatch(line.strip())
        if found is None or int(found["code"]) not in CODES:
            listing.skipped[BAD_LINE] += bool(line.strip())
            continue
        path = folder / f"{found['stem']}_aligned.jpg"
        if not path.is_file():
            path = folder / f"{found['stem']}.jpg"
        label = list(CODES).index(int(found["code"]))
        split = TRAIN if found["part"] == "train" else TEST
        listing.items.append(Listed(path, found["stem"], label, split))


def _read_folders(listing: Listing, root: Path, codes: dict[int, Name] | None) -> None:
    parts = {TRAIN: root / "train", TEST: root / "test"}
    if not all(folder.is_dir() for folder in parts.values()):
        raise DataError(
            f"holds neither EmoLabel/{LIST} nor the folders train and test",
            where=str(root),
            remedy="point data.root at the folder that holds RAF-DB's basic part",
        )
    for split, part in parts.items():
        for folder in visible_folders(part):
            label = _label(folder, codes, listing.classes)
            for path in sorted(filter(is_image, folder.iterdir())):
                alone = path.relative_to(root).as_posix()
                listing.items.append(Listed(path, alone, label, split))


def _label(folder: Path, codes: dict[int, Name] | None, classes: tuple[str, ...]) -> int:
    if not folder.name.isdigit():
        if folder.name in classes:
            return classes.index(folder.name)
        raise DataError(
            "this folder's name is no class",
            where=str(folder),
            remedy=f"classes are {', '.join(classes)}",
        )
    if codes is None:
        written = ",".join(f"{code}:{name}" for code, name in CODES.items())
        raise DataError(
            "copies of RAF-DB number their folders in several ways",
            where=str(folder),
            remedy=f"say what numbers mean: 'data.codes={{{written}}}' is the owners' numbering",
        )
    code = int(folder.name)
    if code not in codes:
        raise DataError("data.codes has no such number", where=str(folder), remedy="add it")
    return classes.index(codes[code])
