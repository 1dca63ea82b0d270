"""What the fidelity table is made of: networks of one size, trained in cheap ways and the dear one.

A score is a rung of the search (:class:`gensynth.execution.Rung`) and whatever else may be cheaper
about it: fewer pixels, fewer people to train on, other data. The dear one is the confirmation of
the experiment. Cheap scores and the confirmation have training seeds of their own, so a seed that
both share is not what makes them agree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from benchmarks.options import specified
from gensynth import config
from gensynth.cost import cost
from gensynth.data import DataConfig
from gensynth.errors import UserError
from gensynth.evaluation.disclosure import same_people
from gensynth.execution import Rung, Unit, base_seed
from gensynth.execution.units import Phase, cross_validation
from gensynth.experiment import Experiment, Folds
from gensynth.generator import Generator
from gensynth.generator.making import THOUSAND, make
from gensynth.genome import Genome, InputShape
from gensynth.space import load_space
from gensynth.training import Recipe

SPECIFICATION = Path(__file__).parent / "data" / "fidelity.yaml"
CONFIRMED = "confirmed"
FIXED = 5e6

Positive = Annotated[int, Field(ge=1)]
Key = tuple[str, str, Unit]


class Score(Rung):
    """A way to an accuracy of a network.

    Attributes:
        size: Side of the images, and of what the network reads, in pixels; None leaves it.
        subjects: Share of the people to train on; the test images are all of the fold's.
        data: Another data set; None is the experiment's.
    """

    size: Annotated[int, Field(ge=16)] | None = None
    subjects: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0
    data: DataConfig | None = None

    @property
    def words(self) -> str:
        """What it is, for a table."""
        folds = f"{self.folds} fold{'s' if self.folds > 1 else ''} × {self.epochs} epochs"
        parts = [folds if self.epochs > 1 else folds.removesuffix("s")]
        if self.size is not None:
            parts.append(f"{self.size} pixels")
        if self.subjects < 1:
            parts.append(f"trained on {100 * self.subjects:.0f} % of the people")
        if self.data is not None:
            drawn = "SYNTHETIC faces" if self.data.kind == "synthetic" else self.data.kind
            parts.append(drawn)
        return ", ".join(parts)


class Specification(BaseModel):
    """What is compared, on which networks.

    Attributes:
        experiment: The experiment, by name, whose fidelities are in question.
        prototype: φ, by name.
        search_space: The space around it, by name.
        params: Least and most parameters of the networks.
        networks: Number of networks.
        seed: Of the sample and of the trainings.
        scores: Cheap scores by name, beside the experiment's rungs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiment: str
    prototype: str
    search_space: str
    params: tuple[Positive, Positive]
    networks: Annotated[int, Field(ge=1, le=THOUSAND)]
    seed: Annotated[int, Field(ge=0)]
    scores: Mapping[str, Score]


@dataclass(frozen=True)
class Condition:
    """Everything that decides a training but network, fold, epochs and seed.

    Attributes:
        data: The images.
        subjects: Share of the people to train on.
        folds: How they are split.
        recipe: How networks are trained, resolved.
    """

    data: DataConfig
    subjects: float
    folds: Folds
    recipe: Recipe

    def plain(self) -> dict[str, Any]:
        """As plain data, without where the images lie and who chose the recipe."""
        return {
            "data": self.data.model_dump(mode="json", exclude={"root"}),
            "subjects": self.subjects,
            "folds": self.folds.model_dump(mode="json"),
            "training": self.recipe.model_dump(mode="json", exclude={"tuned_on"}),
        }

    @cached_property
    def name(self) -> str:
        """A folder name that stands for all of it."""
        digest = blake2b(json.dumps(self.plain(), sort_keys=True).encode(), digest_size=6)
        return f"{self.data.kind}-{self.data.size}px-{digest.hexdigest()}"


@dataclass(frozen=True)
class Training:
    """One training: what a line of a journal is the result of.

    Attributes:
        condition: On what and how.
        unit: Fold, epochs and seed.
        genome: The network, as it reads these images.
        phase: Whether it is of a cheap score or of the confirmation.
    """

    condition: Condition
    unit: Unit
    genome: Genome = field(repr=False)
    phase: Phase

    @property
    def key(self) -> Key:
        """What it is called among results."""
        return self.condition.name, self.genome.hash, self.unit

    @property
    def work(self) -> float:
        """What it costs, in multiply-accumulates for each image of the data.

        What an epoch takes besides the network's multiply-accumulates is worth five million of
        them an image, as in the search (:mod:`gensynth.search.preparation`).
        """
        return self.unit.epochs * self.condition.subjects * (cost(self.genome).macs + FIXED)


