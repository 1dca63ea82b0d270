"""The steps that a training is made of: each computes one value, and can be gone back over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn

from gensynth.network import Conv2d
from gensynth.training import kernels
from gensynth.training.convolution import Multiplied, back_over, channels_last, convolve

Gradients = tuple[Sequence[Tensor | None], Sequence[Tensor | None]]
"""Those of what a step read and those of its parameters, in their order."""


class Step(Protocol):
    """Computes a value from others."""

    @property
    def parameters(self) -> Sequence[nn.Parameter]:
        """What is learned."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Any]:
        """The value, and what :meth:`backward` has to know."""

    def backward(self, saved: Any, gradients: Sequence[Tensor], needed: bool) -> Gradients:
        """Goes back.

        Args:
            saved: What :meth:`forward` gave.
            gradients: One or more, whose sum is the gradient of the value.
            needed: Whether anybody wants the gradients of what the step read.
        """


@dataclass(frozen=True)
class Layer:
    """Any layer, gone back over as torch does."""

    layer: nn.Module

    @property
    def parameters(self) -> Sequence[nn.Parameter]:
        return tuple(self.layer.parameters())

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Any]:
        leaves = [value.detach().requires_grad_() for value in inputs]
        with torch.enable_grad():
            given = [leaf.clone() for leaf in leaves] if self._overwrites else leaves
            value = self.layer(given[0] if len(given) == 1 else given)
        return value.detach(), (leaves, value)

    def backward(self, saved: Any, gradients: Sequence[Tensor], needed: bool) -> Gradients:
        leaves, value = saved
        total = _combined(gradients).to(value.dtype)
        wanted = [*leaves, *(one for one in self.parameters if one.requires_grad)]
        given = iter(torch.autograd.grad(value, wanted, total))
        of_leaves = [channels_last(next(given)) for _ in leaves]
        return of_leaves, [next(given) if one.requires_grad else None for one in self.parameters]

    @property
    def _overwrites(self) -> bool:
        return getattr(self.layer, "inplace", False)


@dataclass(frozen=True)
class Addition:
    """The sum of values, or one alone, and the rectifier of it.

    Attributes:
        slope: Of the rectifier below zero; 1 for none.
    """

    slope: float
    parameters: ClassVar[Sequence[nn.Parameter]] = ()

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Any]:
        dtypes = tuple(value.dtype for value in inputs)
        value = _combined(inputs, slope=self.slope)
        return value, (dtypes, None if self.slope == 1 else value)

    def backward(self, saved: Any, gradients: Sequence[Tensor], needed: bool) -> Gradients:
        dtypes, value = saved
        gradient = _combined(gradients, value, self.slope)
        return [gradient.to(dtype) for dtype in dtypes], ()


class _Saved(NamedTuple):
    """What a chain has to know to be gone back over.

    Attributes:
        dtypes: Of what was read.
        convolved: What :func:`back_over` has to know.
        z: What was normalised.
        moments: Mean and reciprocal deviation, (2, channels).
        seen: What came out of the rectifier.
    """

    dtypes: tuple[torch.dtype, ...]
    convolved: Multiplied | None
    z: Tensor | None
    moments: Tensor | None
    seen: Tensor | None


