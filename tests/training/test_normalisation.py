import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from gensynth.data import EMOTIONS, Dataset
from gensynth.genome import Genome
from gensynth.task import Classification
from gensynth.training import (
    LocalContrast,
    Normalisation,
    Pretraining,
    Recipe,
    local_contrast,
    pretrained,
)
from tests.training.conftest import fit, network

Image = NDArray[np.uint8]

IMAGES = arrays.arrays(
    np.uint8, st.tuples(st.just(2), st.integers(1, 2), st.integers(1, 9), st.integers(1, 9))
)
CONTRASTS = st.builds(LocalContrast, window=st.floats(0.05, 2), floor=st.floats(0.5, 50))


def by_hand(image: Image, contrast: LocalContrast) -> NDArray[np.float64]:
    """Pixel by pixel, of one channel."""
    height, width = image.shape
    far_down, far_right = contrast.reach(height), contrast.reach(width)
    found = np.empty((height, width))
    for row, column in np.ndindex(height, width):
        around = image[
            max(0, row - far_down) : row + far_down + 1,
            max(0, column - far_right) : column + far_right + 1,
        ].astype(float)
        found[row, column] = (image[row, column] - around.mean()) / (around.std() + contrast.floor)
    return found


@given(IMAGES, CONTRASTS)
def test_each_pixel_is_measured_against_its_window(images: Image, contrast: LocalContrast):
    found = local_contrast(torch.from_numpy(images), contrast)
    assert found.dtype == torch.float32
    for index in np.ndindex(images.shape[:2]):
        assert np.allclose(found[index].numpy(), by_hand(images[index], contrast), atol=1e-5)


@given(IMAGES, CONTRASTS, st.integers(0, 50))
def test_more_light_changes_nothing(images: Image, contrast: LocalContrast, light: int):
    dark = torch.from_numpy(images // 2)
    assert torch.allclose(
        local_contrast(dark, contrast), local_contrast(dark + light, contrast), atol=1e-5
    )


def test_mirror_images_stay_mirror_images_and_more_images_change_nothing():
    images = torch.randint(0, 256, (300, 1, 6, 7), dtype=torch.uint8)
    found = local_contrast(images, LocalContrast())
    assert torch.equal(local_contrast(images.flip(-1), LocalContrast()).flip(-1), found)
    assert torch.equal(local_contrast(images[-3:], LocalContrast()), found[-3:])


@pytest.mark.parametrize("side", [16, 48, 84, 128])
def test_a_window_is_a_share_of_the_side(side: int):
    pixels = 2 * LocalContrast(window=0.3).reach(side) + 1
    assert abs(pixels - 0.3 * side) <= 1
    assert LocalContrast(window=0.01).reach(side) == 1
    assert LocalContrast(window=0.29).reach(200) == LocalContrast(window=0.58).reach(100) == 29
    assert LocalContrast(window=2).reach(side) == side


@pytest.mark.parametrize("contrast", [None, LocalContrast()])
def test_normalises_with_the_statistics_of_the_images_given(contrast: LocalContrast | None):
    images = torch.randint(0, 256, (20, 3, 5, 4), dtype=torch.uint8)
    normalised = Normalisation.of(images, contrast)(images)
    assert torch.allclose(normalised.mean((0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert torch.allclose(normalised.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-4)
    flat = torch.full((2, 1, 3, 3), 9, dtype=torch.uint8)
    assert bool((Normalisation.of(flat, contrast)(flat) == 0).all())


def test_gray_levels_are_not_magnified():
    """Images of one tone tell nothing of how far others differ."""
    flat, other = (torch.full((2, 1, 3, 3), tone, dtype=torch.uint8) for tone in (9, 49))
    assert bool((Normalisation.of(flat)(other) == 40).all())


def test_drawn_faces_are_read_so_too():
    faces = Pretraining(populations=1, epochs=1)
    genome = network(size=16, classes=7)
    plain, read = (
        pretrained(
            genome,
            Classification(classes=EMOTIONS),
            Recipe(pretraining=faces, local_contrast=contrast, precision="float32"),
            seed=0,
        )
        for contrast in (None, LocalContrast())
    )
    assert plain.keys() == read.keys()
    assert any(not torch.equal(plain[name], read[name]) for name in plain)


def test_a_network_reads_it_in_training_and_in_use(shapes: Dataset, net: Genome):
    images = torch.from_numpy(shapes.images) // 2
    labels = torch.from_numpy(shapes.labels)
    recipe = Recipe(local_contrast=LocalContrast(), precision="float32")
    runs = [
        fit(net, shown, labels, epochs=2, seed=0, recipe=recipe) for shown in (images, images + 60)
    ]
    first, second = (run.logits(images) for run in runs)
    assert torch.allclose(first, second, atol=1e-3)
    assert torch.allclose(first, runs[0].logits(images + 60), atol=1e-3)
    without = fit(net, images, labels, epochs=2, seed=0, recipe=Recipe(precision="float32")).logits(
        images
    )
    assert not torch.allclose(first, without, atol=0.1)
