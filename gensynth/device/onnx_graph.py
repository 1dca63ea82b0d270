"""A model as one ONNX file: a raw image in, probabilities out, nothing else needed."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.compose
import onnx.helper
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import gensynth
from gensynth.device.golden import Run
from gensynth.device.model import Model
from gensynth.device.preprocessing import ANY_IMAGE, EXAMPLE, Preprocessing, Reader

OPSET = 18
IMAGE, PIXELS = "image", "pixels"


class Core(nn.Module):
    """What comes after the preprocessing, for one image.

    Args:
        model: Of which.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Takes float32 (1, channels, H, W), gives (labels,) of each head."""
        return tuple(values[0] for values in self.model.read(pixels).values())


class One(nn.Module):
    """A preprocessing of one image.

    Args:
        preprocessing: Which one.
    """

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.reader = Reader(preprocessing)

    def forward(self, image: Tensor) -> Tensor:
        """Takes uint8 (H, W, C), gives float32 (1, channels, height, width)."""
        pixels: Tensor = self.reader(image[None])
        return pixels


def core_graph(model: Model) -> onnx.ModelProto:
    """The network with its readouts, batch normalisation folded: ``pixels`` in, heads out."""
    pixels = torch.zeros(1, *model.genome.input.shape)
    return _graph(Core(model), pixels, PIXELS, [head.output for head in model.heads])


def reader_graph(preprocessing: Preprocessing) -> onnx.ModelProto:
    """A preprocessing: ``image``, uint8 (height, width, channels), in, ``pixels`` out."""
    graph: onnx.ModelProto = onnx.load_from_string(_reader(preprocessing.model_dump_json()))
    return graph


@lru_cache(maxsize=16)
def _reader(preprocessing: str) -> bytes:
    """The graph of a preprocessing as JSON; many networks have the same."""
    module = One(Preprocessing.model_validate_json(preprocessing))
    graph = _graph(module, EXAMPLE, IMAGE, [PIXELS], dynamic_shapes=ANY_IMAGE)
    return bytes(graph.SerializeToString())


def _graph(
    module: nn.Module, given: Tensor, name: str, outputs: Sequence[str], **options: Any
) -> onnx.ModelProto:
    with _quiet():
        program = torch.onnx.export(
            module.eval(),
            (given,),
            dynamo=True,
            opset_version=OPSET,
            input_names=[name],
            output_names=outputs,
            verbose=False,
            **options,
        )
    assert program is not None
    graph: onnx.ModelProto = program.model_proto
    del graph.metadata_props[:]
    for node in graph.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    return graph


def whole_graph(model: Model, core: onnx.ModelProto) -> onnx.ModelProto:
    """A core with the preprocessing before it, and what a stranger has to know inside.

    Args:
        model: Of which.
        core: :func:`core_graph`, or one with other weights.

    Returns:
        A graph with the input ``image``, uint8 (height, width, channels) of any size, and the
        heads as outputs. Its metadata are ``labels`` and ``preprocessing``, as the model folder has
        them, and ``name``, ``hash``, ``data`` and ``synthetic``.
    """
    before = reader_graph(model.preprocessing)
    before.ir_version = core.ir_version
    before = onnx.compose.add_prefix(
        before, "preprocessing/", rename_inputs=False, rename_outputs=False
    )
    whole = onnx.compose.merge_models(before, core, io_map=[(PIXELS, PIXELS)])
    whole.producer_name, whole.producer_version = "gensynth", gensynth.__version__
    whole.graph.name = "".join(c if c.isalnum() else "_" for c in model.genome.name) or "network"
    told = {
        "labels": json.dumps([head.model_dump(mode="json") for head in model.heads]),
        "preprocessing": model.preprocessing.model_dump_json(),
        "name": model.genome.name,
        "hash": model.genome.hash,
        "data": str(model.card.get("data", "")),
        "synthetic": json.dumps(bool(model.card.get("synthetic", False))),
    }
    onnx.helper.set_model_props(whole, told)
    onnx.checker.check_model(whole, full_check=True)
    return whole


def write_onnx(model: Model, path: Path) -> None:
    """Writes a model as one float32 file."""
    onnx.save(whole_graph(model, core_graph(model)), path)


def onnx_runtime(path: Path | bytes) -> Run:
    """Runs a file with ONNX Runtime in one thread."""
    session = session_of(path)
    names = [output.name for output in session.get_outputs()]

    def run(image: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
        return dict(zip(names, session.run(None, {IMAGE: image}), strict=True))

    return run


def session_of(model: Path | bytes) -> Any:
    """An ONNX Runtime session with one thread, on the processor."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the exporter's progress and the warnings about its own parts from people."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
