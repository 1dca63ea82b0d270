"""A data set: stripes that lean one way or another, to be told apart."""

from typing import Literal

import numpy as np

from gensynth.data import DATASETS, Dataset, DatasetConfig

LEANING = ("flat", "rising", "falling")


@DATASETS.register
class Stripes(DatasetConfig):
    """Twelve subjects with two pictures of each leaning."""

    kind: Literal["stripes"] = "stripes"
    size: int = 16
    seed: int = 0

    def load(self) -> Dataset:
        rng = np.random.default_rng(self.seed)
        labels = np.tile(np.repeat(np.arange(3), 2), 12)
        subjects = np.repeat([f"S{number:02}" for number in range(12)], 6)
        rows, columns = np.mgrid[: self.size, : self.size]
        slope = np.asarray([0, 1, -1])[labels][:, None, None]
        waves = np.sin(0.8 * (rows + slope * columns) + rng.uniform(0, 6, (72, 1, 1)))
        pixels = 128 + 80 * waves + rng.normal(0, 10, waves.shape)
        return Dataset(
            name="stripes",
            images=pixels.clip(0, 255).astype(np.uint8)[:, None],
            labels=labels.astype(np.int64),
            classes=LEANING,
            subjects=subjects,
            sequences=np.asarray([str(number) for number in range(72)]),
            synthetic=True,
            source=f"seed {self.seed}",
        )
