import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from gensynth.training import Augmentation, augment, mixup


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(count=6, channels=2, height=12, width=16):
    return torch.randn(count, channels, height, width, generator=generator(5))


@given(
    rotation=st.floats(0, 180),
    shift=st.floats(0, 1),
    zoom=st.floats(0, 0.9),
    flip=st.booleans(),
    erase=st.floats(0, 1),
    seed=st.integers(0, 2**32),
)
def test_keeps_shape_and_range_and_its_argument(rotation, shift, zoom, flip, erase, seed):
    images = pictures()
    before = images.clone()
    change = Augmentation(rotation=rotation, shift=shift, zoom=zoom, flip=flip, erase=erase)
    changed = augment(images, change, generator(seed))
    assert changed.shape == images.shape
    assert changed.dtype == torch.float32
    assert changed.abs().max() <= images.abs().max() + 1e-5
    assert torch.equal(images, before)
    assert torch.equal(changed, augment(images, change, generator(seed)))


def test_nothing_changes_when_all_is_off():
    images = pictures()
    assert augment(images, Augmentation(), generator()) is images


def test_flips_alone_are_exact_and_half_of_all():
    images = pictures(count=400)
    flipped = augment(images, Augmentation(flip=True), generator())
    same = (flipped == images).flatten(1).all(1)
    mirrored = (flipped == images.flip(-1)).flatten(1).all(1)
    assert bool((same ^ mirrored).all())
    assert 150 < int(mirrored.sum()) < 250


def test_an_almost_still_motion_is_almost_the_identity():
    images = pictures(count=40)
    moved = augment(images, Augmentation(shift=1e-7, flip=True), generator())
    same = (moved - images).abs().flatten(1).amax(1) < 1e-4
    mirrored = (moved - images.flip(-1)).abs().flatten(1).amax(1) < 1e-4
    assert bool((same | mirrored).all())
    assert bool(same.any())
    assert bool(mirrored.any())


def smooth(height, width):
    random = np.random.default_rng(3)
    return ndimage.gaussian_filter(random.normal(size=(height, width)), 3).astype(np.float32)


@pytest.mark.parametrize("seed", range(1, 5))
def test_rotation_is_rigid_on_an_oblong_image(seed):
    picture = smooth(40, 60)
    images = torch.from_numpy(picture)[None, None]
    turned = augment(images, Augmentation(rotation=30), generator(seed))[0, 0].numpy()
    degrees = float((torch.rand(1, generator=generator(seed)) * 2 - 1) * 30)
    expected = ndimage.rotate(picture, degrees, reshape=False, order=1, mode="nearest")
    inner = np.s_[12:28, 12:48]
    assert np.abs(turned - expected)[inner].max() < 0.02 * np.ptp(picture)
    assert np.abs(turned - picture)[inner].max() > 0.1 * np.ptp(picture)


def test_shifts_stay_within_their_limit():
    images = torch.zeros(300, 1, 21, 21)
    images[:, :, 10, 10] = 1
    moved = augment(images, Augmentation(shift=0.2), generator())
    weight = moved / moved.sum((2, 3), keepdim=True)
    places = torch.arange(21.0)
    columns = (weight.sum(2).squeeze(1) * places).sum(1) - 10
    rows = (weight.sum(3).squeeze(1) * places).sum(1) - 10
    for offsets in (rows, columns):
        assert 3.8 < float(offsets.abs().max()) <= 0.2 * 21 + 1e-3


def test_zoom_scales_distances():
    places = torch.linspace(-1, 1, 41)
    images = places.expand(200, 1, 41, 41).contiguous()
    zoomed = augment(images, Augmentation(zoom=0.25), generator())
    slopes = (zoomed[:, 0, 20, 25] - zoomed[:, 0, 20, 15]) / (images[0, 0, 20, 25] * 2)
    scales = 1 / slopes
    assert 0.75 - 1e-3 <= float(scales.min()) < 0.78
    assert 1.22 < float(scales.max()) <= 1.25 + 1e-3


def test_erasing_takes_one_rectangle_of_the_area_asked_for_from_the_share_asked_for():
    images = torch.ones(500, 2, 40, 50)
    erased = augment(images, Augmentation(erase=0.4, erase_area=(0.1, 0.2)), generator())
    holes = erased == 0
    assert torch.equal(holes[:, 0], holes[:, 1])
    touched = holes[:, 0].flatten(1).any(1)
    assert 150 < int(touched.sum()) < 250
    for hole in holes[touched, 0]:
        rows, columns = hole.any(1), hole.any(0)
        assert torch.equal(hole, rows[:, None] & columns[None, :])
        assert 0.08 < float(hole.float().mean()) < 0.225


def test_mixup_blends_with_the_partner_and_leans_to_the_image():
    images = pictures(count=30)
    source = generator()
    shares = []
    for _ in range(50):
        mixed, partners, share = mixup(images, 0.4, source)
        assert torch.allclose(mixed, share * images + (1 - share) * images[partners], atol=1e-5)
        assert 0.5 <= share <= 1
        shares.append(share)
    assert len(set(shares)) == 50
    expected = np.random.default_rng(0).beta(0.4, 0.4, 20_000)
    assert np.mean(shares) == pytest.approx(np.maximum(expected, 1 - expected).mean(), abs=0.06)
