"""``results.json``: what a search found, as data, for who writes it and everybody who reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field, model_validator

from gensynth.indicator import Indicator
from gensynth.reading import read_json
from gensynth.search.outcome import DIVERGED
from gensynth.search.verdict import Verdict
from gensynth.task import AnyTask, Classification, Metric
from gensynth.validation import validate

FILE = "results.json"


class _Record(BaseModel):
    """Read leniently: a later version of the file may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Figure(_Record):
    """What a task says of a network: its headline metric by name, and whatever else it states.

    Attributes:
        images: Number of test images.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    images: int

    def value(self, metric: Metric) -> float:
        """The value of a metric that the figure has."""
        return float((self.model_extra or {})[metric.name])

    @property
    def stated(self) -> dict[str, Any]:
        """All of it, as the task stated it."""
        return self.model_dump(mode="json")


class SearchFigure(Figure):
    """What the search saw when it chose, on ``folds`` folds: optimistic, because it chose by it."""

    folds: int
    epochs: int | None = None


class UnseenFigure(Figure):
    """The confirmed figures on the folds whose test images the search never used.

    Attributes:
        folds: Their indices.
        interval: 95 % interval of the headline metric.
    """

    folds: tuple[int, ...]
    sequences: int
    interval: tuple[float, float]


class ConfirmedFigure(Figure):
    """The network trained again on all folds with training seeds that the search never used.

    Attributes:
        interval: 95 % interval of the headline metric.
        per_seed: The headline metric of each cross-validation.
        unseen: The same on the folds that the search did not score on.
    """

    sequences: int | None = None
    interval: tuple[float, float] | None = None
    epochs: int | None = None
    seeds: tuple[int, ...] = ()
    per_seed: tuple[Any, ...] = ()
    unseen: UnseenFigure | None = None


class Refuted(_Record):
    """Why a confirmation was broken off after so many folds: a bound, or ``diverged``."""

    bound: str
    folds: int


class FoundNetwork(_Record):
    """One network of the front.

    Attributes:
        genome: Its file, relative to the run directory.
        feasible: By the confirmed figures where there are any.
        violations: By bound, such as ``params.max``; at most 0 where satisfied.
        performance: U.
    """

    genome: str
    hash: str
    trial: int
    params: int
    macs: int
    peak_memory: int
    model_bytes: int
    search: SearchFigure | None = None
    confirmed: ConfirmedFigure | None = None
    refuted: Annotated[Refuted | None, Field(exclude_if=lambda known: known is None)] = None
    feasible: bool
    violations: Mapping[str, float] = Field(default_factory=dict)
    performance: float | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def verdict(self) -> Verdict:
        """Whether it satisfies 1_r, by its confirmation where there is one."""
        if self.refuted is not None:
            return Verdict.DIVERGED if self.refuted.bound == DIVERGED else Verdict.REFUTED
        if self.confirmed is not None:
            return Verdict.CONFIRMED if self.feasible else Verdict.REFUTED
        return Verdict.SEARCHED if self.feasible else Verdict.VIOLATED

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All that there are."""
        unseen = self.confirmed.unseen if self.confirmed else None
        return tuple(one for one in (self.search, self.confirmed, unseen) if one)


class Tally(_Record):
    """How many candidates ended how; ``refused`` by the bound that refused them.

    Those whose training diverged are among the stopped ones too.
    """

    asked: int = 0
    refused: Mapping[str, int] = Field(default_factory=dict)
    duplicates: int = 0
    trained: int = 0
    stopped: int = 0
    diverged: Annotated[int, Field(exclude_if=lambda count: not count)] = 0
    failed: int = 0


class Results(_Record):
    """The whole file.

    Attributes:
        task: What networks were asked; files of earlier versions do not say.
        recipe: By which images the recipe was chosen, in words.
    """

    format: Literal["gensynth.results"]
    version: Annotated[int, Field(ge=1, le=1)]
    name: str
    synthetic: bool
    data: str = ""
    source: str = ""
    task: AnyTask = Classification()
    command: str = ""
    recipe: str = ""
    seed: int = 0
    constraint: Indicator
    prototype: str | None = None
    networks: tuple[FoundNetwork, ...] = ()
    ended: str | None = None
    counts: Tally = Tally()
    seconds: Mapping[str, float] = Field(default_factory=dict)
    versions: Mapping[str, str] = Field(default_factory=dict)
    generators: tuple[Any, ...] = ()

    @model_validator(mode="after")
    def _has_the_headline(self) -> Results:
        name = self.task.headline.name
        for network in self.networks:
            for figure in network.figures:
                if not isinstance((figure.model_extra or {}).get(name), int | float):
                    raise ValueError(f"a figure of trial {network.trial} has no number {name!r}")
        return self


def load_results(path: Path) -> Results:
    """Reads a results file.

    Raises:
        UserError: If it cannot be read or is something else.
    """
    return validate(Results, read_json(path), where=str(path))


def best(results: Results) -> FoundNetwork | None:
    """The network to take: feasible, confirmed before unconfirmed, then by U.

    Returns:
        None when no network is feasible.
    """
    feasible = [network for network in results.networks if network.feasible]
    return max(feasible, key=merit, default=None)


def merit(network: FoundNetwork) -> tuple[bool, bool, float]:
    """Confirmed and feasible first, then feasible, then by U; greater is better."""
    known = network.performance
    confirmed = network.feasible and network.confirmed is not None
    return confirmed, network.feasible, float("-inf") if known is None else known
