"""Writing data sets in the layouts of those from the web, official splits included.

People are dealt to the parts of a split: the first eight of ten to the training part, the ninth to
the validation part, the tenth to the test part; where there are two parts the ninth is trained on.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gensynth.data import affectnet, fer2013, rafdb
from gensynth.data.dataset import SPLITS, TEST, TRAIN, VALIDATION, Dataset
from gensynth.data.synthetic.writers import claim, writing

USAGE = {TRAIN: "Training", VALIDATION: "PublicTest", TEST: "PrivateTest"}
PLUS_FOLDER = {split: name for name, split in fer2013.PLUS_FOLDERS.items()}
SPELLED = {"anger": "angry", "sadness": "sad"}
"""What FER2013's folders call classes, where it is not their name here."""

VOTERS, AGREED = 10, 6
"""Drawn votes on each image, and how many of them are sure to be for its class."""

DOUBT = 0.4
"""Chance of each other vote to be for another class."""


def write_fer2013(dataset: Dataset, root: Path, *, folders: bool = False) -> None:
    """Writes gray images of 48×48 pixels as FER2013; contempt, which it does not have, is left out.

    Args:
        dataset: What to write.
        root: A new or empty folder.
        folders: Whether as ``{train,test}/CLASS`` instead of ``fer2013.csv``.

    Raises:
        DataError: If there is something in the folder already, or it cannot be written to.
        ValueError: If the images have another shape.
    """
    _check_shape(dataset)
    with writing(root):
        claim(root)
        splits = parts(dataset)
        known = [at for at in range(len(dataset)) if _class(dataset, at) in fer2013.CODES]
        if folders:
            for at in known:
                name = _class(dataset, at)
                part = TRAIN if splits[at] == TRAIN else TEST
                file = f"{USAGE[str(splits[at])]}_{at}.png"
                _save(dataset.images[at], root / part / SPELLED.get(name, name) / file)
            return
        lines = (
            (fer2013.CODES.index(_class(dataset, at)), _row(dataset, at), USAGE[str(splits[at])])
            for at in known
        )
        _write(root / "fer2013.csv", ("emotion", "pixels", "Usage"), lines)


def write_ferplus(dataset: Dataset, root: Path, *, folders: bool = False) -> None:
    """Writes gray images of 48×48 pixels as FERPlus, with votes that are drawn.

    Args:
        dataset: What to write.
        root: A new or empty folder.
        folders: Whether as ``FER2013{Train,Valid,Test}`` instead of two tables.

    Raises:
        DataError: If there is something in the folder already, or it cannot be written to.
        ValueError: If the images have another shape.
    """
    _check_shape(dataset)
    with writing(root):
        claim(root)
        splits, votes = parts(dataset), list(_votes(dataset))
        if folders:
            for split, name in PLUS_FOLDER.items():
                mine = [at for at in range(len(dataset)) if splits[at] == split]
                for at in mine:
                    _save(dataset.images[at], root / name / f"fer{at:07d}.png")
                lines = ((f"fer{at:07d}.png", "(0, 0, 48, 48)", *votes[at]) for at in mine)
                _write(root / name / "label.csv", None, lines)
            return
        everything = range(len(dataset))
        images = ((0, _row(dataset, at), USAGE[str(splits[at])]) for at in everything)
        _write(root / "fer2013.csv", ("emotion", "pixels", "Usage"), images)
        counts = ((USAGE[str(splits[at])], f"fer{at:07d}.png", *votes[at]) for at in everything)
        head = ("Usage", "Image name", *fer2013.VOTE_COLUMNS)
        _write(root / fer2013.PLUS_TABLE, head, counts)


def write_rafdb(dataset: Dataset, root: Path) -> None:
    """Writes images as RAF-DB's basic part; contempt, which it does not have, is left out.

    Args:
        dataset: What to write.
        root: A new or empty folder.

    Raises:
        DataError: If there is something in the folder already, or it cannot be written to.
    """
    codes = {name: code for code, name in rafdb.CODES.items()}
    with writing(root):
        claim(root)
        splits, lines = parts(dataset), []
        for at in range(len(dataset)):
            name = _class(dataset, at)
            if name in codes:
                stem = f"{'test' if splits[at] == TEST else 'train'}_{at:05d}"
                _save(dataset.images[at], root / "Image" / "aligned" / f"{stem}_aligned.jpg")
                lines.append(f"{stem}.jpg {codes[name]}\n")
        (root / "EmoLabel").mkdir()
        (root / "EmoLabel" / rafdb.LIST).write_text("".join(lines), encoding="utf-8")


