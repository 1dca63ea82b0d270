"""A trained network with all that it takes to use it, in memory and as a folder.

The folder has ``model.safetensors`` (weights and statistics), ``genome.json``,
``preprocessing.json``, ``labels.json`` and ``card.json``. Reading one runs nothing and allocates no
more than its genome may cost, so it can come from anybody.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from gensynth import genome as genomes
from gensynth.device.preprocessing import Preprocessing, Reader
from gensynth.errors import UserError, first_line
from gensynth.execution.files import make_folder, replace_file
from gensynth.genome import Genome
from gensynth.network import Network, build
from gensynth.reading import read_json
from gensynth.task import Readout
from gensynth.validation import validate

WEIGHTS = "model.safetensors"
GENOME = "genome.json"
PREPROCESSING = "preprocessing.json"
LABELS = "labels.json"
CARD = "card.json"

MOST_HEADER = 8 * 2**20
"""Bytes that a file of weights may have beside them."""

Image = NDArray[np.uint8] | Tensor


class Labels(BaseModel):
    """What ``labels.json`` holds.

    Attributes:
        heads: How each head is read, in the order of the outputs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["gensynth.labels"] = "gensynth.labels"
    version: Literal[1] = 1
    heads: Annotated[tuple[Readout, ...], Field(min_length=1, max_length=64)]


