"""A model as a program of ``torch.export``, for PyTorch without this package."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.export import export, load, save

from gensynth.device.golden import Run
from gensynth.device.model import Model
from gensynth.device.preprocessing import ANY_IMAGE, EXAMPLE


class Whole(nn.Module):
    """A model with one image as its input, and a tuple of heads as its output.

    Args:
        model: Of which.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Takes uint8 (H, W, C), gives (labels,) of each head."""
        pixels = self.model.reader(image[None])
        return tuple(values[0] for values in self.model.read(pixels).values())


def write_program(model: Model, path: Path) -> None:
    """Writes a model as ``.pt2``; the names of its outputs and classes are in ``labels.json``."""
    program = export(Whole(model).eval(), (EXAMPLE,), dynamic_shapes=ANY_IMAGE)
    labels = json.dumps([head.model_dump(mode="json") for head in model.heads])
    buffer = io.BytesIO()  # of a path torch asks for a certain ending
    save(program, buffer, extra_files={"labels.json": labels})
    path.write_bytes(buffer.getvalue())


def program_runtime(path: Path) -> Run:
    """Runs a file in PyTorch."""
    extra = {"labels.json": ""}
    module = load(io.BytesIO(path.read_bytes()), extra_files=extra).module()
    names = [head["name"] or head["kind"] for head in json.loads(extra["labels.json"])]

    def run(image: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
        with torch.inference_mode():
            values = module(torch.from_numpy(np.ascontiguousarray(image)))
        return {name: value.numpy() for name, value in zip(names, values, strict=True)}

    return run
