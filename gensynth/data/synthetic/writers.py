"""Writing data sets to disk in the layouts in which CK+ goes around."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gensynth.data.dataset import EMOTIONS, DataError, Dataset
from gensynth.data.synthetic.camera import columns, take
from gensynth.data.synthetic.faces import SyntheticConfig
from gensynth.data.synthetic.landmarks import landmarks
from gensynth.data.synthetic.population import APPROACH, Sequence, frame, sequences

WIDTH, HEIGHT = 640, 490
PIXELS_PER_UNIT = 120
"""Half the side of the square around a face in a written frame, in pixels."""


def write_ckplus(config: SyntheticConfig, root: Path, *, frames: int = 6) -> None:
    """Write synthetic faces in CK+'s original layout: frames, labels and landmarks.

    Every sequence runs from a neutral face to the peak; its last three frames show what the three
    images of the sequence in ``load(config)`` show, seen from farther away.

    Args:
        config: Whom to draw; only ``seed`` and ``subjects`` matter here.
        root: Folder to write to, made if it is missing.
        frames: Frames a sequence, at least 4.

    Raises:
        DataError: If there is something in the folder already, or it cannot be written to.
        ValueError: If fewer than 4 frames are asked for.
    """
    if frames <= len(APPROACH):
        raise ValueError(f"a sequence needs at least {len(APPROACH) + 1} frames, not {frames}")
    with writing(root):
        claim(root)
        for sequence in sequences(config.seed, config.subjects):
            _write_sequence(sequence, root, frames)


def write_ck48(dataset: Dataset, root: Path) -> None:
    """Write a data set in the layout of CK+48: a folder a class, files called after frames.

    Args:
        dataset: Gray images whose sequence IDs look like CK+'s, ``S010_004``.
        root: Folder to write to, made if it is missing.

    Raises:
        DataError: If there is something in the folder already, or it cannot be written to.
        ValueError: If the images are not gray.
    """
    if dataset.image_shape[0] != 1:
        raise ValueError("CK+48 holds gray images")
    with writing(root):
        claim(root)
        for name in dataset.classes:
            (root / name).mkdir()
        for index, number in enumerate(_frame_numbers(dataset)):
            name = dataset.classes[dataset.labels[index]]
            path = root / name / f"{dataset.sequences[index]}_{number:08d}.png"
            Image.fromarray(dataset.images[index, 0]).save(path)


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Has what cannot be written to a folder be one line.

    Raises:
        DataError: Instead of an operating system's error.
    """
    try:
        yield
    except OSError as error:
        raise DataError(
            f"cannot be written ({error.strerror or error})",
            where=str(error.filename or root),
            remedy="name a folder that can be written to",
        ) from error


def claim(root: Path) -> None:
    """Makes a folder.

    Raises:
        DataError: If there is something in it already.
    """
    root.mkdir(parents=True, exist_ok=True)
    if any(root.iterdir()):
        raise DataError(
            "the folder is not empty", where=str(root), remedy="name a folder that is new or empty"
        )


def _frame_numbers(dataset: Dataset) -> Iterator[int]:
    seen: dict[str, int] = {}
    for sequence in dataset.sequences.tolist():
        seen[sequence] = seen.get(sequence, 0) + 1
        yield seen[sequence]


def _write_sequence(sequence: Sequence, root: Path, count: int) -> None:
    onset = count - 1
    shots = [frame(sequence, before_peak=onset - index, onset=onset) for index in range(count)]
    images = take(shots, height=HEIGHT, width=WIDTH, pixels_per_unit=PIXELS_PER_UNIT)
    points = landmarks(columns(shots)) * PIXELS_PER_UNIT + (WIDTH / 2, HEIGHT / 2)
    place = Path(sequence.subject) / sequence.number
    frames, marks, labels = (
        root / part / place for part in ("cohn-kanade-images", "Landmarks", "Emotion")
    )
    for folder in (frames, marks, labels):
        folder.mkdir(parents=True)
    for number, (image, rows) in enumerate(zip(images, points, strict=True), start=1):
        name = f"{sequence.name}_{number:08d}"
        Image.fromarray(image).save(frames / f"{name}.png", compress_level=1)
        (marks / f"{name}_landmarks.txt").write_text(_rows(rows), encoding="ascii")
    code = EMOTIONS.index(sequence.emotion) + 1
    label = labels / f"{sequence.name}_{count:08d}_emotion.txt"
    label.write_text(_number(code), encoding="ascii")


def _rows(points: NDArray[np.floating]) -> str:
    return "".join(f"{_number(x)}{_number(y)}\n" for x, y in points)


def _number(value: float) -> str:
    """A number as MATLAB wrote it into CK+'s files: ``   3.0000000e+00``."""
    return f"   {value:.7e}"
