"""What a command's GENOME and RUN arguments may name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gensynth.errors import UserError

if TYPE_CHECKING:
    from gensynth.genome import Genome


def read_genome(name: str, overrides: Sequence[str] = ()) -> Genome:
    """The network that a person names.

    Args:
        name: A genome file, a prototype by name or YAML file, or a run directory, which stands for
            its best network.
        overrides: What :func:`naming` gives.

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
    if found is None:
        raise UserError(
            "no such network",
            where=name,
            remedy="name a genome file (.json), a run directory, a prototype file (.yaml) or one "
            "of " + ", ".join(config.options("prototype")),
        )
    if not overrides:
        return prototype.load(found)
    return prototype.expand(config.compose(overrides)["prototype"])


def naming(name: str, overrides: Sequence[str]) -> list[str]:
    """Overrides that choose the prototype that a person names, so that its keys can be changed.

    Args:
        name: As for :func:`read_genome`.
        overrides: As the person wrote them: ``prototype.input=[1,48,48]``, say.

    Returns:
        The overrides, behind the choice of the prototype where ``name`` is one.

    Raises:
        UserError: If they choose another prototype, or change one where ``name`` is none.
    """
    from gensynth.config.overrides import parse

    is_prototype = not Path(name).is_dir() and not name.endswith(".json")
    for text in overrides:
        key = parse(text).key
        if key == "prototype" or (key.startswith("prototype.") and not is_prototype):
            raise UserError(
                f"{name} is the network",
                where=text,
                remedy="leave it out; prototype.KEY=VALUE changes a prototype that is named",
            )
    return [f"prototype={name}", *overrides] if is_prototype and overrides else list(overrides)


def run_directory(run: Path | None) -> Path:
    """The run that a person names, or else the newest one under ``runs/``."""
    if run is not None:
        return run
    from gensynth.export import newest

    return newest()
