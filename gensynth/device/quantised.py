"""Eight bits: static quantisation after training, and how far it moves the answers."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from gensynth.device.formats import EXPORTERS, check_installed
from gensynth.device.model import Model
from gensynth.device.onnx_graph import PIXELS, core_graph, whole_graph
from gensynth.device.training import (
    HeldOut,
    Tell,
    TrainingPlan,
    judged,
    without_each,
)
from gensynth.experiment import Experiment
from gensynth.genome import Genome
from gensynth.task import Readout

CALIBRATION_IMAGES = 256
"""Greatest number of images whose activations are measured, spread evenly over those given."""

QUANTISED = (
    "Add",
    "AveragePool",
    "Clip",
    "Concat",
    "Conv",
    "Gemm",
    "GlobalAveragePool",
    "MatMul",
    "MaxPool",
    "Mul",
    "Relu",
    "Reshape",
)
"""Operations in eight bits; the preprocessing and the softmax stay as they are."""


def write_onnx_int8(model: Model, path: Path, images: NDArray[np.uint8]) -> None:
    """Writes a model as an ONNX file with weights and activations of eight bits.

    Args:
        model: Trained.
        path: The file.
        images: Of the training part alone, uint8 (N, C, H, W); the ranges of the activations are
            theirs.
    """
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Pixels(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = _pixels(model, images)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            return next(self.left, None)

    logging.getLogger("onnxruntime.quantization").setLevel(logging.ERROR)
    with TemporaryDirectory(prefix="gensynth-") as folder:
        plain, ready, small = (
            Path(folder) / f"{name}.onnx" for name in ("plain", "ready", "small")
        )
        onnx.save(core_graph(model), plain)
        quant_pre_process(plain, ready, skip_symbolic_shape=True)
        quantize_static(
            ready,
            small,
            Pixels(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
        )
        core = onnx.load(small)
    onnx.save(whole_graph(model, core), path)


def _pixels(model: Model, images: NDArray[np.uint8]) -> Iterator[dict[str, NDArray[np.float32]]]:
    chosen = np.unique(np.linspace(0, len(images) - 1, CALIBRATION_IMAGES).round().astype(int))
    for image in images[chosen]:
        with torch.inference_mode():
            pixels = model.reader(torch.from_numpy(image.transpose(1, 2, 0).copy())[None])
        yield {PIXELS: pixels.numpy()}


def exported_figures(
    genome: Genome,
    experiment: Experiment,
    format: str,
    *,
    folds: int | None = None,
    epochs: int | None = None,
    tell: Tell = lambda line: None,
) -> dict[str, Any]:
    """What a format costs, by the whole protocol.

    A network is trained without each fold and tested on it: as it is, and as a file in the format's
    own runtime, calibrated by images of the training part alone.

    Args:
        genome: The network.
        experiment: Data, task, folds and recipe.
        format: Name of an exporter.
        folds: Only the first so many; all when None.
        epochs: Passes over each training part; those of the confirmation when None.
        tell: Is told what is going on.

    Returns:
        ``pytorch`` and ``exported``, each with the task's figures; ``bytes`` of a file, and
        ``images`` and ``changed``, the number of answers that differ.

    Raises:
        UserError: If the network does not fit the data, a training diverges, or the format is
            unknown or cannot be made here.
    """
    exporter = EXPORTERS.find(format, where="format")
    check_installed(format, exporter)
    plan = TrainingPlan.of(genome, experiment, epochs=epochs)
    held_out = without_each(genome, plan, folds or len(plan.folds), tell)
    before = [member.objective.decode(member.outputs) for member in held_out]
    after, sizes = [], []
    for member in held_out:
        with TemporaryDirectory(prefix="gensynth-") as folder:
            path = Path(folder) / f"fold{exporter.suffix}"
            exporter.write(member.model, path, plan.dataset.images[member.fold.train])
            sizes.append(path.stat().st_size)
            after.append(_said(member, exporter.run(path), plan.dataset.images[member.fold.test]))
    same = [np.equal(one, other) for one, other in zip(before, after, strict=True)]
    changed = sum(int((~part.reshape(len(part), -1).all(1)).sum()) for part in same)
    return {
        "name": genome.name,
        "hash": genome.hash,
        "data": plan.dataset.name,
        "synthetic": plan.dataset.synthetic,
        "format": format,
        "epochs": plan.epochs,
        "seed": plan.seed,
        "folds": [member.fold.index for member in held_out],
        "pytorch": judged(plan, held_out, before),
        "exported": judged(plan, held_out, after),
        "images": sum(len(member.fold.test) for member in held_out),
        "changed": changed,
        "bytes": max(sizes),
    }


def _said(member: HeldOut, run: Any, images: NDArray[np.uint8]) -> NDArray[Any]:
    heads = member.objective.readouts()
    rows = [_outputs(heads, run(np.ascontiguousarray(one.transpose(1, 2, 0)))) for one in images]
    return member.objective.decode(torch.tensor(np.stack(rows)))


def _outputs(
    heads: Sequence[Readout], values: Mapping[str, NDArray[np.float32]]
) -> NDArray[np.float32]:
    """What a network gave, from what was read of it; of probabilities up to a constant."""
    parts = []
    for head in heads:
        given = np.asarray(values[head.output], dtype=np.float32)
        if head.kind == "probabilities":
            given = np.log(np.maximum(given, np.finfo(np.float32).tiny))
        parts.append((given - np.array(head.offset)) / np.array(head.scale))
    return np.concatenate(parts).astype(np.float32)