class Plan:
    """A specification made ready.

    Args:
        specification: What is compared.
        experiment: The experiment that it names (:func:`load_experiment`).
        networks: How many of its networks; None takes all.

    Attributes:
        scores: Every score by name: the rungs of the search, those of the specification, and last
            the confirmation.
        conditions: On what and how each score trains.
        networks: The networks.

    Raises:
        UserError: For a score with more folds than there are or the name of another, or a band that
            the space's networks hardly ever meet.
    """

    def __init__(
        self,
        specification: Specification,
        experiment: Experiment,
        networks: int | None = None,
    ) -> None:
        self.specification = specification
        self.experiment = experiment
        self.scores = _scores(specification, experiment)
        recipe = experiment.training.resolved()
        self.conditions = {
            name: _condition(score, experiment, recipe) for name, score in self.scores.items()
        }
        count = specification.networks if networks is None else networks
        self.networks = sample(specification, experiment, count)
        self._read: dict[tuple[str, int], Genome] = {}

    def trainings(self, name: str, network: Genome) -> list[Training]:
        """The trainings of one score of one network."""
        score = self.scores[name]
        condition = self.conditions[name]
        genome = self._reading(network, condition.data.size)
        phase: Phase = "confirm" if name == CONFIRMED else "search"
        seed = base_seed(self.specification.seed, genome.hash, phase)
        return [
            Training(condition, unit, genome, phase)
            for unit in cross_validation(range(score.folds), score.epochs, seed)
        ]

    def tested(self, name: str) -> range:
        """Folds of the confirmation whose test images a score has seen."""
        score = self.scores[name]
        same = score.data is None or same_people(score.data.kind, self.experiment.data.kind)
        return range(score.folds if same else 0)

    def _reading(self, network: Genome, size: int) -> Genome:
        key = (network.hash, size)
        if key not in self._read:
            self._read[key] = network if network.input.height == size else resized(network, size)
        return self._read[key]


def read_specification(path: Path = SPECIFICATION) -> Specification:
    """Reads what is to be compared.

    Raises:
        UserError: If it cannot be read or is none.
    """
    return specified(Specification, path)


def load_experiment(specification: Specification, overrides: Sequence[str] = ()) -> Experiment:
    """Composes the experiment that a specification names, with its prototype and space.

    Args:
        specification: The specification.
        overrides: Of the experiment, see :func:`gensynth.config.load`.

    Raises:
        UserError: If it does not compose.
    """
    groups = ("experiment", "prototype", "search_space")
    chosen = [f"{group}={getattr(specification, group)}" for group in groups]
    return config.load(Experiment, [*chosen, *overrides])


def sample(specification: Specification, experiment: Experiment, count: int) -> list[Genome]:
    """Different networks that G₀ draws inside the band; fewer of them are the first ones.

    Args:
        specification: For the band and the seed.
        experiment: For φ and the space.
        count: How many.

    Raises:
        UserError: If G₀ hardly ever meets the band.
    """
    space = load_space(experiment.search_space, experiment.prototype)
    least, most = specification.params
    band: JsonValue = {"name": "band", "bounds": {"params": {"min": least, "max": most}}}
    generator = Generator(
        start=space.start,
        space=experiment.search_space,
        prototype=experiment.prototype,
        constraint=band,
    )
    first = specification.seed * THOUSAND
    made = list(make(generator, range(first, first + count)))
    if not all(one.feasible and one.new for one in made):
        raise UserError(
            f"no {count} different networks inside the band were found",
            where="params",
            remedy="widen it, or choose a prototype nearer to it",
        )
    return [one.genome for one in made]


def resized(genome: Genome, size: int) -> Genome:
    """The network that has the same layers and reads square images of another size.

    Args:
        genome: The network.
        size: Side in pixels.
    """
    shape = InputShape(channels=genome.input.channels, height=size, width=size)
    return Genome(
        name=genome.name,
        input=shape,
        nodes=genome.nodes,
        outputs=genome.outputs,
        provenance=genome.provenance,
    )


def _condition(score: Score, experiment: Experiment, recipe: Recipe) -> Condition:
    data = score.data or experiment.data
    if score.size is not None:
        data = data.model_copy(update={"size": score.size})
    return Condition(data, score.subjects, experiment.folds, recipe)


def _scores(specification: Specification, experiment: Experiment) -> dict[str, Score]:
    rungs = {
        f"rung{number}": Score(folds=rung.folds, epochs=rung.epochs)
        for number, rung in enumerate(experiment.fidelity.rungs, 1)
    }
    count = experiment.folds.count
    confirmed = {CONFIRMED: Score(folds=count, epochs=experiment.confirm_epochs)}
    for name, score in specification.scores.items():
        if name in rungs or name in confirmed:
            raise UserError("is the experiment's own", where=f"scores.{name}", remedy="rename it")
        if score.folds > count:
            raise UserError(f"there are {count} folds", where=f"scores.{name}.folds")
    return {**rungs, **specification.scores, **confirmed}
