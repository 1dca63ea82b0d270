"""Damages files at random and reads them: ``python -m benchmarks.reading.fuzz [INPUTS [SECONDS]]``.

Each input is a good file of its kind with a few bytes changed, cut, repeated or replaced by what
parsers trip over. A reader may take it or say why not in one line (``UserError``); anything else is
a crash, and a slow or a large one is seen by its time.
"""

from __future__ import annotations

import io
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.markdown import markdown
from gensynth import genome as genomes
from gensynth import prototype
from gensynth.config.folders import read as read_config
from gensynth.data.images import read_image
from gensynth.data.listing import rows
from gensynth.errors import UserError
from gensynth.execution.journal import read as read_journal
from gensynth.reading import read_json, read_yaml

ROOT = Path(__file__).parents[2]
TOKENS = (
    *(
        b"[",
        b"]",
        b"{",
        b"}",
        b'"',
        b"'",
        b":",
        b",",
        b"\n",
        b"\0",
        b"\xff",
        b"\x1b[2J",
        b"\\ud800",
    ),
    *(b"NaN", b"-1", b"1e999", b"null", b"true", b"9" * 500, b"&a ", b"*a", b"<<: ", b"!!set "),
    *(b"${oc.env:HOME}", b"../../x", b"2024-13-45", b"0x"),
    *(b"[" * 100, b"{a: " * 100, b"- " * 100),
)


class Reader(NamedTuple):
    """A reader with good files of its kind."""

    suffix: str
    read: Callable[[Path], object]
    good: tuple[bytes, ...]


class Found(NamedTuple):
    """What came of the inputs of a reader: how many were taken, the slowest, the crashes."""

    inputs: int
    taken: int
    slowest: float
    crashes: tuple[tuple[str, bytes], ...]


def readers() -> Mapping[str, Reader]:
    """Every reader of files that people exchange, by name."""
    line = {
        "phase": "search",
        "trial": 0,
        "genome": "ab",
        "fold": 0,
        "epochs": 2,
        "seed": 7,
        "total": 2,
        "predictions": [0, [1.5, 2]],
        "loss": 0.5,
        "seconds": 1.0,
        "correct": 1,
    }
    genome = next((ROOT / "genomes").glob("*.json")).read_bytes()
    yamls = tuple(path.read_bytes() for path in sorted((ROOT / "constraints").glob("*.yaml")))
    prototypes = tuple(
        path.read_bytes() for path in sorted((ROOT / "prototypes").glob("*.yaml"))[:4]
    )
    return {
        "genome": Reader(".json", genomes.load, (genome[:6000], genome)),
        "JSON": Reader(".json", read_json, (b'{"a": [1, 2.5, {"b": "c"}], "d": null}',)),
        "journal": Reader(".jsonl", read_journal, ((json.dumps(line) + "\n").encode() * 2,)),
        "YAML": Reader(".yaml", read_yaml, yamls),
        "configuration": Reader(".yaml", read_config, yamls),
        "prototype": Reader(".yaml", prototype.load, prototypes),
        "table": Reader(
            ".csv", lambda path: list(rows(path)), (b"file,label\na.png,x\nb.png,y\n",)
        ),
        "image": Reader(".png", lambda path: read_image(path, channels=1), tuple(_images())),
    }


def damaged(good: bytes, chance: random.Random) -> bytes:
    """A file with one to four faults."""
    content = bytearray(good)
    for _ in range(chance.randint(1, 4)):
        at, to = sorted(chance.randrange(len(content) + 1) for _ in range(2))
        to = min(to, at + 64)
        match chance.randrange(6):
            case 0:
                content[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                content[at:at] = chance.choice(TOKENS)
            case 2:
                del content[at:to]
            case 3:
                content[at:at] = content[at:to] * chance.randint(1, 4)
            case 4:
                del content[at:]
            case 5:
                content[at:to] = chance.choice(TOKENS)
    return bytes(content)


def fuzz(reader: Reader, folder: Path, *, inputs: int, seconds: float, seed: int = 0) -> Found:
    """Reads damaged files until there were so many or time is up."""
    chance, path = random.Random(seed), folder / f"input{reader.suffix}"
    done, taken, slowest, crashes = 0, 0, 0.0, []
    end = time.monotonic() + seconds
    while done < inputs and time.monotonic() < end:
        content = damaged(chance.choice(reader.good), chance)
        path.write_bytes(content)
        began = time.process_time()
        try:
            reader.read(path)
            taken += 1
        except UserError as error:
            if "\n" in str(error):
                crashes.append(("more than one line", content))
        except Exception as error:
            crashes.append((f"{type(error).__name__}: {error}", content))
        slowest = max(slowest, time.process_time() - began)
        done += 1
    return Found(done, taken, slowest, tuple(crashes))


def _images() -> list[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 12), dtype=np.uint8)
    written = []
    for format in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "PCX"):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format)
        written.append(buffer.getvalue())
    return written


def main(inputs: int = 1_000_000, seconds: float = 3600.0) -> None:
    """Prints one row a reader."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name, reader in readers().items():
            found = fuzz(reader, Path(folder), inputs=inputs, seconds=seconds)
            for error, content in found.crashes[:3]:
                print(f"{name}: {error[:200]}: {content[:400]!r}", file=sys.stderr)
            lines.append(
                [
                    name,
                    str(found.inputs),
                    str(found.taken),
                    str(len(found.crashes)),
                    f"{found.slowest:.2f}",
                ]
            )
    print(markdown(["reader", "inputs", "taken", "crashes", "slowest, s"], lines))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
