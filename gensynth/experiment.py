"""One search as data: everything that decides what comes out of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails

from gensynth.data import DataConfig, Dataset, Fold, FoldBy, folds, load
from gensynth.errors import UserError
from gensynth.execution.units import Rung
from gensynth.indicator import Indicator
from gensynth.performance import Performance
from gensynth.task import AnyTask, Classification
from gensynth.training import Recipe

Positive = Annotated[int, Field(ge=1)]


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Folds(_Config):
    """How the data are split.

    Attributes:
        count: Number of folds; an official split has two, whatever is written.
        by: ``subject`` keeps a person's images together; ``image`` has to be asked for;
            ``official`` is the split that a data set was published with: candidates are chosen by
            its validation part, and finalists reported once on its test part.
        order: Seed that shuffles the subjects (or images) before they are dealt; None deals in the
            order of their names, as published.
    """

    count: Annotated[int, Field(ge=2)]
    by: FoldBy
    order: Annotated[int | None, Field(ge=0, exclude_if=lambda order: order is None)] = None

    @property
    def number(self) -> int:
        """How many folds there are."""
        return 2 if self.by == "official" else self.count

    @property
    def choosing(self) -> int:
        """How many of them, the first ones, candidates may be judged by."""
        return 1 if self.by == "official" else self.count

    def lay(self, dataset: Dataset) -> tuple[Fold, ...]:
        """The folds of a data set, see :func:`gensynth.data.folds`."""
        return folds(dataset, self.count, self.by, self.order)


class Budget(_Config):
    """When a search ends: with whichever comes first.

    Attributes:
        candidates: Networks to train; None for no limit.
        minutes: Time of the whole run, confirmation included; None for no limit.
        prototype: Whether ``generative`` too has φ as the first candidate, as the other samplers
            always have: it begins with what is cheap, and a short search may never see how good φ
            is.
    """

    candidates: Positive | None
    minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None
    prototype: bool = False

    @model_validator(mode="after")
    def _ends(self) -> Budget:
        if self.candidates is None and self.minutes is None:
            raise ValueError("a search without a limit never ends: give candidates or minutes")
        return self


class Fidelity(_Config):
    """How a candidate is raced.

    Attributes:
        rungs: Rising levels; the last is the full search fidelity, at which 1_r is judged.
        reduction: η: one candidate in so many goes on from rung to rung; None lets all go on.
        risk: Accepted probability, at each decision, of stopping a candidate that would have met
            1_r; 0 stops only those that certainly cannot.
        margin: By how much the search asks for more than 1_r of what a network is to be good at, a
            share. What is picked by its figures on few folds is flattered by them. With a negative
            margin near misses are trained to the end too. The confirmation judges by 1_r as it is.
    """

    rungs: Annotated[tuple[Rung, ...], Field(min_length=1)]
    reduction: Annotated[float, Field(gt=1, allow_inf_nan=False)] | None
    risk: Annotated[float, Field(ge=0, lt=0.5)]
    margin: Annotated[float, Field(gt=-1, lt=1, allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _rises(self) -> Fidelity:
        for lower, upper in zip(self.rungs, self.rungs[1:], strict=False):
            if upper.folds < lower.folds or upper.epochs < lower.epochs or upper == lower:
                raise ValueError("rungs must rise: more folds, more epochs, or both")
        return self


class Price(_Config):
    """What an epoch of training takes, in multiply-accumulates for each image.

    It decides which of two promising networks is trained first, and is computed, never timed, so
    that a run repeats itself on any machine. The defaults are fitted to one: on one core an epoch
    of 883 images of 48x48 pixels took 0.27 s and 0.052 s more for every million
    (``benchmarks/speed/training.py``), so what does not depend on the size is worth five million.

    Attributes:
        image: What each image takes beside the network: drawing, augmenting, the optimiser's step.
        node: What each operation takes for each image, as by overhead on an accelerator.
        epoch: What each epoch takes, whatever the number of images.
    """

    image: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 5e6
    node: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    epoch: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _costs(self) -> Price:
        if not (self.image or self.node or self.epoch):
            raise ValueError("training takes more than its multiplications: set image above 0")
        return self

    def of(self, macs: float, nodes: int, images: int) -> float:
        """The price of an epoch, for each image.

        Args:
            macs: Multiply-accumulates of the network for one image.
            nodes: Its operations.
            images: Images in the training part.
        """
        return macs + self.image + self.node * nodes + self.epoch / images


class Confirm(_Config):
    """How the finalists are confirmed: on all folds, with training seeds never used before.

    Attributes:
        finalists: Number of networks; 0 confirms none.
        seeds: Whole cross-validations of each.
        epochs: Passes over each training part; None takes those of the last rung.
    """

    finalists: Annotated[int, Field(ge=0)]
    seeds: Positive
    epochs: Positive | None


class Experiment(_Config):
    """One search. The defaults are in ``gensynth/conf/config.yaml`` and nowhere else.

    Attributes:
        name: Name of the run directory and the study; None makes one from the choices.
        seed: Every random draw follows from it.
        workers: Processes that train; None is one a core.
        gpus_per_worker: GPUs that Ray sets aside for each worker of a training on GPUs, 0.5 for two
            workers on each; None shares out those of the machine.
        storage: Optuna storage URL; None is ``study.db`` in the run directory.
        ray_address: Address of a running Ray cluster to join; None starts a private local one.
        runs: Folder of the run directories.
        warm_start: Run (or generator file) whose generator the search begins with; None begins
            with the prototype.
        prototype: φ, see :mod:`gensynth.prototype`.
        search_space: What may be changed about φ, see :mod:`gensynth.space`.
        constraint: The indicator function 1_r.
        data: The images.
        task: What networks are asked about them.
        training: The recipe.
        performance: U, the greater the better.
        sampler: Name of who proposes networks, see :mod:`gensynth.search.samplers`; the class where
            one was given from Python.
        folds: How the data are split.
        fidelity: How candidates are raced.
        budget: When the search ends.
        price: What training takes, against which a promise is weighed.
        confirm: How finalists are confirmed.
    """

    name: str | None
    seed: Annotated[int, Field(ge=0)]
    workers: Positive | None
    gpus_per_worker: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    storage: str | None
    ray_address: str | None
    runs: str
    warm_start: str | None
    prototype: dict[str, Any]
    search_space: dict[str, Any]
    constraint: Indicator
    data: DataConfig
    task: Annotated[AnyTask, Field(exclude_if=lambda task: task == Classification())] = (
        Classification()
    )
    training: Recipe
    performance: Performance
    sampler: str
    folds: Folds
    fidelity: Fidelity
    budget: Budget
    price: Annotated[Price, Field(exclude_if=lambda price: price == Price())] = Price()
    confirm: Confirm

    @field_validator("runs", "warm_start")
    @classmethod
    def _at_home(cls, path: str | None) -> str | None:
        """A path may begin with ``~``."""
        return None if path is None else str(Path(path).expanduser())

    @field_validator("storage")
    @classmethod
    def _from_anywhere(cls, url: str | None) -> str | None:
        """The same file from whatever folder the run is continued or read."""
        if url is None:
            return None
        from gensynth.storage_url import absolute

        return absolute(url)

    @model_validator(mode="after")
    def _fits(self) -> Experiment:
        if self.name is not None and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*", self.name):
            raise ValueError(f"name {self.name!r} is not a folder name of letters, digits and _.-")
        if self.warm_start is not None and self.sampler != "generative":
            raise ValueError(f"warm_start needs sampler generative, not {self.sampler}")
        return self

    @model_validator(mode="after")
    def _asks(self) -> Experiment:
        """Refuses bounds and recipes that are wrong with whatever data."""
        mistakes = [
            (("constraint", "bounds", *keys), error)
            for keys, error in self.constraint.mistakes(self.task)
        ]
        try:
            self.task.check_recipe(self.training.model_dump())
        except UserError as error:
            mistakes.append((tuple(error.where.split(".")), error))
        if mistakes:
            raise ValidationError.from_exception_data(
                type(self).__name__,
                [
                    InitErrorDetails(type="value_error", loc=keys, input=None, ctx={"error": error})
                    for keys, error in mistakes
                ],
            )
        return self

    @property
    def label(self) -> str:
        """The name, or one made of constraint, prototype, space and data."""
        if self.name is not None:
            return self.name
        parts = (
            self.constraint.name,
            str(self.prototype.get("name", "prototype")),
            str(getattr(self.data, "kind", "data")),
        )
        return re.sub(r"[^A-Za-z0-9_.\-]+", "_", "-".join(parts))

    @property
    def searched(self) -> Indicator:
        """1_r as candidates are judged: with the margin of the search fidelity."""
        return self.constraint.tightened(self.fidelity.margin, self.task)

    def load(self) -> Dataset:
        """The images, with what is asked about them.

        Raises:
            UserError: If they cannot be loaded or do not know what the task asks for.
        """
        return load(self.data).asked(self.task)

    def measured(self, metrics: Mapping[str, float]) -> float:
        """U of a network with these metrics, static and trained."""
        return self.performance(self.task.quality(metrics), metrics)

    @property
    def confirm_epochs(self) -> int:
        """Epochs of the confirmation."""
        return self.confirm.epochs or self.fidelity.rungs[-1].epochs


def check_constraint(experiment: Experiment, dataset: Dataset) -> None:
    """Refuses bounds on what these data do not have.

    Raises:
        UserError: For a metric that is unknown, or a bound that no value of its metric meets.
    """
    try:
        experiment.constraint.check(dataset.task)
    except UserError as error:
        where = f"constraint {experiment.constraint.name}: {error.where}"
        raise UserError(error.problem, where=where, remedy=error.remedy) from error
