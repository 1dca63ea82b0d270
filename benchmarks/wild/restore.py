"""FER2013 with sharp training images, from a copy whose training images are blurred.

    python -m benchmarks.wild.restore ARCHIVE FERPLUS -o FOLDER

ARCHIVE has FER2013 as ``{train,test}/CLASS`` with the right classes and blurred training images,
FERPLUS the same images sharp, in FERPlus's folders, with other classes. Each training image is
looked for among FERPlus's, blurred alike: the few nearest by coarse averages, then the nearest of
them by pixels. What is nearer than ``--within`` gray levels (root mean square) gets the sharp
pixels; the rest is left out. FOLDER gets ``fer2013.csv``, for ``data=fer2013
data.root=FOLDER``. It is nobody's to give away: keep it outside of the project.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from sklearn.neighbors import NearestNeighbors

from gensynth.data import FER2013Config, FERPlusConfig
from gensynth.data.dataset import TRAIN, VALIDATION

BLUR = 3.2
"""Standard deviation in pixels, fitted to pairs of a blurred image and its original."""

RADIUS = 9
NEAREST = 3
CELL = 4

Pictures = NDArray[np.float32]


def blurred(images: Pictures) -> Pictures:
    """Images, (N, H, W), as the copy has them."""
    each = [gaussian_filter(image, BLUR, mode="mirror", radius=RADIUS) for image in images]
    return np.stack(each)


def originals(dull: Pictures, sharp: Pictures) -> tuple[NDArray[np.int64], Pictures]:
    """Which of the sharp images each blurred one was.

    Args:
        dull: Blurred images, (N, H, W).
        sharp: Images to choose from, (M, H, W).

    Returns:
        Their indices, (N,), and the distances in gray levels, root mean square.
    """
    known = blurred(sharp)
    near = NearestNeighbors(n_neighbors=min(NEAREST, len(sharp))).fit(_coarse(known))
    places = near.kneighbors(_coarse(dull), return_distance=False)
    gaps = np.stack(
        [np.sqrt(((known[column] - dull) ** 2).mean((1, 2))) for column in places.T], axis=1
    )
    best = gaps.argmin(1)
    rows = np.arange(len(dull))
    return places[rows, best], gaps[rows, best]


def main() -> None:
    """Reads both, writes the table, and says how many images were found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("archive", type=Path)
    parser.add_argument("ferplus", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--within", type=float, default=2.0)
    options = parser.parse_args()
    copy = FER2013Config(root=options.archive).load()
    plus = FERPlusConfig(root=options.ferplus, majority=0).load()
    assert copy.splits is not None
    assert plus.splits is not None
    training = copy.splits == TRAIN
    sharp = plus.images[plus.splits == TRAIN, 0]
    places, gaps = originals(copy.images[training, 0].astype(np.float32), sharp.astype(np.float32))
    found = gaps < options.within
    print(f"{found.sum()} of {training.sum()} training images found, median {np.median(gaps):.2f}")
    options.output.mkdir(parents=True, exist_ok=True)
    usage = {VALIDATION: "PublicTest"}
    with (options.output / "fer2013.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("emotion", "pixels", "Usage"))
        for label, place in zip(copy.labels[training][found], places[found], strict=True):
            writer.writerow((label, _row(sharp[place]), "Training"))
        for index in np.flatnonzero(~training):
            part = usage.get(str(copy.splits[index]), "PrivateTest")
            writer.writerow((copy.labels[index], _row(copy.images[index, 0]), part))


def _coarse(images: Pictures) -> Pictures:
    count, height, width = images.shape
    cells = images.reshape(count, height // CELL, CELL, width // CELL, CELL).mean((2, 4))
    flat: Pictures = cells.reshape(count, -1)
    return flat


def _row(image: NDArray[np.uint8]) -> str:
    return " ".join(map(str, image.ravel()))


if __name__ == "__main__":
    main()
