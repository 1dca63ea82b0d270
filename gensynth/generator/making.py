"""New networks from a saved generator, without any training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from gensynth.cost import cost
from gensynth.errors import UserError
from gensynth.generator.assessment import best
from gensynth.generator.generator import Generator
from gensynth.genome import Genome
from gensynth.indicator import Bound, Indicator
from gensynth.space import Space, exact_violations, load_space
from gensynth.validation import validate

BEST = "best"
PARAMS = "params"
FAMILY = "budget-*.json"
"""Files of a run's family of generators."""
DRAWS = 100
"""Draws of a seed, of which the first admissible and new one is its network; by judgement."""
THOUSAND = 1000
"""Seeds among which networks differ: what a seed gives must not take longer to find than these."""


@dataclass(frozen=True)
class Made:
    """A network that a generator made.

    Attributes:
        seed: Its seed.
        draw: Which of the seed's draws it is; 0 is G(s) itself.
        genome: The network.
        metrics: Its static metrics.
        violation: Total violation of the static bounds of the constraint that the generator was
            learned for, 0 when it meets all.
        new: Whether no smaller seed of the call gave the same network.
    """

    seed: int
    draw: int
    genome: Genome
    metrics: dict[str, float]
    violation: float
    new: bool = True

    @property
    def feasible(self) -> bool:
        """Whether it meets every static bound."""
        return self.violation <= 0


Draw = Callable[[int, int], Made]


def choose(
    run: Path, which: str = BEST, *, max_params: int | None = None
) -> tuple[Path, Generator]:
    """A generator of a run.

    Args:
        run: The run directory, or a generator file.
        which: ``"best"``, or the number of an iteration.
        max_params: Takes the member of the run's family with the greatest budget of parameters
            that is no greater, else the smallest, where ``which`` is the best and there is one.

    Returns:
        Its file and itself.

    Raises:
        UserError: If the run has no such generator.
    """
    if run.is_file():
        return run, Generator.load(run)
    if not run.exists():
        raise UserError("no such run", where=str(run), remedy="name the directory of a search")
    files = sorted((run / "generators").glob("generator-*.json"))
    if not files:
        raise UserError(
            "no generators",
            where=str(run),
            remedy="name the directory of a search that has trained some networks",
        )
    family = sorted((run / "generators").glob(FAMILY))
    if max_params is not None and which == BEST and family:
        fitting = [path for path in family if _budget(path) <= max_params] or family[:1]
        path = max(fitting, key=_budget)
        return path, Generator.load(path)
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


def within(indicator: Indicator, params: int, *, where: str = "params") -> Indicator:
    """An indicator function that also bounds the parameters.

    Raises:
        UserError: If it asks for more parameters than that.
    """
    old = indicator.bounds.get(PARAMS)
    least, most = (old.min, old.max) if old is not None else (None, None)
    new = {"min": least, "max": params if most is None else min(most, params)}
    bounds = {**indicator.bounds, PARAMS: validate(Bound, new, where=where)}
    return indicator.model_copy(update={"bounds": bounds})


def space_of(generator: Generator, *, where: str = "generator") -> Space:
    """The search space that a generator's file holds.

    Raises:
        UserError: If it holds none.
    """
    if not isinstance(generator.space, dict) or not isinstance(generator.prototype, dict):
        raise UserError("space and prototype are missing", where=where)
    return load_space(generator.space, generator.prototype, generator.classes)


def make(
    generator: Generator,
    seeds: range,
    *,
    raw: bool = False,
    max_params: int | None = None,
    where: str = "generator",
) -> Iterator[Made]:
    """Makes networks.

    A seed has up to :data:`DRAWS` draws: G(s), then G of numbers that follow from s. Its network is
    the first draw that meets every static bound and differs from the networks of the smaller seeds
    of its thousand (0 to 999, 1000 to 1999, ...); without such a draw, the one of least violation.
    So what a seed gives depends on nothing but itself and the generator's file, and the seeds of
    one thousand give different networks wherever there are enough.

    Args:
        generator: A generator that was saved with its space.
        seeds: Consecutive seeds, one for each network.
        raw: Whether to take G(s) as it is, whatever it violates or repeats.
        max_params: One more static bound.
        where: The generator's file, for errors and for the networks' provenance.

    Returns:
        The networks in the order of the seeds, made one by one.

    Raises:
        UserError: If the file's space, prototype or constraint is not one.
    """
    space = space_of(generator, where=where)
    constraint = generator.constraint or {"name": "none", "bounds": {}}
    indicator = validate(Indicator, constraint, where=where)
    if max_params is not None:
        indicator = within(indicator, max_params, where="--max-params")
    origin: dict[str, Any] = {"generator": Path(where).name, "iteration": generator.iteration}

    def draw(seed: int, number: int) -> Made:
        genome = generator.sample(_subseed(seed, number), space).outcome
        metrics = cost(genome).metrics()
        violations = exact_violations(indicator, genome, metrics).values()
        described = genome.described(name=f"{genome.name}-{seed}", seed=seed, draw=number, **origin)
        return Made(seed, number, described, metrics, sum(max(v, 0.0) for v in violations))

    made = (draw(seed, 0) for seed in seeds) if raw else _screened(draw, seeds)
    different = _Networks(draw)
    return (replace(one, new=different.add(one)) for one in made)


def _budget(path: Path) -> int:
    digits = path.stem.rpartition("-")[2]
    return int(digits) if digits.isdecimal() else 0


def _screened(draw: Draw, seeds: range) -> Iterator[Made]:
    taken = _Networks(draw)
    for seed in range(seeds.start - seeds.start % THOUSAND, seeds.stop):
        if seed % THOUSAND == 0:
            taken = _Networks(draw)
        made = _first_admissible((draw(seed, number) for number in range(DRAWS)), taken)
        if seed in seeds:
            yield made


def _first_admissible(draws: Iterator[Made], taken: _Networks) -> Made:
    """The first feasible draw that is not taken, which it then is; else one of least violation."""
    nearest: Made | None = None
    for made in draws:
        if made.feasible and taken.add(made):
            return made
        if nearest is None or made.violation < nearest.violation:
            nearest = made
    assert nearest is not None
    return nearest


class _Networks:
    """Different networks.

    A canonical hash takes longer than a draw, and networks of different costs are different. So
    only networks of equal costs are hashed, the first of them drawn again for it.
    """

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._first: dict[tuple[float, float], tuple[int, int]] = {}
        self._hashes: dict[tuple[float, float], set[str]] = {}

    def add(self, made: Made) -> bool:
        """Adds a network; returns whether it was not there."""
        costs = (made.metrics["params"], made.metrics["macs"])
        first = self._first.setdefault(costs, (made.seed, made.draw))
        if first == (made.seed, made.draw):
            return True
        if costs not in self._hashes:
            self._hashes[costs] = {self._draw(*first).genome.hash}
        new = made.genome.hash not in self._hashes[costs]
        self._hashes[costs].add(made.genome.hash)
        return new


def _subseed(seed: int, number: int) -> int:
    if number == 0:
        return seed
    return int.from_bytes(blake2b(f"{seed}/{number}".encode(), digest_size=8).digest(), "big")
