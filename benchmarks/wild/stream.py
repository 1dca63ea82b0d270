"""What reading a long table takes: rows in AffectNet's layout that name a few pictures of noise.

    python -m benchmarks.wild.stream [--rows 300000]

Prints one table: rows, bytes of text, bytes of images, seconds of processor time, and the most
anonymous memory that the process held, which is without the images where these are mapped from a
file. Linux alone says how much memory is anonymous.
"""

from __future__ import annotations

import argparse
import csv
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from benchmarks.markdown import markdown
from benchmarks.options import positive
from gensynth.data import AffectNetConfig
from gensynth.data.affectnet import IMAGES, TABLES
from gensynth.data.dataset import TEST, TRAIN

PICTURES, SIDE, SIZE = 200, 96, 48
REPORTED = 4000
"""Rows of the part to report on, as AffectNet has about so many."""

HEAD = (
    *("subDirectory_filePath", "face_x", "face_y", "face_width", "face_height"),
    *("facial_landmarks", "expression", "valence", "arousal"),
)


@dataclass(frozen=True)
class Found:
    """What reading took.

    Attributes:
        images: Number of images.
        text: Bytes of both tables.
        pixels: Bytes of all images.
        mapped: Whether they lie in a file.
        seconds: Processor time.
        held: Most anonymous memory, in bytes.
    """

    images: int
    text: int
    pixels: int
    mapped: bool
    seconds: float
    held: int


def write(root: Path, rows: int) -> int:
    """Writes pictures and tables; the bytes of the tables."""
    rng = np.random.default_rng(0)
    for number in range(PICTURES):
        noise = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        path = root / IMAGES[0] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise).save(path)
    landmarks = ";".join(f"{value:.2f}" for value in rng.random(136) * SIDE)
    written = 0
    for part, count in ((TRAIN, rows), (TEST, REPORTED)):
        path = root / TABLES[part][0]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(HEAD)
            for at in range(count):
                name = f"{at % PICTURES}.jpg"
                writer.writerow((name, 8, 8, 80, 80, landmarks, at % 8, 0.1, -0.2))
        written += path.stat().st_size
    return written


def read(root: Path, text: int) -> Found:
    """Reads what was written."""
    begun = time.process_time()
    with watched() as held:
        dataset = AffectNetConfig(root=root, size=SIZE).load()
    return Found(
        images=len(dataset),
        text=text,
        pixels=dataset.images.nbytes,
        mapped=isinstance(dataset.images, np.memmap),
        seconds=time.process_time() - begun,
        held=max(held),
    )


@contextmanager
def watched() -> Iterator[list[int]]:
    """Anonymous memory of this process ten times a second, in bytes."""
    held, over = [_anonymous()], threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            held.append(_anonymous())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield held
    finally:
        over.set()
        thread.join()


def _anonymous() -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=positive, default=300_000)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="gensynth-") as folder:
        found = read(Path(folder), write(Path(folder), options.rows))
    row = [
        str(found.images),
        f"{found.text / 1e6:.0f} MB",
        f"{found.pixels / 1e6:.0f} MB{' in a file' if found.mapped else ''}",
        f"{found.seconds:.0f}",
        f"{found.held / 1e6:.0f} MB",
    ]
    print(markdown(["images", "text", "pixels", "seconds of a core", "memory held"], [row]))


if __name__ == "__main__":
    main()
