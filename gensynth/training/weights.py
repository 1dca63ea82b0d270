"""A network's parameters in two flat tensors, so that a step is a handful of operations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gensynth.training.recipe import Recipe


class Weights:
    """Takes the parameters of a network over for a training.

    They become parts of two flat tensors, and their gradients parts of two others. What has more
    than one dimension is decayed, the rest (biases, normalisation) is not.

    Args:
        network: Its 4-dimensional parameters become channels last.
        recipe: Which optimizer.
    """

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        self._parameters = list(network.parameters())
        self._flat = []
        groups = []
        for decayed, decay in ((True, recipe.weight_decay), (False, 0.0)):
            if side := [p for p in self._parameters if (p.ndim > 1) == decayed]:
                self._flat.append(_flattened(side))
                groups.append({"params": self._flat[-1:], "weight_decay": decay})
        kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
        self._optimizer = kind(groups, lr=recipe.learning_rate, fused=True)
        self._clip = recipe.gradient_clip
        self._averages: list[Tensor] = []
        self._averaged = 0

    def step(self, loss: Tensor, rate: float) -> None:
        """Moves the parameters against the gradient of a loss.

        Args:
            loss: A number that depends on them.
            rate: Learning rate.
        """
        for flat in self._flat:
            assert flat.grad is not None
            flat.grad.zero_()
        torch.autograd.backward(loss)
        if self._clip is not None:
            nn.utils.clip_grad_norm_(self._flat, self._clip)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()

    @torch.no_grad()
    def average(self) -> None:
        """Takes the parameters as they are into the average."""
        self._averaged += 1
        if not self._averages:
            self._averages = [flat.clone() for flat in self._flat]
        for average, flat in zip(self._averages, self._flat, strict=True):
            average.lerp_(flat, 1 / self._averaged)

    @torch.no_grad()
    def release(self) -> bool:
        """Gives the network parameters of its own again: the average, if there is one.

        Returns:
            Whether they are averaged.
        """
        for flat, average in zip(self._flat, self._averages, strict=False):
            flat.copy_(average)
        for parameter in self._parameters:
            parameter.grad = None
            parameter.data = parameter.data.clone()
        return bool(self._averages)


@torch.no_grad()
def _flattened(parameters: Sequence[nn.Parameter]) -> nn.Parameter:
    flat = nn.Parameter(torch.cat([_in_order(parameter).reshape(-1) for parameter in parameters]))
    flat.grad = torch.zeros_like(flat)
    start = 0
    for parameter in parameters:
        stop = start + parameter.numel()
        shape = _in_order(parameter).shape
        for whole, part in ((flat.data, "data"), (flat.grad, "grad")):
            view = whole[start:stop].view(shape)
            setattr(parameter, part, view.movedim(-1, 1) if parameter.ndim == 4 else view)
        start = stop
    return flat


def _in_order(parameter: Tensor) -> Tensor:
    return parameter.movedim(1, -1) if parameter.ndim == 4 else parameter
