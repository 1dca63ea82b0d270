"""New networks from a saved generator, without any training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gensynth.cost import cost
from gensynth.errors import UserError
from gensynth.generator.assessment import best
from gensynth.generator.generator import Generator
from gensynth.genome import Genome
from gensynth.indicator import Indicator
from gensynth.space import Space, load_space
from gensynth.validation import validate

BEST = "best"


@dataclass(frozen=True)
class Made:
    """A network that a generator made.

    Attributes:
        seed: Its seed.
        genome: The network.
        metrics: Its static metrics.
        feasible: Whether it meets every static bound of the constraint that it was learned for.
    """

    seed: int
    genome: Genome
    metrics: dict[str, float]
    feasible: bool


def choose(run: Path, which: str = BEST) -> tuple[Path, Generator]:
    """A generator of a run.

    Args:
        run: The run directory, or a generator file.
        which: ``"best"``, or the number of an iteration.

    Returns:
        Its file and itself.

    Raises:
        UserError: If the run has no such generator.
    """
    if run.is_file():
        return run, Generator.load(run)
    files = sorted((run / "generators").glob("generator-*.json"))
    if not files:
        raise UserError(
            "no generators",
            where=str(run),
            remedy="name the directory of a search that has trained some networks",
        )
    generators = {path: Generator.load(path) for path in files}
    if which == BEST:
        chosen = best(list(generators.values())).iteration
    elif which.isdecimal():
        chosen = int(which)
    else:
        raise UserError(f"unknown generator {which!r}", remedy="write best or a number")
    for path, generator in generators.items():
        if generator.iteration == chosen:
            return path, generator
    last = max(generator.iteration for generator in generators.values())
    raise UserError(f"no generator {chosen}", where=str(run), remedy=f"choose one of 0 to {last}")


def space_of(generator: Generator, *, where: str = "generator") -> Space:
    """The search space that a generator's file holds.

    Raises:
        UserError: If it holds none.
    """
    if not isinstance(generator.space, dict) or not isinstance(generator.prototype, dict):
        raise UserError("space and prototype are missing", where=where)
    return load_space(generator.space, generator.prototype, generator.classes)


def make(generator: Generator, seeds: Sequence[int], *, where: str = "generator") -> Iterator[Made]:
    """Makes networks.

    Args:
        generator: A generator that was saved with its space.
        seeds: One for each network.
        where: The generator's file, for errors and for the networks' provenance.

    Returns:
        The networks in the order of the seeds, made one by one. They are not filtered.

    Raises:
        UserError: If the file's space, prototype or constraint is not one.
    """
    space = space_of(generator, where=where)
    constraint = generator.constraint or {"name": "none", "bounds": {}}
    static = validate(Indicator, constraint, where=where).static
    origin: dict[str, Any] = {"generator": Path(where).name, "iteration": generator.iteration}
    return (_make(generator, space, static, seed, origin) for seed in seeds)


def _make(
    generator: Generator, space: Space, static: Indicator, seed: int, origin: Mapping[str, Any]
) -> Made:
    genome = generator.sample(seed, space).outcome
    metrics = {name: float(value) for name, value in asdict(cost(genome)).items()}
    return Made(
        seed=seed,
        genome=genome.described(name=f"{genome.name}-{seed}", seed=seed, **origin),
        metrics=metrics,
        feasible=static.feasible(metrics),
    )
