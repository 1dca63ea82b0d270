"""A model as one file of plain C, for microcontrollers and whatever has a compiler.

Written by emx-onnx-cgen from the ONNX graph. Sizes are fixed in C: the image is gray, or RGB where
the network reads colours, and has the network's own height and width.
"""

from __future__ import annotations

import ctypes
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from gensynth.device.golden import Run
from gensynth.device.model import Model
from gensynth.device.onnx_graph import core_graph, whole_graph
from gensynth.errors import UserError

FUNCTION = "gensynth_model"


def write_c(model: Model, path: Path) -> None:
    """Writes ``gensynth_model(image, head, …)``, and beside it what the heads' values are.

    Raises:
        UserError: If the generator cannot express the network.
    """
    with TemporaryDirectory(prefix="gensynth-") as folder:
        folded = _of_one_size(model, Path(folder))
        words = [sys.executable, "-m", "emx_onnx_cgen", "compile", "--model-name", FUNCTION]
        words += ["--large-weight-threshold", "0", "--color", "never", str(folded), str(path)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr + done.stdout).strip().splitlines()[-1:]
        raise UserError(f"emx-onnx-cgen cannot write it ({' '.join(last)})", where=str(path))
    labels = {
        "image": _shape(model),
        "heads": [head.model_dump(mode="json") for head in model.heads],
    }
    path.with_name(f"{path.name}.labels.json").write_text(json.dumps(labels), encoding="utf-8")


def c_runtime(path: Path) -> Run:
    """Compiles a file with the machine's C compiler and runs it.

    Raises:
        UserError: If there is no compiler, or it refuses the file.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise UserError("is compiled to be checked, and there is no cc", where=str(path))
    with TemporaryDirectory(prefix="gensynth-") as folder:
        library = str(Path(folder) / "model.so")
        words = [compiler, "-O2", "-shared", "-fPIC", str(path), "-lm", "-o", library]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"does not compile ({done.stderr.strip()[:200]})", where=str(path))
        function = getattr(ctypes.CDLL(library), FUNCTION)
    described = json.loads(path.with_name(f"{path.name}.labels.json").read_text(encoding="utf-8"))
    heads = {head["name"] or head["kind"]: len(head["labels"]) for head in described["heads"]}

    def run(image: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
        if list(image.shape) != described["image"]:
            raise ValueError(f"an image is {described['image']}, not {image.shape}")
        given = np.ascontiguousarray(image)
        said = {name: np.zeros(size, dtype=np.float32) for name, size in heads.items()}
        places = [given.ctypes.data, *(values.ctypes.data for values in said.values())]
        function(*map(ctypes.c_void_p, places))
        return said

    return run


def _shape(model: Model) -> list[int]:
    channels, height, width = model.genome.input.shape
    return [height, width, channels]


def _of_one_size(model: Model, folder: Path) -> Path:
    """The whole graph for images of one size, what depends on the size alone computed."""
    whole = whole_graph(model, core_graph(model))
    sides = whole.graph.input[0].type.tensor_type.shape.dim
    for side, value in zip(sides, _shape(model), strict=True):
        side.dim_value = value
    plain, folded = folder / "plain.onnx", folder / "folded.onnx"
    onnx.save(whole, plain)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(folded)
    onnxruntime.InferenceSession(str(plain), options, providers=["CPUExecutionProvider"])
    return folded
