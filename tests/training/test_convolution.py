"""Convolutions against torch's, whether or not several pixels are computed at once."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gensynth.genome import Conv, Shape
from gensynth.network import Conv2d
from gensynth.training import convolution
from gensynth.training.convolution import back_over, channels_last, convolve
from gensynth.training.isolation import isolated


def layer_of(shape: Shape, channels: int, **given: Any) -> Conv2d:
    node = Conv(id="layer", inputs=("input",), out_channels=channels, **given)
    layer = Conv2d(node, shape[0], node.pads(shape))
    for seed, values in enumerate(layer.parameters()):
        values.data = channels_last(random_of(values.shape, seed))
    return layer


def random_of(shape: Any, seed: int) -> Tensor:
    """Normally distributed, exact in bfloat16."""
    drawn = np.random.default_rng(seed).standard_normal(shape)
    return torch.from_numpy(drawn).bfloat16().float()


def gone_over(layer: Conv2d, x: Tensor, dtype: torch.dtype) -> list[Tensor]:
    """The result, and gradients of a weighted sum of it: of what was read, of what is learned."""
    with isolated(0), torch.no_grad():
        out, known = convolve(layer, channels_last(x.to(dtype)), dtype)
        of_x, of_parameters = back_over(layer, known, channels_last(weights(out).to(dtype)), True)
    assert out.is_contiguous(memory_format=torch.channels_last)
    assert out.dtype is dtype
    assert of_x is not None
    return [out.float(), of_x.float(), *of_parameters]


def by_torch(layer: Conv2d, x: Tensor) -> list[Tensor]:
    layer, x = layer.double(), x.double().requires_grad_()
    out = layer(x)
    found = torch.autograd.grad((out * weights(out)).sum(), [x, *layer.parameters()])
    layer.float()
    return [out.detach().float(), *[one.float() for one in found]]


def weights(out: Tensor) -> Tensor:
    return random_of(out.shape, 9).to(out.dtype)


def assert_close(found: list[Tensor], expected: list[Tensor], tolerance: float) -> None:
    """In units of all of them too, since some are sums that cancel."""
    largest = max(float(one.norm()) for one in expected)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        scale = float(other.norm()) + 0.1 * largest
        assert float((one - other).norm()) <= tolerance * scale


@st.composite
def layers(draw: st.DrawFn) -> tuple[Conv2d, Tensor]:
    kernel = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    columns = draw(st.sampled_from([2, 3, 4, 6, 8, 12, 13, 14, 15, 24]))
    rows, read = draw(st.integers(5, 9)), draw(st.integers(1, 18))
    least = max(0, (kernel[1] - columns + 1) // 2)
    margins = st.tuples(st.integers(0, 3), st.integers(least, 3))
    padding: Any = st.one_of(st.just("same"), margins)
    layer = layer_of(
        (read, rows, columns),
        draw(st.integers(1, 18)),
        kernel=kernel,
        stride=draw(st.sampled_from([(1, 1), (1, 1), (1, 1), (2, 2)])),
        padding=draw(padding),
        bias=draw(st.booleans()),
    )
    return layer, random_of((draw(st.integers(1, 3)), read, rows, columns), 5)


@given(layers(), st.sampled_from([torch.float32, torch.bfloat16]))
@settings(deadline=None, max_examples=150)
def test_small_maps_too_are_convolved_as_torch_does(given, dtype):
    layer, x = given
    tolerance = 0.02 if dtype is torch.bfloat16 else 1e-4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convolution, "_LEAST_POSITIONS", 1)
        assert_close(gone_over(layer, x, dtype), by_torch(layer, x), tolerance)


@pytest.mark.parametrize(
    ("lanes", "read", "channels", "columns", "across"),
    [
        (16, 3, 8, 48, {"forward": 2, "maps": 4, "weights": 2}),
        (16, 11, 7, 48, {"forward": 2, "maps": 1, "weights": 2}),
        (16, 7, 11, 48, {"forward": 1, "maps": 2, "weights": 1}),
        (16, 20, 5, 48, {"forward": 3, "maps": 1, "weights": 3}),
        (16, 20, 5, 44, {"forward": 2, "maps": 1, "weights": 2}),
        (16, 20, 5, 43, {"forward": 1, "maps": 1, "weights": 1}),
        (16, 16, 16, 48, {"forward": 1, "maps": 1, "weights": 1}),
        (8, 4, 8, 48, {"forward": 1, "maps": 2, "weights": 1}),
        (8, 2, 4, 48, {"forward": 2, "maps": 4, "weights": 2}),
    ],
)
def test_neighbours_fill_a_vector(lanes, read, channels, columns, across):
    layer = layer_of((read, 48, columns), channels, kernel=(3, 3), padding=(1, 1))
    x = random_of((4, read, 48, columns), 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convolution, "_lanes", lambda: lanes)
        strides = recorded(patch)
        found = gone_over(layer, x, torch.float32)
    assert_close(found, by_torch(layer, x), 1e-4)
    forward, back = strides
    assert forward[0] == across["forward"]
    assert max(forward[1:], default=1) == across["maps"]
    assert max(back) == across["weights"]


def recorded(patch: pytest.MonkeyPatch) -> tuple[list[int], list[int]]:
    """How far apart along a row kernels are applied: going forward, and back."""
    strides: tuple[list[int], list[int]] = ([], [])

    def watched(name: str, at: int, found: list[int]) -> None:
        real = getattr(convolution, name)

        def call(*arguments: Any) -> Any:
            found.append(arguments[at][1])
            return real(*arguments)

        patch.setattr(convolution, name, call)

    watched("_CONVOLVE", 3, strides[0])
    watched("_CONVOLVE_BACKWARD", 4, strides[1])
    return strides


def test_a_small_batch_of_small_maps_is_computed_pixel_by_pixel():
    layer = layer_of((4, 12, 12), 4, kernel=(3, 3), padding=(1, 1))
    with pytest.MonkeyPatch.context() as patch:
        strides = recorded(patch)
        gone_over(layer, random_of((8, 4, 12, 12), 1), torch.float32)
    assert strides == ([1], [1])


def test_what_nobody_reads_gets_no_gradient():
    layer = layer_of((3, 48, 48), 5, kernel=(3, 3), padding=(1, 1), bias=True)
    x = channels_last(random_of((4, 3, 48, 48), 1))
    with torch.no_grad():
        out, known = convolve(layer, x, torch.float32)
    of_x, of_parameters = back_over(layer, known, torch.ones_like(out), False)
    assert of_x is None
    assert [one.shape for one in of_parameters] == [layer.weight.shape, (5,)]


@pytest.mark.parametrize("padding", [(0, 0), (1, 2)])
@pytest.mark.parametrize(("stride", "side"), [((2, 2), (24, 24)), ((3, 2), (7, 10))])
@pytest.mark.parametrize("bias", [False, True])
def test_a_projection_learns_from_the_pixels_that_it_reads(padding, stride, side, bias):
    layer = layer_of((5, *side), 7, kernel=(1, 1), stride=stride, padding=padding, bias=bias)
    x = random_of((6, 5, *side), 1)
    with pytest.MonkeyPatch.context() as patch:
        real, asked = convolution._CONVOLVE_BACKWARD, []

        def call(*arguments: Any) -> Any:
            asked.append((arguments[4], arguments[-1][1]))
            return real(*arguments)

        patch.setattr(convolution, "_CONVOLVE_BACKWARD", call)
        found = gone_over(layer, x, torch.float32)
    assert_close(found, by_torch(layer, x), 1e-4)
    assert sorted(asked) == [((1, 1), True), (stride, False)]


def test_a_projection_writes_nothing_beyond_its_gradient(repository):
    """Where it does, glibc finds out in one of these, as torch 2.13's does without AVX-512."""
    code = (
        "from tests.training.test_convolution import gone_over, layer_of, random_of\n"
        "import torch\n"
        "for read, channels in [(3, 16), (5, 7), (7, 16)] * 10:\n"
        "    layer = layer_of((read, 24, 24), channels, kernel=(1, 1), stride=(2, 2), bias=True)\n"
        "    gone_over(layer, random_of((32, read, 24, 24), 1), torch.float32)\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
