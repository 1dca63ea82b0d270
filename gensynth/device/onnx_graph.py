"""A model as one ONNX file: a raw image in, probabilities out, nothing else needed."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.compose
import onnx.helper
import onnx.parser
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import gensynth
from gensynth.device.model import Model
from gensynth.device.preprocessing import GRAY, MIDDLE, Preprocessing, windows

OPSET = 18
IMAGE, PIXELS = "image", "pixels"

Run = Callable[[NDArray[np.uint8]], Mapping[str, NDArray[np.float32]]]
"""Takes an image, uint8 (H, W, C), and gives the values of each head."""


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


def core_graph(model: Model) -> onnx.ModelProto:
    """The network with its readouts, batch normalisation folded: ``pixels`` in, heads out."""
    pixels = torch.zeros(1, *model.genome.input.shape)
    with _quiet():
        program = torch.onnx.export(
            Core(model).eval(),
            (pixels,),
            dynamo=True,
            opset_version=OPSET,
            input_names=[PIXELS],
            output_names=[head.output for head in model.heads],
            verbose=False,
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
    opset = next(one.version for one in core.opset_import if not one.domain)
    before = onnx.parser.parse_model(
        _preprocessing_text(model.preprocessing, core.ir_version, opset)
    )
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


def _preprocessing_text(wanted: Preprocessing, ir_version: int, opset: int = OPSET) -> str:
    """:class:`gensynth.device.preprocessing.Reader` in ONNX's own words."""
    gray = ", ".join(f"{weight:.1f}" for weight in GRAY)
    steps = [
        "size = Shape (image)",
        "one = Constant <value = int64[1] {1}> ()",
        "shown = Slice (size, two, three)",
        "last = Sub (shown, one)",
        "wanted = Constant <value = int64[3] {0, 1, 2}> ()",
        "taken = Min (wanted, last)",
        "coloured = Gather <axis = 2> (image, taken)",
        "levels = Cast <to = 1> (coloured)",
        "colours = Transpose <perm = [2, 0, 1]> (levels)",
    ]
    steps.insert(1, "two = Constant <value = int64[1] {2}> ()")
    steps.insert(2, "three = Constant <value = int64[1] {3}> ()")
    if wanted.channels == 1:
        steps += [
            f"weights = Constant <value = float[3, 1, 1] {{{gray}}}> ()",
            "weighted = Mul (colours, weights)",
            "zero = Constant <value = int64[1] {0}> ()",
            "summed = ReduceSum <keepdims = 1> (weighted, zero)",
            "half = Constant <value = float {32768.0}> ()",
            "raised = Add (summed, half)",
            "whole = Constant <value = float {65536.0}> ()",
            "share = Div (raised, whole)",
            "maps = Floor (share)",
        ]
    else:
        steps.append("maps = Identity (colours)")
    steps += _resampling("down", 0, wanted.height) + _resampling("across", 1, wanted.width)
    steps += [
        "sideways = Transpose <perm = [1, 0]> (across)",
        "lowered = MatMul (down, maps)",
        "resized = MatMul (lowered, sideways)",
    ]
    read = "resized"
    if wanted.local_contrast is not None:
        steps += _contrast(wanted)
        read = "contrast"
    shape = f"{wanted.channels}, 1, 1"
    steps += [
        f"mean = Constant <value = float[{shape}] {{{_listed(wanted.mean)}}}> ()",
        f"deviation = Constant <value = float[{shape}] {{{_listed(wanted.deviation)}}}> ()",
        f"centred = Sub ({read}, mean)",
        "normalised = Div (centred, deviation)",
        "front = Constant <value = int64[1] {0}> ()",
        "pixels = Unsqueeze (normalised, front)",
    ]
    read_shape = f"1, {wanted.channels}, {wanted.height}, {wanted.width}"
    body = "\n".join(steps)
    return f"""<ir_version: {ir_version}, opset_import: ["" : {opset}]>
preprocessing (uint8[height, width, channels] image) => (float[{read_shape}] pixels) {{
{body}
}}"""


def _resampling(name: str, axis: int, new: int) -> list[str]:
    """:func:`gensynth.device.preprocessing.resampling` along an axis of the image."""

    def of(step: str) -> str:
        return f"{name}_{step}"

    centres = _listed([at + 0.5 for at in range(new)])
    return [
        f"{of('axis')} = Constant <value = int64 {{{axis}}}> ()",
        f"{of('old')} = Gather (size, {of('axis')})",
        f"{of('none')} = Constant <value = int64 {{0}}> ()",
        f"{of('step')} = Constant <value = int64 {{1}}> ()",
        f"{of('range')} = Range ({of('none')}, {of('old')}, {of('step')})",
        f"{of('corners')} = Cast <to = 1> ({of('range')})",
        f"{of('half')} = Constant <value = float {{0.5}}> ()",
        f"{of('places')} = Add ({of('corners')}, {of('half')})",
        f"{of('pixels')} = Cast <to = 1> ({of('old')})",
        f"{of('new')} = Constant <value = float {{{float(new)}}}> ()",
        f"{of('scale')} = Div ({of('pixels')}, {of('new')})",
        f"{of('halves')} = Constant <value = float[{new}, 1] {{{centres}}}> ()",
        f"{of('centres')} = Mul ({of('halves')}, {of('scale')})",
        f"{of('apart')} = Sub ({of('places')}, {of('centres')})",
        f"{of('far')} = Abs ({of('apart')})",
        f"{of('unit')} = Constant <value = float {{1.0}}> ()",
        f"{of('reach')} = Max ({of('scale')}, {of('unit')})",
        f"{of('relative')} = Div ({of('far')}, {of('reach')})",
        f"{of('near')} = Sub ({of('unit')}, {of('relative')})",
        f"{of('triangle')} = Relu ({of('near')})",
        f"{of('along')} = Constant <value = int64[1] {{1}}> ()",
        f"{of('sums')} = ReduceSum <keepdims = 1> ({of('triangle')}, {of('along')})",
        f"{name} = Div ({of('triangle')}, {of('sums')})",
    ]


def _contrast(wanted: Preprocessing) -> list[str]:
    contrast = wanted.local_contrast
    assert contrast is not None
    down, across = windows(wanted.height, contrast), windows(wanted.width, contrast)
    pixels = down.sum(1)[:, None] * across.sum(1)[None]
    matrices = {"rows": down, "columns": across.T, "counted": pixels}
    return [
        *(
            f"{name} = Constant <value = float[{', '.join(map(str, value.shape))}] "
            f"{{{_listed(value.flatten().tolist())}}}> ()"
            for name, value in matrices.items()
        ),
        f"middle = Constant <value = float {{{MIDDLE}}}> ()",
        f"floor = Constant <value = float {{{float(contrast.floor)}}}> ()",
        "around = Sub (resized, middle)",
        "lines = MatMul (rows, around)",
        "windows = MatMul (lines, columns)",
        "local = Div (windows, counted)",
        "squares = Mul (around, around)",
        "square_lines = MatMul (rows, squares)",
        "square_windows = MatMul (square_lines, columns)",
        "square = Div (square_windows, counted)",
        "local_square = Mul (local, local)",
        "difference = Sub (square, local_square)",
        "variance = Relu (difference)",
        "spread = Sqrt (variance)",
        "raised_spread = Add (spread, floor)",
        "above = Sub (around, local)",
        "contrast = Div (above, raised_spread)",
    ]


def _listed(values: Any) -> str:
    return ", ".join(
        f"{float(value):.9g}" if value % 1 else f"{float(value):.1f}" for value in values
    )


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
