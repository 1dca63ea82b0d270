"""From what a network gives to what a person reads, as data that any runtime can follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from torch import Tensor

Finite = Annotated[float, Field(allow_inf_nan=False)]
Label = Annotated[str, Field(max_length=256)]
BINS = 15
"""Of the expected calibration error, as many as Guo et al. 2017 take."""


class Readout(BaseModel):
    """How the outputs of one head are read.

    Each output is multiplied by its scale and gets its offset added; probabilities are the softmax
    of that.

    Attributes:
        name: Of the genome's output; empty for the only one.
        kind: What comes out.
        labels: Names of the classes, or of the numbers.
        unit: Of numbers.
        scale: One an output.
        offset: One an output.
        calibration: How the temperature of probabilities was found, figures by name; empty where it
            was not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(max_length=256)] = ""
    kind: Literal["probabilities", "numbers"]
    labels: Annotated[tuple[Label, ...], Field(min_length=1, max_length=100_000)]
    unit: Annotated[str, Field(max_length=16)] = ""
    scale: tuple[Finite, ...]
    offset: tuple[Finite, ...]
    calibration: Mapping[str, Finite] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_each(self) -> Readout:
        if not len(self.labels) == len(self.scale) == len(self.offset):
            raise ValueError("labels, scale and offset are not one for each output")
        return self

    @property
    def output(self) -> str:
        """What exported files call it."""
        return self.name or self.kind

    def __call__(self, outputs: Tensor) -> Tensor:
        """Reads outputs, float32 (N, size)."""
        read = outputs * outputs.new_tensor(self.scale) + outputs.new_tensor(self.offset)
        return read.softmax(-1) if self.kind == "probabilities" else read

    def line(self, values: NDArray[np.float32]) -> str:
        """What an image's values say, in words: ``happy 93.1 %, surprise 4.0 %``."""
        if self.kind == "numbers":
            unit = self.unit and (self.unit if self.unit == "°" else f" {self.unit}")
            pairs = zip(self.labels, values.tolist(), strict=True)
            return ", ".join(f"{label} {value:.2f}{unit}" for label, value in pairs)
        order = np.argsort(-values, kind="stable")[:3]
        return ", ".join(f"{self.labels[at]} {100 * float(values[at]):.1f} %" for at in order)


def calibrated(readout: Readout, outputs: Tensor, targets: Tensor) -> Readout:
    """Class probabilities that mean what they say: one temperature (Guo et al. 2017, section 4.2).

    Args:
        readout: Of a head that was never calibrated.
        outputs: Of networks trained alike for images that they were not trained on, (N, size).
        targets: Their classes, int64 (N,).

    Returns:
        The readout at the temperature of least cross-entropy, with ``temperature``, ``images``,
        and ``cross_entropy`` (nats) and ``calibration_error`` before and after.
    """
    from scipy.optimize import minimize_scalar
    from torch.nn.functional import cross_entropy

    outputs = outputs.double()

    def entropy(logarithm: float) -> float:
        return float(cross_entropy(outputs * np.exp(-logarithm), targets))

    found = float(minimize_scalar(entropy, bounds=(-4, 4), method="bounded").x)
    temperature = float(np.exp(found))
    return readout.model_copy(
        update={
            "scale": tuple(scale / temperature for scale in readout.scale),
            "calibration": {
                "temperature": temperature,
                "images": float(len(outputs)),
                "cross_entropy_before": entropy(0.0),
                "cross_entropy": entropy(found),
                "calibration_error_before": calibration_error(outputs.softmax(1), targets),
                "calibration_error": calibration_error((outputs / temperature).softmax(1), targets),
            },
        }
    )


def calibration_error(probabilities: Tensor, targets: Tensor) -> float:
    """Expected calibration error of the likeliest class (Guo et al. 2017, eq. 3).

    Args:
        probabilities: (N, classes).
        targets: int64 (N,).
    """
    surest, said = probabilities.max(1)
    right = (said == targets).double().numpy()
    sure = surest.double().numpy()
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = np.bincount(place, weights=right - sure, minlength=BINS)
    return float(np.abs(gaps).sum() / len(right))
