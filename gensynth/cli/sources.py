"""What a command's GENOME and RUN arguments may name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gensynth.errors import UserError

if TYPE_CHECKING:
    from gensynth.genome import Genome


def read_genome(name: str) -> Genome:
    """The network that a person names.

    Args:
        name: A genome file, a prototype by name or YAML file, or a run directory, which stands for
            its best network.

    Raises:
        UserError: If it is none of these.
    """
    path = Path(name)
    if path.is_dir():
        from gensynth.export import Run

        return Run(path).trial_genome()
    if path.suffix == ".json":
        from gensynth import genome

        return genome.load(path)
    from gensynth import config, prototype

    found = config.find("prototype", name)
    if found is not None:
        return prototype.load(found)
    raise UserError(
        "no such network",
        where=name,
        remedy="name a genome file (.json), a run directory, a prototype file (.yaml) or one of "
        + ", ".join(config.options("prototype")),
    )


def run_directory(run: Path | None) -> Path:
    """The run that a person names, or else the newest one under ``runs/``."""
    if run is not None:
        return run
    from gensynth.export import newest

    return newest()
