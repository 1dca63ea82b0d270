"""What every task is, and the register of those that there are."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from gensynth.errors import UserError
from gensynth.registry import Models
from gensynth.task.answers import Answers, Labelled, Truth
from gensynth.task.metric import Metric
from gensynth.task.readout import Readout

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

Limits = tuple[float, float]
Score = int | float | None


class Objective(ABC):
    """A task made ready for one training, by what the training targets alone say."""

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of a batch.

        Args:
            outputs: float32 (N, size), the heads side by side.
            targets: What is taught, see :meth:`Task.lessons`.

        Returns:
            A scalar.
        """

    @abstractmethod
    def decode(self, outputs: Tensor) -> NDArray[Any]:
        """What the outputs say of each image, in the targets' own terms."""

    @abstractmethod
    def fallback(self, count: int) -> NDArray[Any]:
        """What is said of so many images by whoever knows the training targets and no image.

        A training that diverges gets this.
        """

    def scores(
        self, predictions: NDArray[Any], targets: Tensor, outputs: Tensor | None
    ) -> dict[str, Score]:
        """What else a fold's result keeps, by name; by default nothing.

        Args:
            predictions: Of the test images.
            targets: What is true of them.
            outputs: What the network gives; None if its training diverged.
        """
        return {}

    def readouts(self, held_out: tuple[Tensor, Tensor] | None = None) -> tuple[Readout, ...]:
        """How whoever uses the trained network reads it, head by head.

        Args:
            held_out: Outputs for images that were not trained on, and what is true of them, to
                calibrate by; None calibrates nothing.

        Raises:
            UserError: For a task that does not say.
        """
        raise UserError(
            "does not say how its networks are read",
            where=type(self).__name__,
            remedy="give it a method readouts",
        )


@dataclass(frozen=True, kw_only=True)
class Evaluation(ABC):
    """The figures of one cross-validation, whole or partial, or of several of the same folds.

    Attributes:
        folds: Indices of the folds that were trained, in order.
        images: Number of test images, once.
        sequences: Number of sequences among them, once.
    """

    folds: tuple[int, ...]
    images: int
    sequences: int

    @property
    @abstractmethod
    def value(self) -> float:
        """The headline metric."""

    @property
    @abstractmethod
    def interval(self) -> Limits:
        """Its 95 % interval."""

    @abstractmethod
    def metrics(self) -> dict[str, float]:
        """The figures by the names that bounds use."""

    @abstractmethod
    def figures(self) -> dict[str, Any]:
        """What a report states of it, as plain data.

        It has the headline metric by its name, ``interval``, ``images`` and ``sequences``.
        """

    def brief(self, headline: Metric) -> dict[str, Any]:
        """The headline metric with what it rests on, as plain data.

        Args:
            headline: Of the task.
        """
        return {
            "folds": list(self.folds),
            headline.name: self.value,
            "images": self.images,
            "sequences": self.sequences,
            "interval": list(self.interval),
        }

    def details(self) -> dict[str, Any]:
        """What an evaluation's file states beyond the figures; by default nothing."""
        return {}