@dataclass(frozen=True)
class Chain:
    """A convolution, its normalisation, the sum with a second value, the rectifier; or some.

    Attributes:
        conv: None for a normalisation alone.
        norm: Normalisation.
        added: Whether there is a second value.
        slope: Of the rectifier below zero; 1 for none.
    """

    conv: Conv2d | None
    norm: nn.BatchNorm2d | None
    added: bool
    slope: float

    @property
    def parameters(self) -> Sequence[nn.Parameter]:
        layers = [layer for layer in (self.conv, self.norm) if layer is not None]
        return tuple(parameter for layer in layers for parameter in layer.parameters())

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Any]:
        x, residual = inputs[0], inputs[1] if self.added else None
        half = self.conv is not None and torch.is_autocast_enabled("cpu")
        dtype = torch.bfloat16 if half else x.dtype
        out, convolved = channels_last(x), None
        if self.conv is not None:
            out, convolved = convolve(self.conv, out, dtype)
        z, moments = out, None
        if self.norm is not None:
            residual = None if residual is None else channels_last(residual.to(dtype))
            out, moments = _normalise(self.norm, z, residual, self.slope)
        elif self.slope != 1:
            out = _combined([z], slope=self.slope, out=z)
        seen = out if self.slope != 1 else None
        dtypes = tuple(value.dtype for value in inputs)
        return out, _Saved(dtypes, convolved, None if self.norm is None else z, moments, seen)

    def backward(self, saved: _Saved, gradients: Sequence[Tensor], needed: bool) -> Gradients:
        of_residual: Tensor | None = None
        of_parameters: list[Tensor] = []
        if self.norm is not None:
            gradient, of_residual, of_parameters = self._back_over_norm(self.norm, saved, gradients)
        else:
            gradient = _combined(gradients, saved.seen, self.slope)
        of_x: Tensor | None = gradient
        if self.conv is not None and saved.convolved is not None:
            of_x, of_conv = back_over(self.conv, saved.convolved, gradient, needed)
            of_parameters = [*of_conv, *of_parameters]
        found = [of_x, of_residual] if self.added else [of_x]
        return [
            None if value is None else value.to(dtype)
            for value, dtype in zip(found, saved.dtypes, strict=True)
        ], of_parameters

    def _back_over_norm(
        self, norm: nn.BatchNorm2d, saved: _Saved, gradients: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor | None, list[Tensor]]:
        """Gradients of what was normalised, of what was added, of scale and shift."""
        z, moments, seen = cast(Tensor, saved.z), cast(Tensor, saved.moments), saved.seen
        gradient = channels_last(_combined(gradients).to(z.dtype))
        result, sums = torch.empty_like(z), torch.empty_like(moments)
        passed = torch.empty_like(z) if self.added and seen is not None else None
        kernels.normalise_backward(
            z.dtype is torch.bfloat16,
            z.numel(),
            z.shape[1],
            kernels.period(z.shape[1]),
            gradient.data_ptr(),
            z.data_ptr(),
            z.data_ptr() if seen is None else seen.data_ptr(),
            norm.weight.data_ptr(),
            moments.data_ptr(),
            self.slope,
            result.data_ptr(),
            0 if passed is None else passed.data_ptr(),
            sums.data_ptr(),
        )
        of_added = gradient if self.added and passed is None else passed
        return result, of_added, list(sums.unbind())


def _normalise(
    norm: nn.BatchNorm2d, z: Tensor, residual: Tensor | None, slope: float
) -> tuple[Tensor, Tensor]:
    """The result, and mean and reciprocal deviation, (2, channels)."""
    out, moments = torch.empty_like(z), torch.empty(2, z.shape[1])
    kernels.normalise(
        z.dtype is torch.bfloat16,
        z.numel(),
        z.shape[1],
        kernels.period(z.shape[1]),
        z.data_ptr(),
        0 if residual is None else residual.data_ptr(),
        out.data_ptr(),
        norm.weight.data_ptr(),
        norm.bias.data_ptr(),
        cast(Tensor, norm.running_mean).data_ptr(),
        cast(Tensor, norm.running_var).data_ptr(),
        moments.data_ptr(),
        _factor(norm),
        norm.eps,
        slope,
    )
    return out, moments


def _factor(norm: nn.BatchNorm2d) -> float:
    """Weight of this batch in the running statistics, as ``BatchNorm2d`` has it."""
    seen = cast(Tensor, norm.num_batches_tracked).add_(1)
    return 1 / int(seen) if norm.momentum is None else norm.momentum


def _combined(
    values: Sequence[Tensor],
    seen: Tensor | None = None,
    slope: float = 1.0,
    out: Tensor | None = None,
) -> Tensor:
    """The rectified sum of values; of gradients, with what came out of the rectifier."""
    if len(values) == 1 and slope == 1:
        return values[0]
    dtype = values[0].dtype if seen is None else seen.dtype
    for value in values[1:]:
        dtype = torch.promote_types(dtype, value.dtype) if seen is None else dtype
    read = [channels_last(value.to(dtype)) for value in values]
    result = torch.empty_like(read[0]) if out is None else out
    kernels.combine(
        dtype is torch.bfloat16,
        result.numel(),
        tuple(value.data_ptr() for value in read),
        0 if seen is None else seen.data_ptr(),
        slope,
        result.data_ptr(),
    )
    return result
