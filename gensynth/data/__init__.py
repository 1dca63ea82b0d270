"""Data sets of labelled faces, and their folds by subject."""

from gensynth.data.dataset import EMOTIONS, NEUTRAL, DataError, Dataset
from gensynth.data.partition import Fold, FoldBy, folds
from gensynth.data.sources import DataConfig, load
from gensynth.data.synthetic import SyntheticConfig

__all__ = [
    "EMOTIONS",
    "NEUTRAL",
    "DataConfig",
    "DataError",
    "Dataset",
    "Fold",
    "FoldBy",
    "SyntheticConfig",
    "folds",
    "load",
]
