"""Data sets of labelled faces, and their folds by subject."""

from gensynth.data.affectnet import AffectNetConfig
from gensynth.data.ckplus import CKPlusConfig
from gensynth.data.class_folders import CK48Config, FolderConfig
from gensynth.data.dataset import EMOTIONS, NEUTRAL, DataError, Dataset
from gensynth.data.fer2013 import FER2013Config, FERPlusConfig
from gensynth.data.kinds import DATASETS, DataConfig, DatasetConfig
from gensynth.data.partition import Fold, FoldBy, folds, reported
from gensynth.data.rafdb import RAFDBConfig
from gensynth.data.synthetic import SyntheticConfig, write_ck48, write_ckplus
from gensynth.data.table import TableConfig

__all__ = [
    "DATASETS",
    "EMOTIONS",
    "NEUTRAL",
    "AffectNetConfig",
    "CK48Config",
    "CKPlusConfig",
    "DataConfig",
    "DataError",
    "Dataset",
    "DatasetConfig",
    "FER2013Config",
    "FERPlusConfig",
    "Fold",
    "FoldBy",
    "FolderConfig",
    "RAFDBConfig",
    "SyntheticConfig",
    "TableConfig",
    "folds",
    "load",
    "reported",
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
