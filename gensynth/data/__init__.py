"""Data sets of labelled faces, and their folds by subject."""

from gensynth.data.ckplus import CKPlusConfig
from gensynth.data.class_folders import CK48Config, FolderConfig
from gensynth.data.dataset import EMOTIONS, NEUTRAL, DataError, Dataset
from gensynth.data.partition import Fold, FoldBy, folds
from gensynth.data.sources import DataConfig, load
from gensynth.data.synthetic import SyntheticConfig, write_ck48, write_ckplus

__all__ = [
    "EMOTIONS",
    "NEUTRAL",
    "CK48Config",
    "CKPlusConfig",
    "DataConfig",
    "DataError",
    "Dataset",
    "Fold",
    "FoldBy",
    "FolderConfig",
    "SyntheticConfig",
    "folds",
    "load",
    "write_ck48",
    "write_ckplus",
]
