"""Blurred images find their originals."""

import numpy as np

from benchmarks.wild.restore import blurred, originals
from gensynth.data import SyntheticConfig, load


def test_blurred_images_find_their_originals():
    sharp = load(SyntheticConfig(subjects=40, frames=1)).images[:, 0].astype(np.float32)
    order = np.random.default_rng(0).permutation(len(sharp))
    dull = np.rint(blurred(sharp))[order]
    places, gaps = originals(dull, sharp)
    assert np.array_equal(places, order)
    assert gaps.max() < 1
    _, far = originals(blurred(sharp[:3]), sharp[10:])
    assert far.min() > 2
