"""``gensynth faces``: synthetic faces on disk."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gensynth.cli.app import app
from gensynth.cli.terminal import say

if TYPE_CHECKING:
    from gensynth.data import SyntheticConfig


class DiskLayout(StrEnum):
    """How data sets of facial expressions lie on disk."""

    CKPLUS = "ckplus"
    CK48 = "ck48"
    FER2013 = "fer2013"
    FER2013_FOLDERS = "fer2013-folders"
    FERPLUS = "ferplus"
    FERPLUS_FOLDERS = "ferplus-folders"
    RAFDB = "rafdb"
    AFFECTNET = "affectnet"
    AFFECTNET_NUMBERED = "affectnet-numbered"


@app.command()
def faces(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="A new or empty folder.")
    ],
    layout: Annotated[
        DiskLayout,
        typer.Option(
            help="CK+ as distributed (frames, labels, landmarks), 48x48 crops, or the layout of a "
            "data set from the web, with neutral faces and an official split by people."
        ),
    ] = DiskLayout.CKPLUS,
    seed: Annotated[int, typer.Option(min=0, help="Seed of people and pictures.")] = 0,
    subjects: Annotated[
        int, typer.Option(min=1, max=118, help="Only the first so many people.")
    ] = 118,
) -> None:
    """Write synthetic faces in the layout of a data set of real ones."""
    from gensynth.data import SyntheticConfig

    _write(layout, SyntheticConfig(seed=seed, subjects=subjects), output)
    say(f"{output}: synthetic faces in the layout of {layout.value}, seed {seed}")


def _write(layout: DiskLayout, config: SyntheticConfig, output: Path) -> None:
    from gensynth.data import load, write_ck48, write_ckplus
    from gensynth.data.synthetic import wild

    if layout is DiskLayout.CKPLUS:
        write_ckplus(config, output)
        return
    if layout is DiskLayout.CK48:
        write_ck48(load(config), output)
        return
    writers: dict[DiskLayout, Callable[..., None]] = {
        DiskLayout.FER2013: wild.write_fer2013,
        DiskLayout.FER2013_FOLDERS: partial(wild.write_fer2013, folders=True),
        DiskLayout.FERPLUS: wild.write_ferplus,
        DiskLayout.FERPLUS_FOLDERS: partial(wild.write_ferplus, folders=True),
        DiskLayout.RAFDB: wild.write_rafdb,
        DiskLayout.AFFECTNET: wild.write_affectnet,
        DiskLayout.AFFECTNET_NUMBERED: partial(wild.write_affectnet, numbered=True),
    }
    changes: dict[str, object] = {"neutral": True}
    if layout in (DiskLayout.AFFECTNET, DiskLayout.AFFECTNET_NUMBERED):
        changes |= {"size": 128, "channels": 3}
    writers[layout](load(config.model_copy(update=changes)), output)
