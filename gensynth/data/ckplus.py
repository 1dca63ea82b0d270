"""CK+ in the layout in which its owners give it out (Lucey et al. 2010)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field, model_validator

from gensynth.data.dataset import EMOTIONS, NEUTRAL, DataError, Dataset
from gensynth.data.folders import OnDiskConfig, visible_folders
from gensynth.data.images import (
    Box,
    check_moments,
    is_image,
    names,
    read_image,
    shrink,
    square_around,
    stack,
)
from gensynth.data.kinds import DATASETS

CODES = (NEUTRAL, *EMOTIONS)
"""Classes by label code, 0 to 7."""

IMAGES = ("cohn-kanade-images", "extended-cohn-kanade-images/cohn-kanade-images")
LABELS = ("Emotion", "Emotion_labels/Emotion")
LANDMARKS = ("Landmarks", "Landmarks/Landmarks")
"""Where each part lies below the root, according to how the archives were unpacked."""

FRAME_NAME = re.compile(r"^S\d{3}_\d{3}_\d{8}$")
POINTS = 68


@DATASETS.register
class CKPlusConfig(OnDiskConfig):
    """CK+: labelled sequences of frames from a neutral face to the peak of an expression.

    Faces are cut out by the landmark file of each frame: a square whose side is ``1 + 2 * margin``
    times the longer side of the landmarks' bounding box, centred on the box in x, its lower edge
    ``margin / 4`` of the box's longer side under the chin, so the forehead, which has no
    landmarks, gets the room. A frame without landmarks is cut to a square around its middle whose
    side is ``center_share`` of the frame's shorter side. A square that reaches over the border is
    moved into the frame.

    Args:
        frames: Frames taken from the end of each labelled sequence.
        neutral: Take the first frame of each labelled sequence too, as an eighth class.
        margin: Room around the landmarks, as described above.
        center_share: Share of a frame kept where it has no landmarks, as described above.
        moments: Whether the three channels of an image are three moments of its sequence and no
            colours: the first frame, one half way, and the frame itself.
    """

    kind: Literal["ckplus"] = "ckplus"
    frames: int = Field(default=3, ge=1)
    neutral: bool = False
    margin: float = Field(default=0.14, ge=0, le=2)
    center_share: float = Field(default=0.7, gt=0, le=1)
    moments: bool = Field(default=False, exclude_if=lambda moments: not moments)

    @model_validator(mode="after")
    def _has_channels(self) -> CKPlusConfig:
        check_moments(self.moments, self.channels)
        return self

    def load(self) -> Dataset:
        return load_ckplus(self)


@dataclass(frozen=True)
class LabelledSequence:
    """One labelled sequence: its frames in order and its label code."""

    subject: str
    number: str
    code: int
    frames: tuple[Path, ...]


def load_ckplus(config: CKPlusConfig) -> Dataset:
    """Load CK+ from its original layout.

    Args:
        config: Where it lies and what to take of it.

    Raises:
        DataError: If a part is missing, a label or landmark file or an image is broken, a code is
            unknown, a sequence is too short, or a class has no sequence.
    """
    root = config.folder()
    classes = CODES if config.neutral else EMOTIONS
    picked = [
        (sequence, path, emotion)
        for sequence in _labelled(root)
        for path, emotion in _pick(sequence, config)
    ]
    for emotion in classes:
        if all(emotion != taken for _, _, taken in picked):
            raise DataError(
                f"no labelled sequence shows {emotion!r}",
                where=str(root),
                remedy="complete the data set: CK+ has 327 labelled sequences of seven classes",
            )
    landmarks = _part(root, LANDMARKS)
    return Dataset(
        name="ckplus",
        images=stack(
            (_seen(path, sequence, landmarks, config) for sequence, path, _ in picked),
            count=len(picked),
            size=config.size,
            channels=config.channels,
        ),
        labels=np.array([classes.index(emotion) for _, _, emotion in picked], dtype=np.int64),
        classes=classes,
        subjects=names([sequence.subject for sequence, _, _ in picked]),
        sequences=names([f"{s.subject}_{s.number}" for s, _, _ in picked]),
        source=str(root),
    )


def _part(root: Path, candidates: tuple[str, ...]) -> Path | None:
    """Find a part of the data set, the deepest of the places where it may lie."""
    places = (root / candidate for candidate in reversed(candidates))
    return next((place for place in places if place.is_dir()), None)


def _required_part(root: Path, candidates: tuple[str, ...]) -> Path:
    place = _part(root, candidates)
    if place is None:
        raise DataError(
            f"the folder {candidates[0]!r} is missing",
            where=str(root),
            remedy="point data.root at the folder that holds CK+'s unpacked archives",
        )
    return place


def _labelled(root: Path) -> Iterator[LabelledSequence]:
    images, labels = _required_part(root, IMAGES), _required_part(root, LABELS)
    for subject in visible_folders(labels):
        for number in visible_folders(subject):
            files = sorted(number.glob("[!.]*_emotion.txt"))
            if not files:
                continue
            if len(files) > 1:
                raise DataError(
                    f"{len(files)} label files for one sequence",
                    where=str(number),
                    remedy="keep the one of the last frame",
                )
            folder = images / subject.name / number.name
            yield LabelledSequence(
                subject=subject.name,
                number=number.name,
                code=_code(files[0]),
                frames=_frames(folder, files[0]),
            )


def _code(path: Path) -> int:
    values = _numbers(path, "a label code such as 3.0000000e+00")
    code = values[0] if len(values) == 1 else math.nan
    if code not in range(len(CODES)):
        raise DataError(
            f"unknown label code {path.read_text(errors='replace').strip()[:40]!r}",
            where=str(path),
            remedy=f"CK+'s codes are 0 to {len(CODES) - 1}",
        )
    return int(code)


def _numbers(path: Path, expected: str) -> list[float]:
    try:
        return [float(word) for word in path.read_text(encoding="ascii").split()]
    except (OSError, ValueError) as error:
        raise DataError(
            f"cannot be read as {expected}", where=str(path), remedy="restore the file"
        ) from error


def _frames(folder: Path, label: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        raise DataError(
            f"the frames of a labelled sequence are missing ({label.name})",
            where=str(folder),
            remedy="unpack the images of this subject or remove the label",
        )
    frames = tuple(sorted(path for path in folder.iterdir() if is_image(path)))
    for path in frames:
        if FRAME_NAME.match(path.stem) is None:
            raise DataError(
                "the file is not called like a CK+ frame (S005_001_00000011.png)",
                where=str(path),
                remedy="rename or remove the file",
            )
    return frames


def _pick(sequence: LabelledSequence, config: CKPlusConfig) -> Iterator[tuple[Path, str]]:
    """Frames of a sequence to take and their classes; a neutral sequence only if asked for."""
    needed = config.frames + int(config.neutral)
    if len(sequence.frames) < needed:
        raise DataError(
            f"sequence {sequence.subject}/{sequence.number} has {len(sequence.frames)} frames"
            f" and {needed} are needed",
            where=str(config.folder()),
            remedy="restore its images or take fewer frames (data.frames)",
        )
    emotion = CODES[sequence.code]
    if emotion == NEUTRAL and not config.neutral:
        return
    if config.neutral:
        yield sequence.frames[0], NEUTRAL
    for path in sequence.frames[-config.frames :]:
        yield path, emotion


def _seen(
    path: Path, sequence: LabelledSequence, landmarks: Path | None, config: CKPlusConfig
) -> Image.Image:
    """What a network is shown of a frame: its face, or three moments up to it as channels."""
    if not config.moments:
        return _face(path, sequence, landmarks, config)
    frames = sequence.frames
    last = frames.index(path)
    moments = [
        _face(frames[at], sequence, landmarks, config).convert("L") for at in (0, last // 2, last)
    ]
    return Image.merge("RGB", moments)


def _face(
    path: Path, sequence: LabelledSequence, landmarks: Path | None, config: CKPlusConfig
) -> Image.Image:
    image = read_image(path, channels=config.channels)
    box = _center_box(image.size, config.center_share)
    if landmarks is not None:
        folder = landmarks / sequence.subject / sequence.number
        file = folder / f"{path.stem}_landmarks.txt"
        if file.is_file():
            box = _landmark_box(_points(file), config.margin)
    return shrink(image, size=config.size, box=square_around(box, within=image.size))


def _points(path: Path) -> NDArray[np.float64]:
    values = np.array(_numbers(path, f"{POINTS} rows of x and y"))
    if values.size != 2 * POINTS or not np.isfinite(values).all():
        raise DataError(
            f"{POINTS} rows of x and y are needed", where=str(path), remedy="restore the file"
        )
    points = values.reshape(POINTS, 2)
    if np.ptp(points, axis=0).max() <= 0:
        raise DataError("all landmarks coincide", where=str(path), remedy="restore the file")
    return points


def _landmark_box(points: NDArray[np.float64], margin: float) -> Box:
    left, upper = points.min(axis=0)
    right, lower = points.max(axis=0)
    longer = max(right - left, lower - upper)
    side = longer * (1 + 2 * margin)
    middle = (left + right) / 2
    bottom = lower + longer * margin / 4
    return middle - side / 2, bottom - side, middle + side / 2, bottom


def _center_box(size: tuple[int, int], share: float) -> Box:
    side = min(size) * share
    left, upper = (size[0] - side) / 2, (size[1] - side) / 2
    return left, upper, left + side, upper + side
