"""What is measured of a network's file: latency, memory, size. One function a metric."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

import numpy as np

from gensynth.device.formats import EXPORTERS, check_installed
from gensynth.device.model import Model
from gensynth.device.onnx_graph import IMAGE, session_of
from gensynth.device.preprocessing import Preprocessing
from gensynth.errors import UserError
from gensynth.genome import Genome
from gensynth.network import build
from gensynth.registry import Registry
from gensynth.task import Readout
from gensynth.training import Recipe

SECONDS, LEAST, MOST = 0.5, 50, 2000
"""How long a latency is measured, and how many runs that is at least and at most."""


@dataclass(frozen=True)
class Estimate:
    """A measured value.

    Attributes:
        value: The value.
        interval: 95 % interval; None where there is none, and the value twice where it is exact.
    """

    value: float
    interval: tuple[float, float] | None = None


@dataclass
class Subject:
    """A network that is measured, with the files that it is measured in; a context manager.

    Attributes:
        model: Trained or not: nothing that is measured here depends on weights.
    """

    model: Model
    _files: dict[str, Path] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Subject:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def file(self, format: str) -> Path:
        """Its file of a format, written once."""
        if format not in self._files:
            exporter = EXPORTERS.find(format, where="format")
            check_installed(format, exporter)
            folder = self._open.enter_context(TemporaryDirectory(prefix="gensynth-"))
            path = Path(folder) / f"network{exporter.suffix}"
            shape = self.model.genome.input.shape
            noise = np.random.default_rng(0).integers(0, 256, (8, *shape), dtype=np.uint8)
            exporter.write(self.model, path, noise)
            self._files[format] = path
        return self._files[format]


Meter = Callable[[Subject], Estimate]

METERS: Registry[Meter] = Registry("meter", "gensynth.meters")
"""How each metric of :data:`gensynth.measured.MEASURED` is measured."""


def untrained(genome: Genome, recipe: Recipe) -> Model:
    """A network with drawn weights and the preprocessing of a recipe: as fast as a trained one.

    Raises:
        UserError: If it reads images of other than one or three channels.
    """
    channels, height, width = genome.input.shape
    if channels not in (1, 3):
        raise UserError(f"reads {channels} channels, not 1 or 3", where=genome.name)
    preprocessing = Preprocessing.model_validate(
        {
            "channels": channels,
            "height": height,
            "width": width,
            "local_contrast": recipe.local_contrast,
            "mean": [0.0] * channels,
            "deviation": [1.0] * channels,
            "mirror": recipe.flip_test,
        }
    )
    heads = [
        Readout(
            name=name if len(genome.outputs) > 1 else "",
            kind="probabilities",
            labels=tuple(map(str, range(genome.shapes[node][0]))),
            scale=(1.0,) * genome.shapes[node][0],
            offset=(0.0,) * genome.shapes[node][0],
        )
        for name, node in sorted(genome.outputs.items())
    ]
    return Model(build(genome, seed=0), preprocessing, heads)


def measure(model: Model, names: tuple[str, ...]) -> Mapping[str, Estimate]:
    """Measures some metrics of a network on this machine.

    Raises:
        UserError: If a package that a metric's runtime needs is missing.
    """
    with Subject(model) as subject:
        return {name: METERS.find(name, where="metric")(subject) for name in names}


def latency(subject: Subject) -> Estimate:
    """Median time from a raw image of the network's size to its probabilities, in ms.

    The interval is that of a median by order statistics, whatever the distribution (David and
    Nagaraja 2003, section 7.1).
    """
    session = session_of(subject.file("onnx"))
    _, height, width = subject.model.genome.input.shape
    image = np.random.default_rng(0).integers(0, 256, (height, width, 1), dtype=np.uint8)
    for _ in range(LEAST):
        session.run(None, {IMAGE: image})
    took: list[float] = []
    begun = time.perf_counter()
    while len(took) < LEAST or (time.perf_counter() - begun < SECONDS and len(took) < MOST):
        started = time.perf_counter()
        session.run(None, {IMAGE: image})
        took.append(1000 * (time.perf_counter() - started))
    took.sort()
    reach = math.ceil(0.98 * math.sqrt(len(took)))
    middle = len(took) // 2
    interval = took[max(0, middle - reach)], took[min(len(took) - 1, middle + reach)]
    return Estimate(float(np.median(took)), interval)


def memory(subject: Subject) -> Estimate:
    """What a process holds more, at most, once it has made a session and run it, in bytes.

    Raises:
        UserError: On systems other than Linux.
    """
    if sys.platform != "linux":
        raise UserError("is measured on Linux alone", where="memory.onnx")
    _, height, width = subject.model.genome.input.shape
    words = [sys.executable, "-c", _PROBE, str(subject.file("onnx")), str(height), str(width)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise UserError(f"cannot be measured ({' '.join(last)})", where="memory.onnx")
    return Estimate(float(done.stdout))


_PROBE = """
import sys, numpy, onnxruntime
from pathlib import Path
def held(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(key)).split()[1])
image = numpy.zeros((int(sys.argv[2]), int(sys.argv[3]), 1), dtype=numpy.uint8)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
before = held("VmRSS:")
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
for _ in range(20):
    session.run(None, {"image": image})
print(held("VmHWM:") - before)
"""
"""Linux alone has a peak that can begin anew; importing ONNX Runtime takes more than a session."""


def size(format: str) -> Meter:
    """A meter of the bytes of a file; they are exact."""

    def measured(subject: Subject) -> Estimate:
        value = float(subject.file(format).stat().st_size)
        return Estimate(value, (value, value))

    return measured


METERS.add("latency_ms.onnx_1thread", latency)
METERS.add("memory.onnx", memory)
METERS.add("bytes.onnx", size("onnx"))
METERS.add("bytes.int8", size("onnx-int8"))
