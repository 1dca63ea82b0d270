"""Which precision a network computes in, layer by layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gensynth.training.recipe import Recipe

_MARK = "back_to_autocast"


def autocast(recipe: Recipe) -> torch.autocast:
    """The context to run a network in by a resolved recipe; does nothing in float32."""
    half = recipe.precision == "bfloat16"
    return torch.autocast(recipe.device, torch.bfloat16, enabled=half)


def keep_slow_layers_in_float32(network: nn.Module) -> None:
    """Takes the layers out of autocast that bfloat16 makes slower.

    oneDNN has no fast bfloat16 kernels for grouped convolutions other than 3x3 at stride 1:
    measured forward and backward on an AVX-512 processor with bfloat16 dot products (batch 32,
    32 channels, 24x24), depthwise 3x3 at stride 2 took 11 ms against 0.7 ms in float32, 5x5 12 ms
    against 6 ms, 5x5 at stride 2 22 ms against 2 ms.

    Outside autocast, and on other devices, nothing changes.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and is_slow_in_bfloat16(module):
            module.register_forward_pre_hook(_leave)
            module.register_forward_hook(_return, always_call=True)


def is_slow_in_bfloat16(module: nn.Conv2d) -> bool:
    """Whether a convolution takes longer in bfloat16, see :func:`keep_slow_layers_in_float32`."""
    return module.groups > 1 and (module.kernel_size, module.stride) != ((3, 3), (1, 1))


def _leave(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    if not torch.is_autocast_enabled("cpu"):
        return inputs
    torch.set_autocast_enabled("cpu", False)
    setattr(module, _MARK, True)
    return tuple(tensor.float() for tensor in inputs)


def _return(module: nn.Module, inputs: Any, output: Any) -> None:
    if getattr(module, _MARK, False):
        torch.set_autocast_enabled("cpu", True)
        delattr(module, _MARK)
