"""What a command's GENOME and RUN arguments may name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gensynth.errors import UserError
from gensynth.reading import read_json

if TYPE_CHECKING:
    from gensynth.config import Base
    from gensynth.genome import Genome

GENOME = "genome.json"
"""The network in the folder of a model, or of an evaluation."""

EVALUATION = "evaluation.json"

PROTOCOL = (
    "data",
    "task",
    "folds",
    "training",
    "fidelity",
    "confirm",
    "constraint",
    "performance",
    "seed",
)
"""What a run directory decides of its networks' trainings; overrides change it."""


def read_genome(name: str, overrides: Sequence[str] = ()) -> Genome:
    """The network that a person names.

    Args:
        name: A genome file, a prototype by name or YAML file, a run directory, which stands for
            its best network, or the folder of a model or an evaluation.
        overrides: What :func:`naming` gives.

    Raises:
        UserError: If it is none of these.
    """
    path = Path(name)
    if path.is_dir() and not (path / GENOME).is_file():
        from gensynth.export import Run

        return Run(path).trial_genome()
    path = path / GENOME if path.is_dir() else path
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


def protocol(path: Path) -> Base | None:
    """What decides a run's figures, if the path is a run."""
    if not path.is_dir() or (path / GENOME).is_file():
        return None
    from gensynth.config import Base
    from gensynth.export import Run

    written = Run(path).config
    values = {key: written[key] for key in PROTOCOL if key in written}
    return Base(str(path / "config.yaml"), values)


def confirmed(path: Path, genome: Genome) -> dict[str, Any] | None:
    """The figures that a confirmation or an evaluation found for a network, as they stand.

    Args:
        path: A run directory, an evaluation's folder or a genome file; of a prototype nothing is
            known.
        genome: The network.

    Returns:
        They, and ``by``, what found them; None where there are none.
    """
    found: Any = None
    if (path / EVALUATION).is_file():
        found = read_json(path / EVALUATION)
        kept = ("folds", "confusion", "protocol", "heads")
        return {"by": "evaluation", **{k: v for k, v in found.items() if k not in kept}}
    if path.is_dir() and not (path / GENOME).is_file():
        from gensynth.export import Run

        networks = Run(path).results.networks if Run(path).finished else ()
        found = next((one.confirmed for one in networks if one.hash == genome.hash), None)
        found = found and found.stated
    else:
        metrics = genome.provenance.get("metrics")
        found = metrics.get("confirmed") if isinstance(metrics, dict) else None
    if not isinstance(found, dict):
        return None
    told = {key: genome.provenance.get(key) for key in ("study", "trial", "data", "synthetic")}
    return {"by": "confirmation", **told, **found}
