"""Every way in which an image is read says the same of it: Pillow, training, PyTorch, ONNX."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from gensynth.data.images import shrink
from gensynth.device import Preprocessing, Reader
from gensynth.device.onnx_graph import IMAGE, reader_graph, session_of
from gensynth.device.preprocessing import resampling
from gensynth.training import Normalisation, local_contrast
from tests.device.models import CONTRAST


def preprocessing(channels: int, *, contrast: bool, side: int = 24) -> Preprocessing:
    return Preprocessing.model_validate(
        {
            "channels": channels,
            "height": side,
            "width": side,
            "local_contrast": CONTRAST if contrast else None,
            "mean": [0.1 if contrast else 120.5] * channels,
            "deviation": [0.5 if contrast else 61.25] * channels,
        }
    )


@cache
def sessions(channels: int, contrast: bool):
    graph = reader_graph(preprocessing(channels, contrast=contrast))
    return session_of(graph.SerializeToString())


def picture(seed: int, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Noise on a slope, so that edges and even parts are in it."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(0, rng.integers(1, 255), height * width).reshape(height, width, 1)
    noise = rng.integers(0, 256, (height, width, channels)) * rng.random()
    levels: NDArray[np.uint8] = np.clip(slope + noise - 60, 0, 255).astype(np.uint8)
    return levels


pictures = st.builds(
    picture,
    st.integers(0, 2**32 - 1),
    st.integers(1, 90),
    st.integers(1, 90),
    st.sampled_from([1, 3, 4]),
)


@settings(deadline=None)
@given(pictures, st.sampled_from([1, 3]), st.booleans())
def test_the_file_reads_an_image_as_the_module_does(image: np.ndarray, channels: int, contrast):
    reader = Reader(preprocessing(channels, contrast=contrast))
    expected = reader(torch.from_numpy(image)[None]).numpy()
    (found,) = sessions(channels, contrast).run(None, {IMAGE: image})
    assert found.shape == expected.shape == (1, channels, 24, 24)
    np.testing.assert_allclose(found, expected, atol=2e-4)


@settings(deadline=None)
@given(pictures, st.sampled_from([1, 3]))
def test_an_image_is_read_as_data_sets_are(image: np.ndarray, channels: int):
    opened = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image[..., :3])
    loaded = shrink(opened.convert("L" if channels == 1 else "RGB"), size=24)
    pixels = np.asarray(loaded).reshape(24, 24, channels).transpose(2, 0, 1)
    wanted = preprocessing(channels, contrast=False)
    read = Reader(wanted)(torch.from_numpy(image)[None])[0]
    levels = read * wanted.deviation[0] + wanted.mean[0]
    # Pillow rounds after each of two passes.
    assert np.abs(levels.numpy() - pixels).max() <= 1.01


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3]), st.booleans())
def test_an_image_of_the_right_size_is_read_as_in_training(seed: int, channels: int, contrast):
    images = np.stack([picture(seed + n, 24, 24, channels).transpose(2, 0, 1) for n in range(2)])
    wanted = preprocessing(channels, contrast=contrast)
    shape = (1, channels, 1, 1)
    trained = Normalisation(
        torch.tensor(wanted.mean).reshape(shape),
        torch.tensor(wanted.deviation).reshape(shape),
        wanted.local_contrast,
    )(torch.from_numpy(images))
    read = Reader(wanted)(torch.from_numpy(images.transpose(0, 2, 3, 1)))
    np.testing.assert_allclose(read.numpy(), trained.numpy(), atol=2e-4)


def test_even_skin_has_no_contrast():
    even = np.full((1, 1, 24, 24), 200, dtype=np.uint8)
    read = Reader(preprocessing(1, contrast=True))(torch.from_numpy(even.transpose(0, 2, 3, 1)))
    np.testing.assert_allclose(read.numpy(), -0.2, atol=1e-6)
    assert local_contrast(torch.from_numpy(even), CONTRAST).abs().max() == 0


@given(st.integers(1, 200), st.integers(1, 64))
def test_weights_of_a_resampling_sum_to_one(old: int, new: int):
    weights = resampling(old, new)
    assert weights.shape == (new, old)
    np.testing.assert_allclose(weights.sum(1).numpy(), 1, atol=1e-5)
    if old == new:
        assert torch.equal(weights, torch.eye(new))


def test_a_preprocessing_needs_a_mean_for_each_channel():
    with pytest.raises(ValueError, match="not one for each of 3 channels"):
        Preprocessing(channels=3, height=8, width=8, mean=(0.0,), deviation=(1.0,))
