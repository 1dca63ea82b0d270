"""Where a search begins that takes up what another one has learned."""

from __future__ import annotations

from pathlib import Path

from gensynth.errors import UserError
from gensynth.experiment import Experiment
from gensynth.generator import Generator
from gensynth.generator.making import choose, space_of
from gensynth.search.run_directory import RunDirectory, run_directory
from gensynth.space import Space

KEPT = "warm-start.json"


def first_generator(experiment: Experiment, space: Space) -> Generator | None:
    """The generator whose θ a search begins with; None where it begins with the prototype.

    A run keeps a copy (:func:`keep`), so that it can be continued when the other run is gone.

    Raises:
        UserError: If the run that is named has no generator, or one of another search space.
    """
    if experiment.warm_start is None:
        return None
    kept = run_directory(experiment).generators / KEPT
    source = Path(experiment.warm_start).expanduser()
    if kept.is_file() and (readable(kept) or not source.exists()):
        source = kept
    try:
        path, generator = choose(source)
        theirs = space_of(generator, where=str(path))
    except UserError as error:
        where = f"warm_start={experiment.warm_start}"
        where = where if error.where == str(source) else f"{where}: {error.where}"
        raise UserError(error.problem, where=where, remedy=error.remedy) from error
    _check_same_space(theirs, space, f"warm_start={experiment.warm_start}")
    return generator


def keep(generator: Generator, directory: RunDirectory) -> None:
    """Copies the generator that a run begins with into its directory."""
    path = directory.generators / KEPT
    if not path.exists() or not readable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.new")
        generator.save(temporary)
        temporary.replace(path)


def readable(path: Path) -> bool:
    """Whether a file is a whole generator."""
    try:
        Generator.load(path)
    except UserError:
        return False
    return True


def _check_same_space(theirs: Space, ours: Space, where: str) -> None:
    for name in {**ours.distributions, **theirs.distributions}:
        there, here = theirs.distributions.get(name), ours.distributions.get(name)
        if there != here:
            raise UserError(
                f"its search space is another one: {name} is {there or 'missing'} there "
                f"and {here or 'missing'} here",
                where=where,
                remedy="warm_start needs a run in the same search_space",
            )
