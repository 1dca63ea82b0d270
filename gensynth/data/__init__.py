"""Data sets of labelled faces, and their folds by subject."""

from gensynth.data.ckplus import CKPlusConfig
from gensynth.data.class_folders import CK48Config, FolderConfig
from gensynth.data.dataset import EMOTIONS, NEUTRAL, DataError, Dataset
from gensynth.data.kinds import DATASETS, DataConfig, DatasetConfig
from gensynth.data.partition import Fold, FoldBy, folds
from gensynth.data.synthetic import SyntheticConfig, write_ck48, write_ckplus

__all__ = [
    "DATASETS",
    "EMOTIONS",
    "NEUTRAL",
    "CK48Config",
    "CKPlusConfig",
    "DataConfig",
    "DataError",
    "Dataset",
    "DatasetConfig",
    "Fold",
    "FoldBy",
    "FolderConfig",
    "SyntheticConfig",
    "folds",
    "load",
    "write_ck48",
    "write_ckplus",
]


def load(config: DataConfig) -> Dataset:
    """Loads the data set that a config describes.

    Args:
        config: Settings of one kind of data set.

    Returns:
        The whole data set in memory.

    Raises:
        DataError: If it is missing, broken or incomplete; the message names the file.
    """
    return config.load()