class Model(nn.Module):
    """A trained network that reads images as the user has them.

    Attributes:
        genome: What the network is.
        preprocessing: What is done to images.
        heads: How each output is read, by the alphabet of their names.
        card: What is known of the model: data, protocol, figures, recipe, versions.

    Args:
        network: Trained.
        preprocessing: That of the training.
        heads: One an output of the genome.
        card: As the attribute.

    Raises:
        UserError: If they do not fit together.
    """

    def __init__(
        self,
        network: Network,
        preprocessing: Preprocessing,
        heads: Sequence[Readout],
        card: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.reader = Reader(preprocessing)
        self.heads = tuple(heads)
        self.card = dict(card or {})
        _check_fits(network.genome, preprocessing, self.heads)
        self.eval()

    @property
    def genome(self) -> Genome:
        """What the network is."""
        return self.network.genome

    @property
    def preprocessing(self) -> Preprocessing:
        """What is done to images."""
        return self.reader.preprocessing

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of what the first head gives."""
        return self.heads[0].labels

    def forward(self, images: Image) -> Tensor | dict[str, Tensor]:
        """Reads one image, or several of one size.

        Args:
            images: uint8, of any size: (H, W), (H, W, C) or (N, H, W, C), C one of 1, 3 and 4.

        Returns:
            Probabilities or numbers, (N, labels), without N for one image; of several heads all by
            name.

        Raises:
            ValueError: For anything that is no such image.
        """
        batch = as_batch(images)
        read = self.read(self.reader(batch))
        if np.ndim(images) < 4:
            read = {name: values[0] for name, values in read.items()}
        return read if len(read) > 1 else next(iter(read.values()))

    def read(self, pixels: Tensor) -> dict[str, Tensor]:
        """What the network says of images that are preprocessed, float32 (N, channels, H, W)."""
        outputs = self._outputs(pixels)
        if self.preprocessing.mirror:
            mirrored = self._outputs(pixels.flip(-1))
            outputs = [(one + other) / 2 for one, other in zip(outputs, mirrored, strict=True)]
        return {head.output: head(values) for head, values in zip(self.heads, outputs, strict=True)}

    def _outputs(self, pixels: Tensor) -> list[Tensor]:
        said = self.network(pixels)
        return [said] if isinstance(said, Tensor) else [said[head.name] for head in self.heads]

    @torch.inference_mode()
    def predict(self, image: Image) -> dict[str, NDArray[np.float32]]:
        """What is said of one image, (H, W) or (H, W, C), by head."""
        read = self.read(self.reader(as_batch(image)))
        return {name: values[0].numpy() for name, values in read.items()}

    def save(self, folder: str | Path) -> Path:
        """Writes the folder.

        Raises:
            UserError: If it cannot be made.
        """
        from safetensors.torch import save_file

        path = Path(folder)
        make_folder(path, remedy="give --output a folder that can be written to")
        state = {name: value.contiguous() for name, value in self.network.state_dict().items()}
        temporary = path / f".{WEIGHTS}.new"
        save_file(state, temporary)
        temporary.replace(path / WEIGHTS)
        replace_file(path / GENOME, genomes.dumps(self.genome))
        replace_file(path / PREPROCESSING, self.preprocessing.model_dump_json(indent=2) + "\n")
        replace_file(path / LABELS, Labels(heads=self.heads).model_dump_json(indent=2) + "\n")
        replace_file(path / CARD, json.dumps(self.card, indent=2) + "\n")
        return path


def is_model(path: str | Path) -> bool:
    """Whether a path is a folder with weights."""
    return (Path(path) / WEIGHTS).is_file()


def load_model(path: str | Path) -> Model:
    """Reads a model folder.

    Args:
        path: The folder, as ``gensynth train`` writes it.

    Returns:
        A module whose input is an image as the user has it, see :meth:`Model.forward`.

    Raises:
        UserError: If something is missing, too large, or does not fit the rest.
    """
    folder = Path(path)
    if not is_model(folder):
        raise UserError(
            f"is no model, it has no {WEIGHTS}",
            where=str(folder),
            remedy="make one: gensynth train RUN -o MODEL",
        )
    genome = genomes.load(folder / GENOME)
    preprocessing = validate(
        Preprocessing, read_json(folder / PREPROCESSING), where=str(folder / PREPROCESSING)
    )
    labels = validate(Labels, read_json(folder / LABELS), where=str(folder / LABELS))
    card = read_json(folder / CARD)
    if not isinstance(card, dict):
        raise UserError("is no mapping", where=str(folder / CARD))
    state = _weights(folder / WEIGHTS, genome)
    network = build(genome, seed=0)
    network.load_state_dict(state)
    try:
        return Model(network, preprocessing, labels.heads, card)
    except UserError as error:
        raise UserError(error.problem, where=str(folder / error.where)) from error


def as_batch(images: Image) -> Tensor:
    """Images as uint8 (N, H, W, C).

    Raises:
        ValueError: For anything that is no such image.
    """
    batch = images if isinstance(images, Tensor) else torch.from_numpy(np.array(images))
    if batch.ndim == 2:
        batch = batch[..., None]
    if batch.ndim == 3:
        batch = batch[None]
    if batch.ndim != 4 or batch.dtype != torch.uint8 or batch.shape[-1] not in (1, 3, 4):
        raise ValueError(
            "an image is uint8 (H, W) or (H, W, C), C one of 1, 3 and 4, not "
            f"{str(batch.dtype).removeprefix('torch.')} {tuple(np.shape(images))}"
        )
    if 0 in batch.shape:
        raise ValueError("an image has pixels")
    return batch


def _check_fits(genome: Genome, preprocessing: Preprocessing, heads: tuple[Readout, ...]) -> None:
    shape = preprocessing.channels, preprocessing.height, preprocessing.width
    if shape != genome.input.shape:
        raise UserError(
            f"makes images of {shape} and the network reads {genome.input.shape}",
            where=PREPROCESSING,
        )
    given = sorted((name, genome.shapes[node]) for name, node in genome.outputs.items())
    named = sorted((head.name, (len(head.labels),)) for head in heads)
    if len(given) == len(named) == 1:
        given, named = [("", given[0][1])], [("", named[0][1])]
    if given != named:
        raise UserError(f"names {named} and the network gives {given}", where=LABELS)


def _weights(path: Path, genome: Genome) -> dict[str, Tensor]:
    """Reads the tensors that a genome's network has, and no others."""
    from safetensors import SafetensorError, safe_open

    wanted = build(genome, seed=0, device="meta").state_dict()
    needed = sum(value.numel() * value.element_size() for value in wanted.values())
    if path.stat().st_size > needed + MOST_HEADER:
        raise UserError(
            f"{path.stat().st_size} bytes are more than the network's {needed}", where=str(path)
        )
    try:
        with safe_open(path, framework="pt") as file:
            names = set(file.keys())
            if names != wanted.keys():
                odd = sorted(names ^ wanted.keys())[0]
                has = "has" if odd in names else "lacks"
                raise UserError(f"{has} {odd}, unlike {GENOME}", where=str(path))
            return {name: _tensor(file, name, wanted[name], path) for name in wanted}
    except SafetensorError as error:
        raise UserError(f"not safetensors ({first_line(error)})", where=str(path)) from error


_KINDS = {torch.float32: "F32", torch.int64: "I64"}


def _tensor(file: Any, name: str, wanted: Tensor, path: Path) -> Tensor:
    described = file.get_slice(name)
    shape, kind = tuple(described.get_shape()), described.get_dtype()
    if shape != tuple(wanted.shape) or kind != _KINDS.get(wanted.dtype):
        raise UserError(
            f"{name} is {kind} {shape}, not {_KINDS.get(wanted.dtype)} {tuple(wanted.shape)}",
            where=str(path),
        )
    tensor: Tensor = file.get_tensor(name)
    if tensor.is_floating_point() and not math.isfinite(float(tensor.abs().sum())):
        raise UserError(f"{name} has values that are no numbers", where=str(path))
    return tensor