class Task(BaseModel, ABC):
    """What a network is asked, and how it is judged.

    A task is written as data; :meth:`of` makes it one about a certain data set, and only then are
    :attr:`size`, :meth:`targets` and :attr:`metrics` complete.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str

    # What a network gives.

    @property
    @abstractmethod
    def size(self) -> int:
        """How many values a network gives, of all heads together."""

    @property
    def heads(self) -> Mapping[str, int]:
        """Size of each head by the name of the genome's output; one head goes by any name."""
        return {"": self.size}

    @property
    def outputs(self) -> int | dict[str, int]:
        """What a network is made for: how many values it gives, or each of its heads by name."""
        heads = dict(self.heads)
        return heads if "" not in heads else self.size

    @property
    def indices(self) -> bool:
        """Whether targets are indices, int64 (N,), and not numbers, float32 (N, size)."""
        return False

    @property
    @abstractmethod
    def asked(self) -> str:
        """What is asked for, in words: ``7 classes``."""

    # What is true.

    @abstractmethod
    def of(self, data: Labelled) -> Task:
        """The task about a data set.

        Raises:
            UserError: If the data do not know what is asked for.
        """

    @abstractmethod
    def targets(self, data: Labelled) -> NDArray[Any]:
        """What is true of each image, see :attr:`indices`."""

    def lessons(self, data: Labelled) -> NDArray[Any]:
        """What training is taught of each image; by default what is true of it."""
        return self.targets(data)

    def known(self, targets: NDArray[Any]) -> NDArray[np.bool_]:
        """Which of some targets the task can be asked about, (N,)."""
        return np.ones(len(targets), dtype=bool)

    def unlike(self, classes: Collection[str], numbers: Collection[str]) -> str | None:
        """Why drawn faces cannot teach the task anything; None if they can.

        Args:
            classes: Names of what they show.
            numbers: Names of what else is known of them.

        Returns:
            What the data lack, as a clause without its subject.
        """
        return None

    def check_recipe(self, recipe: Mapping[str, Any]) -> None:
        """Refuses what a recipe has that would teach something false.

        Args:
            recipe: Its settings by name, as they are written.

        Raises:
            UserError: Naming the key.
        """

    # How it is learned.

    @abstractmethod
    def objective(self, targets: Tensor, *, smoothing: float = 0.0) -> Objective:
        """Loss and decoding for a training on these targets.

        Args:
            targets: Of the training images, as :meth:`lessons` gives them.
            smoothing: Label smoothing, for tasks that have labels.
        """

    # How it is judged.

    @property
    @abstractmethod
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics of the task, the headline first."""

    @property
    def headline(self) -> Metric:
        """The metric that is an objective of the study and that reports show first."""
        return self.metrics[0]

    def metric(self, name: str) -> Metric | None:
        """A metric by name; None where there is none, as far as is known without the data."""
        return next((one for one in self.metrics if one.name == name), None)

    @abstractmethod
    def evaluate(self, *repetitions: Answers) -> Evaluation:
        """Judges one cross-validation, or several of the same folds with other training seeds.

        Figures of several are means; what tells how much evidence there is stays that of one, since
        training again tests the same faces again.

        Raises:
            ValueError: If there are none or they are not of the same images.
        """

    def searched(self, metrics: Mapping[str, float], images: int) -> dict[str, Score]:
        """What a report states of the search's own figures: the headline metric by its name.

        Args:
            metrics: Those that the search saw.
            images: Number of test images that it saw them on.
        """
        return {self.headline.name: metrics[self.headline.name]}

    @abstractmethod
    def quality(self, metrics: Mapping[str, float]) -> float:
        """How good a network is as a share, 1 for perfect answers, for U to weigh against size."""

    @abstractmethod
    def perfect(self, truth: Truth) -> NDArray[Any]:
        """Right answers."""

    @abstractmethod
    def worst(self, answers: Answers, truth: Truth) -> NDArray[Any] | None:
        """Answers as wrong as can be, after some others; None where errors have no limit."""

    def reach(self, parts: Sequence[tuple[Answers, Truth | None]]) -> dict[str, Limits]:
        """What each monotone metric may still become.

        Args:
            parts: For each cross-validation the answers that are known, and what is true of the
                images that are not tested yet.

        Returns:
            Least and greatest value by name, whatever the remaining answers are.
        """
        best = self.evaluate(*self._filled(parts, self._best)).metrics()
        ends = self._filled(parts, self.worst)
        worst = self.evaluate(*ends).metrics() if len(ends) == len(parts) else {}
        found = {}
        for name, reached in best.items():
            metric = self.metric(name)
            if metric is None or not metric.monotone:
                continue
            rising = metric.direction == "maximize"
            limit = worst.get(name, metric.low if rising else metric.high)
            found[name] = (limit, reached) if rising else (reached, limit)
        return found

    @abstractmethod
    def chance(
        self, name: str, end: str, limit: float, answers: Answers, ahead: Truth
    ) -> float | None:
        """Probability that a bound will be met when the remaining images are tested.

        Args:
            name: Of the metric.
            end: ``"min"`` or ``"max"``.
            limit: What it may be at least, or at most.
            answers: What is known.
            ahead: What is not tested yet.

        Returns:
            The probability, for each network by itself; None where nothing is assumed about it.
        """

    @property
    def known_as(self) -> tuple[str, ...]:
        """Names of all metrics, as a remedy lists them."""
        return tuple(metric.name for metric in self.metrics)

    def unanswerable(self, name: str, tested: NDArray[Any]) -> str | None:
        """Why a metric has no value where only these targets are tested; None if it has one."""
        return None

    # How it is shown.

    @abstractmethod
    def lines(self, figures: Mapping[str, Any]) -> Iterator[str]:
        """An evaluation for a terminal, below the headline.

        Args:
            figures: :meth:`Evaluation.figures` and :meth:`Evaluation.details`.
        """

    @abstractmethod
    def pairs(self, figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Label and value of what a page says of a network below the headline; see :meth:`lines`.

        Args:
            figures: :meth:`Evaluation.figures`; what an older file does not have is left out.
        """

    @abstractmethod
    def draw(self, figure: Figure, figures: Mapping[str, Any]) -> None:
        """Draws an evaluation.

        Args:
            figure: Empty, constrained layout.
            figures: As for :meth:`lines`, with ``folds`` and ``seeds`` as in an evaluation's file.
        """

    @property
    @abstractmethod
    def interval_by(self) -> str:
        """What intervals in a report are: ``Wilson 95 % intervals over sequences``."""

    def evidence(self, figures: Mapping[str, Any]) -> str:
        """What the interval of some figures rests on: ``by 327 sequences``."""
        return f"by {figures['sequences']} sequences"

    def stated(self, figures: Mapping[str, Any]) -> str:
        """The headline with its interval: ``92.7% (95 % interval 89.3% to 95.1%)``."""
        value = self.headline.shown(figures[self.headline.name])
        interval = figures.get("interval")
        if not interval or not all(map(math.isfinite, interval)):
            return value
        low, high = map(self.headline.shown, interval)
        return f"{value} (95 % interval {low} to {high})"

    @staticmethod
    def _filled(parts: Sequence[tuple[Answers, Truth | None]], say: Any) -> list[Answers]:
        filled = []
        for known, ahead in parts:
            said = None if ahead is None or not len(ahead) else say(known, ahead)
            if ahead is None or not len(ahead):
                filled.append(known)
            elif said is not None:
                filled.append(known.and_of(ahead, said))
        return filled

    def _best(self, answers: Answers, truth: Truth) -> NDArray[Any]:
        return self.perfect(truth)


TASKS: Models[Task] = Models("task", "gensynth.tasks", tag="kind")
"""Every kind of task by its name; packages add theirs by entry points of this group."""

AnyTask = Annotated[Task, TASKS]
"""A task in a configuration: a mapping whose ``kind`` names one of :data:`TASKS`."""


def same_images(repetitions: Sequence[Answers]) -> Answers:
    """The first of several, which has to be of the same images as the others.

    Raises:
        ValueError: If there are none or they are not.
    """
    if not repetitions:
        raise ValueError("there is nothing to judge")
    first = repetitions[0]
    wanted = np.sort(first.truth.images)
    if not all(np.array_equal(np.sort(one.truth.images), wanted) for one in repetitions[1:]):
        raise ValueError("only cross-validations of the same folds are judged together")
    return first
