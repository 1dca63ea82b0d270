"""The formats that a network can be written in."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from gensynth import genome as genomes
from gensynth.errors import UserError
from gensynth.execution.files import file_name
from gensynth.genome import Genome
from gensynth.validation import alternatives


@dataclass(frozen=True)
class Format:
    """One way to write a network.

    Attributes:
        suffix: Ending of its files.
        description: What it is, in a few words.
        write: Writes a genome to a path.
    """

    suffix: str
    description: str
    write: Callable[[Genome, Path], None]


FORMATS: MutableMapping[str, Format] = {
    "genome": Format(".json", "JSON genome, which gensynth reads and trains", genomes.save),
}
"""By name. To add a format, put one in."""


def export(genome: Genome, format: str, path: str | Path | None = None) -> Path:
    """Writes a network to a file.

    Args:
        genome: The network.
        format: A name of :data:`FORMATS`.
        path: The file; named after the network, in the working directory, when None. The folder
            is made if it does not exist, and a folder that does gets the file inside.

    Returns:
        The file.

    Raises:
        UserError: For an unknown format or a path that cannot be written.
    """
    chosen = FORMATS.get(format)
    if chosen is None:
        raise UserError(f"no such format: {format}", remedy=alternatives(format, FORMATS))
    target = Path(path) if path is not None else Path()
    if target.is_dir():
        target /= f"{file_name(genome.name)}{chosen.suffix}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot be made ({error.strerror})", where=str(target.parent)) from error
    chosen.write(genome, target)
    return target
