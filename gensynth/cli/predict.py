"""``gensynth predict``: what a model says of images."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from gensynth.cli.app import app
from gensynth.cli.terminal import say
from gensynth.errors import UserError


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A folder of gensynth train.")],
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE|FOLDER...", help="Images, or folders of them.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a model sees in images, each of any size and a face that fills it."""
    import numpy as np

    from gensynth.data.images import read_image
    from gensynth.device import load_model

    loaded = load_model(model)
    found = []
    for path in _files(images):
        read = read_image(path, channels=loaded.preprocessing.channels)
        said = loaded.predict(np.array(read, dtype=np.uint8))
        found.append((path, said))
        if not as_json:
            heads = "; ".join(head.line(said[head.output]) for head in loaded.heads)
            say(f"{path}: {heads}")
    synthetic = bool(loaded.card.get("synthetic"))
    if as_json:
        listed = [
            {
                "file": str(path),
                **{
                    head.output: dict(zip(head.labels, map(float, said[head.output]), strict=True))
                    for head in loaded.heads
                },
            }
            for path, said in found
        ]
        name = loaded.genome.name
        typer.echo(json.dumps({"model": name, "synthetic": synthetic, "images": listed}))
    elif synthetic:
        say("trained on SYNTHETIC (drawn) faces: it says nothing about people", err=True)


def _files(named: Sequence[Path]) -> Iterator[Path]:
    from gensynth.data.folders import images_below

    for path in named:
        if not path.is_dir():
            yield path
            continue
        inside = images_below(path)
        if not inside:
            raise UserError("holds no images", where=str(path))
        yield from inside
