"""``gensynth faces``: synthetic faces on disk."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gensynth.cli.app import app


class DiskLayout(StrEnum):
    """How data sets of facial expressions lie on disk."""

    CKPLUS = "ckplus"
    CK48 = "ck48"


@app.command()
def faces(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="A new or empty folder.")
    ],
    layout: Annotated[
        DiskLayout,
        typer.Option(help="CK+ as distributed (frames, labels, landmarks), or 48x48 crops."),
    ] = DiskLayout.CKPLUS,
    seed: Annotated[int, typer.Option(min=0, help="Seed of people and pictures.")] = 0,
    subjects: Annotated[
        int, typer.Option(min=1, max=118, help="Only the first so many people.")
    ] = 118,
) -> None:
    """Write synthetic faces in the layout of CK+ or of CK+48."""
    from gensynth.data import SyntheticConfig, load, write_ck48, write_ckplus

    config = SyntheticConfig(seed=seed, subjects=subjects)
    if layout is DiskLayout.CKPLUS:
        write_ckplus(config, output)
    else:
        write_ck48(load(config), output)
    typer.echo(f"{output}: synthetic faces in the layout of {layout.value}, seed {seed}")
