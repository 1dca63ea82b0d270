"""Synthetic faces as a data set: the embedded default, drawn in seconds from a seed."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from gensynth.data.dataset import NEUTRAL, DataError, Dataset
from gensynth.data.images import Channels, check_moments
from gensynth.data.kinds import DATASETS, DatasetConfig
from gensynth.data.synthetic.camera import take
from gensynth.data.synthetic.population import (
    APPROACH,
    SUBJECTS,
    class_names,
    first_half,
    frame,
    neutral_frame,
    sequences,
)
from gensynth.data.synthetic.pose import degrees
from gensynth.data.synthetic.traits import PICTURE, TURNS

NUMBERS = (*TURNS, "intensity", "valence", "arousal")
"""What is known of each image besides its class."""

COLUMN = {name: column for column, name in enumerate(PICTURE)}


@DATASETS.register
class SyntheticConfig(DatasetConfig):
    """Drawn faces: CK+'s numbers of subjects, sequences and classes, nobody's real face.

    Args:
        seed: Seed of people, expressions and pictures.
        subjects: Use only the first so many of the 118 subjects.
        size: Side of the square images in pixels.
        channels: 1 for gray, 3 for the same gray in red, green and blue.
        neutral: Add the neutral first frame of each sequence as an eighth class.
        frames: Frames taken from the end of each sequence, 1 to 32. The last three are near the
            peak; with more, the first one is neutral and the face moves evenly from there.
        moments: Whether the three channels of an image are three moments of its sequence and no
            colours: the neutral first frame, one half way, and the frame itself. So a network sees
            what has moved, and its first layer can take differences.
        turns: Factor on how far heads are turned, 0 to 4; 1 turns them as little as CK+ does.
    """

    kind: Literal["synthetic"] = "synthetic"
    seed: int = Field(default=0, ge=0)
    subjects: int = Field(default=SUBJECTS, ge=1, le=SUBJECTS)
    size: int = Field(default=48, ge=16, le=512)
    channels: Channels = 1
    neutral: bool = False
    frames: int = Field(default=len(APPROACH), ge=1, le=32)
    moments: bool = Field(default=False, exclude_if=lambda moments: not moments)
    turns: float = Field(default=1.0, ge=0, le=4, exclude_if=lambda turns: turns == 1)

    @model_validator(mode="after")
    def _has_channels(self) -> SyntheticConfig:
        check_moments(self.moments, self.channels)
        return self

    def load(self) -> Dataset:
        return load_synthetic(self)


def load_synthetic(config: SyntheticConfig) -> Dataset:
    """Draw the data set that a config describes.

    Besides their classes it knows of its images ``yaw``, ``pitch`` and ``roll`` of the head in
    degrees (:func:`~gensynth.data.synthetic.pose.degrees`), the ``intensity`` of the expression
    (:attr:`~gensynth.data.synthetic.population.Frame.intensity`), and its ``valence`` and
    ``arousal`` (:func:`~gensynth.data.synthetic.expressions.affect`).

    The same config gives the same bytes on any machine.

    Raises:
        DataError: If so few subjects were asked for that nobody shows some class.
    """
    classes = class_names(neutral=config.neutral)
    shots, emotions = [], []
    for sequence in sequences(config.seed, config.subjects):
        if config.neutral:
            shots.append(neutral_frame(sequence))
            emotions.append(NEUTRAL)
        for before_peak in reversed(range(config.frames)):
            onset = config.frames - 1 if config.frames > len(APPROACH) else None
            shots.append(frame(sequence, before_peak=before_peak, onset=onset))
            emotions.append(sequence.emotion)
    missing = sorted(set(classes) - set(emotions))
    if missing:
        raise DataError(
            f"none of the first {config.subjects} subjects shows {missing[0]}",
            where=f"synthetic faces, seed {config.seed}",
            remedy="use more subjects or another seed",
        )
    shots = [shot.turned(config.turns) for shot in shots]
    turns = [np.array([shot.picture[COLUMN[turn]] for shot in shots]) for turn in TURNS]
    seen = [shots]
    if config.moments:
        sequences_of = [shot.sequence for shot in shots]
        seen = [
            [neutral_frame(one).turned(config.turns) for one in sequences_of],
            [first_half(one).turned(config.turns) for one in sequences_of],
            shots,
        ]
    images = np.stack(
        [
            take(part, height=config.size, width=config.size, pixels_per_unit=config.size / 2)
            for part in seen
        ],
        axis=1,
    )
    return Dataset(
        name="synthetic",
        images=np.repeat(images, config.channels // len(seen), axis=1),
        labels=np.array([classes.index(emotion) for emotion in emotions], dtype=np.int64),
        classes=classes,
        subjects=np.array([shot.sequence.subject for shot in shots]),
        sequences=np.array([shot.sequence.name for shot in shots]),
        synthetic=True,
        source=drawn_from(config.seed),
        numbers={
            **degrees(*turns),
            "intensity": np.array([shot.intensity for shot in shots]),
            "valence": np.array([shot.affect[0] for shot in shots]),
            "arousal": np.array([shot.affect[1] for shot in shots]),
        },
    )


def drawn_from(seed: int) -> str:
    """What a data set says of where it comes from that is drawn from a seed."""
    return f"drawn from seed {seed}"
