"""Kinds of data sets, by the ``kind`` that a file in ``conf/data`` names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict

from gensynth.data.dataset import Dataset
from gensynth.registry import Models


class DatasetConfig(BaseModel, ABC):
    """Settings of a data set.

    A subclass names its kind by a field ``kind``, has its settings as further fields, among them
    ``size`` (the side of the square images in pixels), and loads the images::

        @DATASETS.register
        class Stripes(DatasetConfig):
            kind: Literal["stripes"] = "stripes"
            size: int = 16

            def load(self): return Dataset(...)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    if TYPE_CHECKING:

        @property
        def kind(self) -> str:
            """The data set's name; a field of each subclass."""

        @property
        def size(self) -> int:
            """Side of the images in pixels; a field of each subclass."""

        @property
        def channels(self) -> int:
            """1 for gray, 3 for colours; a field of each subclass that has both."""

    @abstractmethod
    def load(self) -> Dataset:
        """The whole data set in memory.

        Raises:
            DataError: If it is missing, broken or incomplete; the message names the file.
        """


DATASETS: Models[DatasetConfig] = Models("data set", "gensynth.datasets", tag="kind")
"""Every kind of data set by its name."""

DataConfig = Annotated[DatasetConfig, DATASETS]
"""Settings of a data set of any registered kind, as the type of a field."""
