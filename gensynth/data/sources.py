"""Every kind of data set that gensynth can load, under one configuration type."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gensynth.data.ckplus import CKPlusConfig, load_ckplus
from gensynth.data.class_folders import CK48Config, FolderConfig, load_ck48, load_folder
from gensynth.data.dataset import Dataset
from gensynth.data.synthetic import SyntheticConfig, load_synthetic

DataConfig = Annotated[
    SyntheticConfig | CKPlusConfig | CK48Config | FolderConfig, Field(discriminator="kind")
]
"""Settings of a data set; ``kind`` says of which kind."""


def load(config: DataConfig) -> Dataset:
    """Load the data set that a config describes.

    Args:
        config: Settings of one kind of data set.

    Returns:
        The whole data set in memory.

    Raises:
        DataError: If it is missing, broken or incomplete; the message names the file.
    """
    match config:
        case SyntheticConfig():
            return load_synthetic(config)
        case CKPlusConfig():
            return load_ckplus(config)
        case CK48Config():
            return load_ck48(config)
        case FolderConfig():
            return load_folder(config)
