"""U, the universal performance function: one number a network, higher is better, in dB."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

LEAST_QUALITY = 1e-4
"""Share below which a quality is scored as this one, so that U stays finite."""

Exponent = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def netscore(
    quality: float,
    params: float,
    macs: float,
    *,
    alpha: float = 2.0,
    beta: float = 0.5,
    gamma: float = 0.5,
) -> float:
    """Scores how good a network is against its size and its operations.

    Omega = 20 log10(a^alpha / (p^beta m^gamma)), with a in percent, p in millions of parameters and
    m in billions of multiply-accumulates: Wong 2018, "NetScore: Towards Universal Metrics for
    Large-scale Performance Analysis of Deep Neural Networks for Practical On-Device Edge Usage",
    arXiv:1806.05512. Other units shift it by a constant.

    Args:
        quality: Share in [0, 1], see :meth:`gensynth.task.Task.quality`; below ``LEAST_QUALITY``
            (0.01 %) it counts as that.
        params: Number of parameters; below 1 it counts as 1.
        macs: Multiply-accumulates for one image; below 1 they count as 1.
        alpha: Weight of the quality.
        beta: Weight of the parameters.
        gamma: Weight of the multiply-accumulates.

    Returns:
        The score in dB, always finite; NaN where an argument is NaN.

    Example:
        >>> round(netscore(0.927, 136_000, 44_200_000), 1)
        100.9
    """
    return 20 * (
        alpha * math.log10(100 * _at_least(quality, LEAST_QUALITY))
        - beta * math.log10(_at_least(params, 1) / 1e6)
        - gamma * math.log10(_at_least(macs, 1) / 1e9)
    )


class NetScore(BaseModel):
    """NetScore as U: see :func:`netscore`.

    Attributes:
        alpha: Weight of the quality.
        beta: Weight of the parameters.
        gamma: Weight of the multiply-accumulates.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["netscore"] = "netscore"
    alpha: Exponent = 2.0
    beta: Exponent = 0.5
    gamma: Exponent = 0.5

    def __call__(self, quality: float, metrics: Mapping[str, float]) -> float:
        """U of a network, in dB.

        Args:
            quality: A share, see :func:`netscore`.
            metrics: At least ``params`` and ``macs``.

        Raises:
            KeyError: If one of them is missing.
        """
        return netscore(
            quality,
            metrics["params"],
            metrics["macs"],
            alpha=self.alpha,
            beta=self.beta,
            gamma=self.gamma,
        )


class Quality(BaseModel):
    """Quality alone as U, on NetScore's scale: 20 log10 of the percentage, in dB.

    Attributes:
        kind: ``accuracy`` is what runs called it when there was one task.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["quality", "accuracy"]

    def __call__(self, quality: float, metrics: Mapping[str, float]) -> float:
        """U of a network, in dB.

        Args:
            quality: A share, see :func:`netscore`.
            metrics: Not looked at.
        """
        return 20 * math.log10(100 * _at_least(quality, LEAST_QUALITY))


Performance = Annotated[NetScore | Quality, Field(discriminator="kind")]
"""The configuration of U: callable on a network's quality and metrics."""


def _at_least(value: float, floor: float) -> float:
    return value if math.isnan(value) else max(value, floor)
