"""The files that other runtimes read, each checked in its own runtime when it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gensynth.device.golden import Run, difference, golden_images, write_golden
from gensynth.device.model import Model
from gensynth.errors import UserError
from gensynth.execution.files import file_name, make_folder
from gensynth.registry import Registry

Images = NDArray[np.uint8]
"""uint8 (N, C, H, W), as a data set has them."""


@dataclass(frozen=True)
class Exporter:
    """One way to write a model.

    Attributes:
        suffix: Ending of its files.
        description: What it is, in a few words.
        needs: Modules that have to be there, and ``install``, the words that get them.
        write: Writes a model, with calibration images where it takes some.
        run: Runs a file in its own runtime.
        tolerance: Greatest difference of an output from PyTorch's that is accepted; None accepts
            any, since rounding is what the format is about, and states it.
        calibrated: Whether it takes calibration images.
        one_size: Whether it reads images of the network's own size and channels alone.
    """

    suffix: str
    description: str
    needs: tuple[str, ...]
    install: str
    write: Callable[[Model, Path, Images | None], None]
    run: Callable[[Path], Run]
    tolerance: float | None = 1e-4
    calibrated: bool = False
    one_size: bool = False


@dataclass(frozen=True)
class Exported:
    """An exported file.

    Attributes:
        path: The file.
        golden: Images and what PyTorch says of them.
        images: Number of these.
        difference: Greatest one of its runtime's outputs from those.
        tolerance: What is accepted; None for any.
        bytes: Its size.
    """

    path: Path
    golden: Path
    images: int
    difference: float
    tolerance: float | None
    bytes: int


def _write_onnx(model: Model, path: Path, images: Images | None) -> None:
    from gensynth.device.onnx_graph import write_onnx

    write_onnx(model, path)


def _run_onnx(path: Path) -> Run:
    from gensynth.device.onnx_graph import onnx_runtime

    return onnx_runtime(path)


def _write_int8(model: Model, path: Path, images: Images | None) -> None:
    from gensynth.device.quantised import write_onnx_int8

    assert images is not None
    write_onnx_int8(model, path, images)


def _write_program(model: Model, path: Path, images: Images | None) -> None:
    from gensynth.device.exported_program import write_program

    write_program(model, path)


def _run_program(path: Path) -> Run:
    from gensynth.device.exported_program import program_runtime

    return program_runtime(path)


def _write_c(model: Model, path: Path, images: Images | None) -> None:
    from gensynth.device.c_source import write_c

    write_c(model, path)


def _run_c(path: Path) -> Run:
    from gensynth.device.c_source import c_runtime

    return c_runtime(path)


ONNX = ("onnx", "onnxruntime", "onnxscript")

EXPORTERS: Registry[Exporter] = Registry("format", "gensynth.formats")
"""By name; packages add theirs by entry points of this group."""

EXPORTERS.add(
    "onnx",
    Exporter(
        suffix=".onnx",
        description="ONNX, float32, for onnxruntime",
        needs=ONNX,
        install='pip install "gensynth[onnx]"',
        write=_write_onnx,
        run=_run_onnx,
    ),
)
EXPORTERS.add(
    "onnx-int8",
    Exporter(
        suffix=".int8.onnx",
        description="ONNX with weights and activations of eight bits, for onnxruntime",
        needs=ONNX,
        install='pip install "gensynth[onnx]"',
        write=_write_int8,
        run=_run_onnx,
        tolerance=None,
        calibrated=True,
    ),
)
EXPORTERS.add(
    "torch-export",
    Exporter(
        suffix=".pt2",
        description="a program of torch.export, for PyTorch alone",
        needs=("torch",),
        install="pip install torch",
        write=_write_program,
        run=_run_program,
    ),
)
EXPORTERS.add(
    "c",
    Exporter(
        suffix=".c",
        description="plain C; images have the network's own size and channels",
        needs=(*ONNX, "emx_onnx_cgen"),
        install='pip install "gensynth[c]"',
        write=_write_c,
        run=_run_c,
        one_size=True,
    ),
)


def deploy(
    model: Model, format: str, path: str | Path | None = None, images: Images | None = None
) -> Exported:
    """Writes a model to a file of another runtime, and compares the two.

    Args:
        model: Trained.
        format: A name of :data:`EXPORTERS`.
        path: The file; named after the network, in the working directory, when None. A folder gets
            the file inside.
        images: To calibrate by, of the training part alone, for formats that do.

    Returns:
        The file, with golden inputs and outputs beside it.

    Raises:
        UserError: For an unknown format, a package that is missing, a path that cannot be written,
            or a file that does not say what PyTorch says.
    """
    exporter = EXPORTERS.find(format, where="format")
    check_installed(format, exporter)
    if exporter.calibrated and images is None:
        raise UserError(
            f"{format} needs images to calibrate by", where="format", remedy="name their data=…"
        )
    target = Path(path) if path is not None else Path()
    if target.is_dir():
        target /= f"{file_name(model.genome.name)}{exporter.suffix}"
    make_folder(target.parent, remedy="give --output a file that can be written to")
    exporter.write(model, target, images)
    shown = golden_images(model, one_size=exporter.one_size)
    golden = write_golden(model, target.with_name(f"{target.name}.golden.safetensors"), shown)
    found = difference(exporter.run(target), golden)
    if exporter.tolerance is not None and not found <= exporter.tolerance:
        raise UserError(
            f"differs by {found:.2g} from PyTorch, more than {exporter.tolerance:g}",
            where=str(target),
            remedy="keep the model folder and report the network",
        )
    return Exported(target, golden, len(shown), found, exporter.tolerance, target.stat().st_size)


def check_installed(name: str, exporter: Exporter) -> None:
    """Makes sure that what a format needs is there.

    Raises:
        UserError: Naming what is missing, and the words that install it.
    """
    missing = [module for module in exporter.needs if find_spec(module) is None]
    if missing:
        raise UserError(
            f"{name} needs {' and '.join(missing)}", where="format", remedy=exporter.install
        )


__all__ = ["EXPORTERS", "Exported", "Exporter", "Images", "check_installed", "deploy"]
