"""One or several numbers that an image shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StringConstraints, model_validator

from gensynth.errors import UserError
from gensynth.task import agreement
from gensynth.task.answers import Answers, Labelled, Truth
from gensynth.task.base import TASKS, Evaluation, Limits, Objective, Task, same_images
from gensynth.task.intervals import bootstrap
from gensynth.task.metric import Metric
from gensynth.task.readout import Readout
from gensynth.validation import alternatives

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]*$")]
Change = Literal["rotation", "shift", "zoom", "flip", "erase", "mixup"]

KINDS = ("mae", "rmse", "r2")
AGREEMENT = ("corr", "sagr", "ccc")
LABELS = {
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "r2": "R²",
    "corr": "correlation",
    "sagr": "sign agreement",
    "ccc": "concordance",
}


@TASKS.register
class Regression(Task):
    """Named numbers; a network gives each in units of its spread over the training images.

    For each number, and for the mean over all of them under the task's name, there are ``mae_…``
    (mean absolute error), ``rmse_…`` (root mean squared error) and ``r2_…`` (share of the variance
    that is explained: 1 for perfect answers, 0 for always the mean); and ``corr_…``, ``sagr_…`` and
    ``ccc_…`` (:mod:`gensynth.task.agreement`).

    Attributes:
        name: What the numbers are together; ``mae_<name>`` is the headline.
        numbers: Their names, as the data set has them.
        unit: Of all of them, as it is written after a number.
        loss: ``mse``, ``l1``, or ``huber``, which is square up to a standard deviation of the
            number and linear beyond (Huber 1964).
        changed_by: Augmentations that change the numbers: mirroring turns a head's yaw. A recipe
            with one of them is refused, since it would teach false targets.
    """

    kind: Literal["regression"] = "regression"
    name: Name
    numbers: Annotated[tuple[Name, ...], Field(min_length=1)]
    unit: Annotated[str, Field(max_length=16)] = ""
    loss: Literal["mse", "l1", "huber"] = "huber"
    changed_by: tuple[Change, ...] = ()

    @model_validator(mode="after")
    def _named(self) -> Regression:
        if len(set(self.numbers)) < len(self.numbers):
            raise ValueError("numbers must have different names")
        if len(self.numbers) > 1 and self.name in self.numbers:
            raise ValueError(f"name {self.name!r} is that of one of several numbers")
        return self

    @property
    def size(self) -> int:
        return len(self.numbers)

    @property
    def asked(self) -> str:
        unit = f" ({self.unit})" if self.unit else ""
        return f"{', '.join(self.numbers)}{unit}"

    def of(self, data: Labelled) -> Regression:
        for number in self.numbers:
            if number not in data.numbers:
                remedy = alternatives(number, data.numbers)
                raise UserError(
                    f"{data.name} does not know {number}",
                    where="task.numbers",
                    remedy=remedy or "choose data that do, such as data=synthetic",
                )
        return self

    def targets(self, data: Labelled) -> NDArray[np.float32]:
        columns = [data.numbers[number] for number in self.numbers]
        return np.stack(columns, axis=1).astype(np.float32)

    def unlike(self, classes: Collection[str], numbers: Collection[str]) -> str | None:
        unknown = [name for name in self.numbers if name not in numbers]
        return f"has {unknown[0]}, which is not known of them" if unknown else None

    def check_recipe(self, recipe: Mapping[str, Any]) -> None:
        if recipe.get("apart"):
            raise UserError(
                "trains each column to give the whole number, and then adds columns up",
                where="training.apart",
                remedy="set it to false",
            )
        augmentation = recipe.get("augmentation", {})
        for change in self.changed_by:
            if augmentation.get(change):
                off = "false" if augmentation[change] is True else "0"
                raise UserError(
                    f"changes {self.name}, so that training images would have false targets",
                    where=f"training.augmentation.{change}",
                    remedy=f"set it to {off}",
                )

    def objective(self, targets: Tensor, *, smoothing: float = 0.0) -> NumberObjective:
        """As for every task; the mean and the spread of the training targets are all it takes."""
        spread = targets.std(0, correction=0)
        return NumberObjective(
            mean=tuple(targets.mean(0).tolist()),
            spread=tuple(value if value > 0 else 1.0 for value in spread.tolist()),
            kind=self.loss,
            numbers=self.numbers,
            unit=self.unit,
        )

    @property
    def named(self) -> tuple[str, ...]:
        """What metrics are of: all numbers together, then each."""
        return tuple(dict.fromkeys((self.name, *self.numbers)))

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return tuple(
            self._metric(kind, name) for name in self.named for kind in (*KINDS, *AGREEMENT)
        )

    def evaluate(self, *repetitions: Answers) -> NumberEvaluation:
        first = same_images(repetitions)
        return NumberEvaluation(
            task=self,
            repetitions=repetitions,
            folds=first.folds,
            images=len(first.truth),
            sequences=len(np.unique(first.truth.sequences)),
        )

    def quality(self, metrics: Mapping[str, float]) -> float:
        """R² of all numbers; 0 for what is no better than always saying the mean."""
        return max(0.0, metrics[f"r2_{self.name}"])

    def perfect(self, truth: Truth) -> NDArray[np.float64]:
        return truth.targets.astype(np.float64)

    def worst(self, answers: Answers, truth: Truth) -> None:
        """None: an error has no limit."""
        return

    def chance(
        self, name: str, end: str, limit: float, answers: Answers, ahead: Truth
    ) -> float | None:
        """Probability that a mean error stays under a limit, by what it is for each person so far.

        The mean over people still to come is predicted from those who came, as if their mean errors
        were normal: Student's t with one degree of freedom less than there are people (Geisser
        1993, section 2.2). Squared errors stand for a root mean squared error.
        """
        kind, _, of = name.partition("_")
        if end != "max" or kind not in ("mae", "rmse") or of not in self.named:
            return None
        power = 1 if kind == "mae" else 2
        chosen = [of == self.name or of == number for number in self.numbers]
        if power == 2 and sum(chosen) > 1:
            return None
        errors = np.abs(answers.predictions - answers.targets)[:, chosen] ** power
        _, groups = np.unique(answers.truth.people, return_inverse=True)
        by_person = np.bincount(groups, weights=errors.mean(1)) / np.bincount(groups)
        done, left = len(answers.truth), len(ahead)
        needed = (limit**power * (done + left) - errors.mean(1).sum()) / left
        return _stays_under(needed, by_person, len(np.unique(ahead.people)))

    @property
    def interval_by(self) -> str:
        return "95 % intervals by resampling people"

    def evidence(self, figures: Mapping[str, Any]) -> str:
        return "by resampling people"

    def lines(self, figures: Mapping[str, Any]) -> Iterator[str]:
        from gensynth.task.regression_shown import lines

        return lines(self, figures)

    def pairs(self, figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        from gensynth.task.regression_shown import pairs

        return pairs(self, figures)

    def draw(self, figure: Figure, figures: Mapping[str, Any]) -> None:
        from gensynth.task.regression_shown import draw

        draw(self, figure, figures)

    def _metric(self, kind: str, name: str) -> Metric:
        label = f"{LABELS[kind]} of {name}"
        if kind == "r2":
            return Metric(name=f"r2_{name}", label=label, low=-math.inf, high=1.0)
        if kind in AGREEMENT:
            low = 0.0 if kind == "sagr" else -1.0
            return Metric(name=f"{kind}_{name}", label=label, low=low, high=1.0, monotone=False)
        return Metric(name=f"{kind}_{name}", label=label, unit=self.unit, direction="minimize")


@dataclass(frozen=True)
class NumberObjective(Objective):
    """A mean loss over numbers in units of their spread.

    Attributes:
        mean: Of each number over the training images.
        spread: Standard deviation of each, 1 where it is 0.
        kind: As in :class:`Regression`.
        numbers: As in :class:`Regression`.
        unit: As in :class:`Regression`.
    """

    mean: tuple[float, ...]
    spread: tuple[float, ...]
    kind: Literal["mse", "l1", "huber"]
    numbers: tuple[str, ...] = ()
    unit: str = ""

    def readouts(self, held_out: tuple[Tensor, Tensor] | None = None) -> tuple[Readout, ...]:
        """The numbers in their unit; there is nothing to calibrate."""
        return (
            Readout(
                kind="numbers",
                labels=self.numbers,
                unit=self.unit,
                scale=self.spread,
                offset=self.mean,
            ),
        )

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        from torch.nn import functional

        wanted = (targets - targets.new_tensor(self.mean)) / targets.new_tensor(self.spread)
        losses: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
            "mse": functional.mse_loss,
            "l1": functional.l1_loss,
            "huber": functional.huber_loss,
        }
        return losses[self.kind](outputs, wanted)

    def decode(self, outputs: Tensor) -> NDArray[np.float64]:
        """The numbers, (N, numbers)."""
        said = outputs * outputs.new_tensor(self.spread) + outputs.new_tensor(self.mean)
        numbers: NDArray[np.float64] = said.double().numpy()
        return numbers

    def fallback(self, count: int) -> NDArray[np.float64]:
        return np.tile(np.array(self.mean), (count, 1))


@dataclass(frozen=True, kw_only=True)
class NumberEvaluation(Evaluation):
    """The figures of a regression.

    Attributes:
        task: What was asked.
        repetitions: The answers of each cross-validation.
    """

    task: Regression
    repetitions: tuple[Answers, ...]

    @property
    def value(self) -> float:
        return self._mean("mae", self.task.name)

    @property
    def interval(self) -> Limits:
        """95 % interval of the headline, by resampling people."""
        return self._interval("mae", self.task.name)

    def metrics(self) -> dict[str, float]:
        errors = {
            f"{kind}_{name}": self._mean(kind, name) for name in self.task.named for kind in KINDS
        }
        return errors | {
            f"{kind}_{name}": self._agreement(kind, name)
            for name in self.task.named
            for kind in AGREEMENT
        }

    def figures(self) -> dict[str, Any]:
        found = self.metrics()
        intervals = {
            f"{kind}_{self.task.name}": list(self._interval(kind, self.task.name)) for kind in KINDS
        }
        return {
            **found,
            "interval": intervals[self.task.headline.name],
            "intervals": intervals,
            "images": self.images,
            "sequences": self.sequences,
        }

    def _mean(self, kind: str, name: str, weights: NDArray[np.float64] | None = None) -> float:
        measure = _measure(kind)
        chosen = [name in (self.task.name, number) for number in self.task.numbers]
        return fmean(
            float(
                measure(
                    one.targets[:, chosen].astype(np.float64),
                    one.predictions[:, chosen],
                    sample_weight=weights,
                )
            )
            for one in self.repetitions
        )

    def _agreement(self, kind: str, name: str) -> float:
        """Of a number, or the mean over all."""
        measure: Callable[..., float] = getattr(agreement, kind)
        return fmean(
            measure(one.targets[:, column].astype(np.float64), one.predictions[:, column])
            for one in self.repetitions
            for column, number in enumerate(self.task.numbers)
            if name in (self.task.name, number)
        )

    def _interval(self, kind: str, name: str) -> Limits:
        first = self.repetitions[0]
        if not all(
            np.array_equal(one.truth.images, first.truth.images) for one in self.repetitions
        ):
            raise ValueError("repetitions list the same images in different orders")
        return bootstrap(first.truth.people, lambda weights: self._mean(kind, name, weights))


def _measure(kind: str) -> Callable[..., float]:
    from sklearn import metrics

    found: Callable[..., float] = {
        "mae": metrics.mean_absolute_error,
        "rmse": metrics.root_mean_squared_error,
        "r2": metrics.r2_score,
    }[kind]
    return found


def _stays_under(limit: float, known: NDArray[np.float64], more: int) -> float | None:
    """Probability that the mean of ``more`` further values is at most ``limit``.

    Returns:
        None where fewer than three values are known, too few to tell their spread.
    """
    from scipy.stats import t

    count = len(known)
    if count < 3:
        return None
    spread = known.std(ddof=1) * math.sqrt(1 / count + 1 / more)
    if spread == 0:
        return float(known.mean() <= limit)
    return float(t.cdf((limit - known.mean()) / spread, count - 1))
