"""Golden inputs and outputs: what an exported file has to say, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gensynth.data.synthetic.camera import take
from gensynth.data.synthetic.population import frame, sequences
from gensynth.device.model import Model

SIZES = ((0, 0), (64, 64), (97, 61), (31, 40), (240, 320))
"""Height and width of the images; zeros stand for the model's own."""

_IMAGE = "image."

Run = Callable[[NDArray[np.uint8]], Mapping[str, NDArray[np.float32]]]
"""Takes an image, uint8 (H, W, C), and gives the values of each head."""


def golden_images(model: Model, *, one_size: bool = False) -> list[NDArray[np.uint8]]:
    """Drawn faces, uint8 (H, W, C), gray ones and coloured ones.

    Args:
        model: Who is to see them.
        one_size: Whether all have the model's own size and channels, or several sizes.
    """
    shots = [frame(sequence, before_peak=0) for sequence in sequences(7, 6)]
    own = model.preprocessing
    images = []
    for number, shot in enumerate(shots[: len(SIZES)]):
        height, width = SIZES[0 if one_size else number]
        height, width = height or own.height, width or own.width
        (gray,) = take([shot], height=height, width=width, pixels_per_unit=min(height, width) / 2)
        for count in (own.channels,) if one_size else (1, 3):
            tints = np.array([1.0, 0.8, 0.65][:count])
            images.append((gray[..., None] * tints).round().astype(np.uint8))
    return images


def write_golden(model: Model, path: Path, images: list[NDArray[np.uint8]]) -> Path:
    """Writes images and what the model says of them in PyTorch, as safetensors.

    Image ``i`` is ``image.i``, uint8 (H, W, C); what a head says of it ``HEAD.i``, float32.
    """
    from safetensors.numpy import save_file

    tensors = {}
    for number, image in enumerate(images):
        tensors[f"{_IMAGE}{number}"] = np.ascontiguousarray(image)
        for name, values in model.predict(image).items():
            tensors[f"{name}.{number}"] = np.ascontiguousarray(values)
    save_file(tensors, path)
    return path


def difference(run: Run, path: Path) -> float:
    """The greatest difference of what a runtime says from the golden outputs.

    Args:
        run: Of the exported file.
        path: The golden file.

    Returns:
        The difference; infinite where the runtime lacks a head, or says what is no number.
    """
    from safetensors.numpy import load_file

    golden = load_file(path)
    greatest = 0.0
    for name in filter(lambda name: name.startswith(_IMAGE), golden):
        said = run(golden[name])
        number = name.removeprefix(_IMAGE)
        for key, expected in golden.items():
            head, _, of = key.rpartition(".")
            if of == number and key != name:
                greatest = max(greatest, _apart(said.get(head), expected))
    return greatest


def _apart(said: NDArray[np.float32] | None, expected: NDArray[np.float32]) -> float:
    if said is None or said.shape != expected.shape or not np.isfinite(said).all():
        return float("inf")
    return float(np.abs(said.astype(np.float64) - expected).max())
