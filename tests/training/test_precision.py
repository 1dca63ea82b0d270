import copy

import pytest
import torch
from torch import nn

from gensynth.training import Recipe
from gensynth.training.precision import autocast, keep_slow_layers_in_float32

BFLOAT16 = Recipe(precision="bfloat16", device="cpu")


def layers() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.Conv2d(8, 8, 5, stride=2, padding=2, groups=8),
        nn.Conv2d(8, 4, 1),
    )


def dtypes(network: nn.Sequential, images: torch.Tensor) -> list[torch.dtype]:
    given = []
    for layer in network:
        images = layer(images)
        given.append(images.dtype)
    return given


def test_only_what_bfloat16_slows_down_stays_in_float32():
    network = layers()
    keep_slow_layers_in_float32(network)
    for one in (network, copy.deepcopy(network)):
        with autocast(BFLOAT16):
            assert dtypes(one, torch.randn(2, 1, 8, 8)) == [
                torch.bfloat16,
                torch.bfloat16,
                torch.float32,
                torch.bfloat16,
            ]
        assert not torch.is_autocast_enabled("cpu")


def test_nothing_changes_in_float32():
    network, untouched = layers(), layers()
    untouched.load_state_dict(network.state_dict())
    keep_slow_layers_in_float32(network)
    images = torch.randn(2, 1, 8, 8)
    with autocast(Recipe(precision="float32", device="cpu")):
        assert torch.equal(network(images), untouched(images))
    assert not torch.is_autocast_enabled("cpu")


def test_a_layer_that_fails_leaves_autocast_as_it_was():
    network = layers()[2]
    keep_slow_layers_in_float32(network)
    with autocast(BFLOAT16):
        with pytest.raises(RuntimeError):
            network(torch.randn(2, 3, 8, 8))
        assert torch.is_autocast_enabled("cpu")
