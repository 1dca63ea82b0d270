"""Every kind of data set that gensynth can load, under one configuration type."""

from __future__ import annotations


from gensynth.data.dataset import Dataset
from gensynth.data.synthetic import SyntheticConfig, load_synthetic

DataConfig = SyntheticConfig


def load(config: DataConfig) -> Dataset:
    """Load the data set that a config describes."""
    return load_synthetic(config)
