"""What the loaders of data sets on disk share: the folder that holds one, and what lies in it."""

from __future__ import annotations

from abc import ABC
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from gensynth.data.dataset import DataError
from gensynth.data.images import Channels, is_image
from gensynth.data.kinds import DatasetConfig

SYSTEM = frozenset(
    {"$recycle.bin", "@eadir", "__macosx", "__pycache__", "lost+found", "system volume information"}
)
"""Folders that systems make and no person, in lower case."""

HIDDEN = "hidden, or of the system"
FOREIGN = "no image by its name"
BROKEN_LINK = "link that leads nowhere"
LOOP = "link back to a folder above it"
UNREADABLE = "folder that may not be opened"


class OnDiskConfig(DatasetConfig, ABC):
    """Settings of every data set that lies in a folder.

    Args:
        root: The folder; ``~`` stands for the home folder.
        size: Side of the square images in pixels.
        channels: 1 for gray, 3 for RGB.
        white: The value that is white in images of more than eight bits, for all of them. None
            finds it once for the whole data set, see :func:`gensynth.data.images.white_level`.
    """

    root: Path | None = None
    size: int = Field(default=48, ge=8, le=512)
    channels: Channels = 1
    white: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, exclude_if=lambda white: white is None
    )

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
    """Folders in a folder, sorted by name, those left out that are hidden or of the system."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not is_hidden(path))


def is_hidden(path: Path) -> bool:
    """Whether a person does not see it in a folder, or a system put it there."""
    return path.name.startswith(".") or path.name.lower() in SYSTEM


def images_below(folder: Path, skipped: Counter[str] | None = None) -> list[Path]:
    """The images in a folder and in the folders within it, in the order of their paths.

    Links are followed, as a person's file manager does, but never to a folder that is being walked.

    Args:
        folder: Where to begin.
        skipped: Counts what is left out, by reason.
    """
    return sorted(_walk(folder, skipped if skipped is not None else Counter(), ()))


def _walk(
    folder: Path, skipped: Counter[str], above: tuple[tuple[int, int], ...]
) -> Iterator[Path]:
    try:
        state = folder.stat()
        inside = sorted(folder.iterdir())
    except OSError:
        skipped[UNREADABLE] += 1
        return
    here = state.st_dev, state.st_ino
    if here in above:
        skipped[LOOP] += 1
        return
    for path in inside:
        if is_hidden(path):
            skipped[HIDDEN] += 1
        elif path.is_dir():
            yield from _walk(path, skipped, (*above, here))
        elif is_image(path):
            yield path
        else:
            skipped[FOREIGN if path.exists() else BROKEN_LINK] += 1