def write_affectnet(dataset: Dataset, root: Path, *, numbered: bool = False) -> None:
    """Writes images as AffectNet, with their valence and arousal.

    Args:
        dataset: Images whose ``valence`` and ``arousal`` are known.
        root: A new or empty folder.
        numbered: Whether as ``{train,val}_set/images/N.jpg`` with annotations beside them instead
            of tables of boxes in larger pictures.

    Raises:
        DataError: If there is something in the folder already, or it cannot be written to.
        ValueError: If valence and arousal are not known.
    """
    if not set(affectnet.NUMBERS) <= dataset.numbers.keys():
        raise ValueError("AffectNet has valence and arousal")
    with writing(root):
        claim(root)
        (_write_numbered if numbered else _write_tables)(dataset, root)


def parts(dataset: Dataset) -> NDArray[np.str_]:
    """The part of a split of each image, (N,), by its person."""
    people = dataset.sequences if dataset.subjects is None else dataset.subjects
    _, place = np.unique(people, return_inverse=True)
    return np.array(SPLITS)[np.clip(place % 10 - 7, 0, 2)]


def _write_numbered(dataset: Dataset, root: Path) -> None:
    splits = parts(dataset)
    for at in range(len(dataset)):
        folder = root / affectnet.PARTS[TEST if splits[at] == TEST else TRAIN]
        (folder / "annotations").mkdir(parents=True, exist_ok=True)
        _save(dataset.images[at], folder / "images" / f"{at}.jpg")
        values = (affectnet.CODES.index(_class(dataset, at)), *_affect(dataset, at))
        for key, value in zip(("exp", "val", "aro"), values, strict=True):
            np.save(folder / "annotations" / f"{at}_{key}.npy", np.array(str(value)))


def _write_tables(dataset: Dataset, root: Path) -> None:
    splits = parts(dataset)
    head = (
        *("subDirectory_filePath", "face_x", "face_y", "face_width", "face_height"),
        *("facial_landmarks", "expression", "valence", "arousal"),
    )
    lines: dict[str, list[Sequence[object]]] = {TRAIN: [], TEST: []}
    for at in range(len(dataset)):
        room = dataset.image_shape[1] // 4
        framed = np.pad(dataset.images[at], ((0, 0), (room, room), (room, room)), mode="edge")
        name = f"{at % 100}/{at}.jpg"
        _save(framed, root / affectnet.IMAGES[0] / name)
        code = affectnet.CODES.index(_class(dataset, at))
        height, width = dataset.image_shape[1:]
        line = (name, room, room, width, height, "", code, *_affect(dataset, at))
        lines[TEST if splits[at] == TEST else TRAIN].append(line)
    for split, rows in lines.items():
        _write(root / affectnet.TABLES[split][0], head, rows)


def _votes(dataset: Dataset) -> Iterator[list[int]]:
    """Votes on each image, most of them for its class."""
    random = np.random.default_rng(len(dataset))
    others = len(fer2013.VOTE_COLUMNS) - 1
    for at in range(len(dataset)):
        chances = np.full(others + 1, DOUBT / others)
        mine = fer2013.VOTES.index(_class(dataset, at))
        chances[mine] = 1 - DOUBT
        counts = random.multinomial(VOTERS - AGREED, chances)
        counts[mine] += AGREED
        yield [int(count) for count in counts]


def _affect(dataset: Dataset, at: int) -> tuple[float, float]:
    valence, arousal = (float(dataset.numbers[name][at]) for name in affectnet.NUMBERS)
    return valence, arousal


def _class(dataset: Dataset, at: int) -> str:
    return dataset.classes[int(dataset.labels[at])]


def _row(dataset: Dataset, at: int) -> str:
    return " ".join(map(str, dataset.images[at, 0].flat))


def _save(image: NDArray[np.uint8], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    Image.fromarray(shown).save(path, quality=95)  # of a lossy file


def _write(path: Path, head: Sequence[str] | None, lines: Iterable[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if head is not None:
            writer.writerow(head)
        writer.writerows(lines)


def _check_shape(dataset: Dataset) -> None:
    if dataset.image_shape != (1, fer2013.SIDE, fer2013.SIDE):
        raise ValueError(f"images are gray, of {fer2013.SIDE}x{fer2013.SIDE} pixels")
