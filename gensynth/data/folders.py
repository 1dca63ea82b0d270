"""What the loaders of data sets on disk share: the folder that holds one."""

from __future__ import annotations

from abc import ABC
from pathlib import Path

from pydantic import Field

from gensynth.data.dataset import DataError
from gensynth.data.images import Channels
from gensynth.data.kinds import DatasetConfig


class OnDiskConfig(DatasetConfig, ABC):
    """Settings of every data set that lies in a folder.

    Args:
        root: The folder; ``~`` stands for the home folder.
        size: Side of the square images in pixels.
        channels: 1 for gray, 3 for RGB.
    """

    root: Path | None = None
    size: int = Field(default=48, ge=8, le=512)
    channels: Channels = 1

    def folder(self) -> Path:
        """The folder to read.

        Raises:
            DataError: If none is given or there is none.
        """
        if self.root is None:
            raise DataError("no folder is given", where="data.root", remedy="set data.root=FOLDER")
        folder = self.root.expanduser()
        if not folder.is_dir():
            raise DataError(
                "there is no such folder" if not folder.exists() else "this is not a folder",
                where=str(folder),
                remedy="set data.root to the folder that holds the data set",
            )
        return folder


def visible_folders(folder: Path) -> list[Path]:
    """Folders in a folder, sorted by name, hidden ones left out."""
    return sorted(
        path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
