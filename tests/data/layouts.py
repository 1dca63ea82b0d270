"""Small images and sequences on disk, for tests to read and to damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def gray(*, seed: int, width: int = 48, height: int = 48) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    return Image.fromarray(pixels)


def add_sequence(root: Path, *, subject: str, number: str, label: str | None) -> None:
    frames = root / "cohn-kanade-images" / subject / number
    labels = root / "Emotion" / subject / number
    for folder in (frames, labels):
        folder.mkdir(parents=True)
    for frame in range(1, 5):
        image = gray(seed=frame, width=80, height=60)
        image.save(frames / f"{subject}_{number}_{frame:08d}.png")
    if label is not None:
        (labels / f"{subject}_{number}_00000004_emotion.txt").write_text(label)
