"""Several heads on one trunk, each with a task of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, WithJsonSchema, model_validator

from gensynth.task.answers import Answers, Labelled, Truth
from gensynth.task.base import TASKS, AnyTask, Evaluation, Limits, Objective, Score, Task
from gensynth.task.classification import Classification
from gensynth.task.metric import Metric
from gensynth.task.readout import Readout

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

Head = Annotated[AnyTask, WithJsonSchema({"type": "object"})]
"""A task of its own; its schema is left open, since it may not hold itself."""

Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@TASKS.register
class Combined(Task):
    """Tasks by the name of the head that answers them; their metrics are united.

    Outputs, targets and predictions have the heads side by side, by the alphabet of their names; a
    class index is a column of its own.

    Attributes:
        tasks: The task of each head. The headline metric is that of the first one.
        weights: Of each head's loss and quality; 1 where none is given.
    """

    kind: Literal["combined"] = "combined"
    tasks: Annotated[dict[str, Head], Field(min_length=1)]
    weights: dict[str, Weight] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _apart(self) -> Combined:
        unknown = sorted(self.weights.keys() - self.tasks.keys())
        if unknown:
            raise ValueError(f"a weight for {unknown[0]!r}, which is no head")
        if any(isinstance(task, Combined) for task in self.tasks.values()):
            raise ValueError("a head has one task, not several")
        for name, task in self.tasks.items():
            if isinstance(task, Classification) and task.labels != "majority":
                raise ValueError(f"head {name!r} is taught votes, which a task alone can be")
        names = [metric.name for task in self.tasks.values() for metric in task.metrics]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two heads have a metric {twice[0]!r}")
        return self

    def __hash__(self) -> int:
        return hash((self.kind, tuple(self.tasks.items()), tuple(sorted(self.weights.items()))))

    @property
    def size(self) -> int:
        return sum(task.size for task in self.tasks.values())

    @property
    def heads(self) -> Mapping[str, int]:
        return {name: task.size for name, task in self._side_by_side}

    @property
    def asked(self) -> str:
        return ", ".join(f"{name}: {task.asked}" for name, task in self.tasks.items())

    def of(self, data: Labelled) -> Combined:
        tasks = {name: task.of(data) for name, task in self.tasks.items()}
        return self.model_copy(update={"tasks": tasks})

    def targets(self, data: Labelled) -> NDArray[np.float32]:
        every = [task.targets(data) for _, task in self._side_by_side]
        columns = [one.reshape(len(one), -1) for one in every]
        return np.concatenate(columns, axis=1).astype(np.float32)

    def known(self, targets: NDArray[Any]) -> NDArray[np.bool_]:
        parts = [
            self.tasks[name].known(_target_array(self.tasks[name], targets[:, columns]))
            for name, _, columns in self._places()
        ]
        every: NDArray[np.bool_] = np.all(np.stack(parts), axis=0)
        return every

    def unlike(self, classes: Collection[str], numbers: Collection[str]) -> str | None:
        found = (task.unlike(classes, numbers) for task in self.tasks.values())
        return next((one for one in found if one is not None), None)

    def check_recipe(self, recipe: Mapping[str, Any]) -> None:
        for task in self.tasks.values():
            task.check_recipe(recipe)

    def objective(self, targets: Tensor, *, smoothing: float = 0.0) -> CombinedObjective:
        return CombinedObjective(
            parts=tuple(
                _Part(
                    name=name,
                    objective=self.tasks[name].objective(
                        _target_tensor(self.tasks[name], targets[:, columns]), smoothing=smoothing
                    ),
                    task=self.tasks[name],
                    outputs=outputs,
                    columns=columns,
                    weight=self._weight(name),
                )
                for name, outputs, columns in self._places()
            )
        )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return tuple(metric for task in self.tasks.values() for metric in task.metrics)

    def metric(self, name: str) -> Metric | None:
        found = (task.metric(name) for task in self.tasks.values())
        return next((one for one in found if one is not None), None)

    @property
    def known_as(self) -> tuple[str, ...]:
        return tuple(name for task in self.tasks.values() for name in task.known_as)

    def evaluate(self, *repetitions: Answers) -> CombinedEvaluation:
        parts = {
            name: task.evaluate(*(self._answers(name, one) for one in repetitions))
            for name, task in self.tasks.items()
        }
        first = next(iter(parts.values()))
        return CombinedEvaluation(
            parts=parts, folds=first.folds, images=first.images, sequences=first.sequences
        )

    def quality(self, metrics: Mapping[str, float]) -> float:
        """The mean of the heads' qualities, by the weights of their losses."""
        weights = [self._weight(name) for name in self.tasks]
        values = [task.quality(metrics) for task in self.tasks.values()]
        return float(np.average(values, weights=weights))

    def perfect(self, truth: Truth) -> NDArray[np.float64]:
        return truth.targets.astype(np.float64)

    def worst(self, answers: Answers, truth: Truth) -> None:
        """None: it is told for each head by itself, see :meth:`reach`."""
        return

    def reach(self, parts: Sequence[tuple[Answers, Truth | None]]) -> dict[str, Limits]:
        found: dict[str, Limits] = {}
        for name, task in self.tasks.items():
            mine = [
                (self._answers(name, known), ahead and self._truth(name, ahead))
                for known, ahead in parts
            ]
            found |= task.reach(mine)
        return found

    def chance(
        self, name: str, end: str, limit: float, answers: Answers, ahead: Truth
    ) -> float | None:
        for head, task in self.tasks.items():
            if task.metric(name) is not None:
                mine, left = self._answers(head, answers), self._truth(head, ahead)
                return task.chance(name, end, limit, mine, left)
        return None

    def unanswerable(self, name: str, tested: NDArray[Any]) -> str | None:
        for head, _, columns in self._places():
            task = self.tasks[head]
            if task.metric(name) is not None:
                return task.unanswerable(name, _target_array(task, tested[:, columns]))
        return None

    @property
    def _first(self) -> Task:
        return next(iter(self.tasks.values()))

    @property
    def interval_by(self) -> str:
        return self._first.interval_by

    def evidence(self, figures: Mapping[str, Any]) -> str:
        return self._first.evidence(figures)

    def searched(self, metrics: Mapping[str, float], images: int) -> dict[str, Score]:
        return self._first.searched(metrics, images)

    def lines(self, figures: Mapping[str, Any]) -> Iterator[str]:
        for name, task in self.tasks.items():
            mine = figures["heads"][name]
            yield f"  {name}: {task.headline.label} {task.stated(mine)}"
            yield from task.lines({**figures, **mine})

    def pairs(self, figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name, task in self.tasks.items():
            for label, value in task.pairs(figures.get("heads", {}).get(name, {})):
                yield f"{name}: {label}", value

    def draw(self, figure: Figure, figures: Mapping[str, Any]) -> None:
        rows = figure.subfigures(len(self.tasks), 1, squeeze=False)[:, 0]
        places = {name: columns for name, _, columns in self._places()}
        for row, (name, task) in zip(rows, self.tasks.items(), strict=True):
            folds = [
                {key: np.asarray(fold[key])[:, places[name]].tolist() for key in _SAID}
                for fold in figures["folds"]
            ]
            task.draw(row, {**figures, **figures["heads"][name], "folds": folds})

    @property
    def _side_by_side(self) -> list[tuple[str, Task]]:
        return sorted(self.tasks.items())

    def _places(self) -> Iterator[tuple[str, slice, slice]]:
        """Each head's columns among the outputs, and among the targets and predictions."""
        outputs = columns = 0
        for name, task in self._side_by_side:
            width = 1 if task.indices else task.size
            yield name, slice(outputs, outputs + task.size), slice(columns, columns + width)
            outputs, columns = outputs + task.size, columns + width

    def _weight(self, name: str) -> float:
        return self.weights.get(name, 1.0)

    def _columns(self, head: str) -> slice:
        return next(columns for name, _, columns in self._places() if name == head)

    def _truth(self, head: str, truth: Truth) -> Truth:
        mine = _target_array(self.tasks[head], truth.targets[:, self._columns(head)])
        return replace(truth, targets=mine)

    def _answers(self, head: str, answers: Answers) -> Answers:
        mine = _target_array(self.tasks[head], answers.predictions[:, self._columns(head)])
        scores = {
            name.removeprefix(f"{head}."): values
            for name, values in answers.scores.items()
            if name.startswith(f"{head}.")
        }
        return Answers(truth=self._truth(head, answers.truth), predictions=mine, scores=scores)


_SAID = ("truth", "predictions")


@dataclass(frozen=True, kw_only=True)
class _Part:
    name: str
    objective: Objective
    task: Task
    outputs: slice
    columns: slice
    weight: float

    def of(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        return outputs[:, self.outputs], _target_tensor(self.task, targets[:, self.columns])


@dataclass(frozen=True)
class CombinedObjective(Objective):
    """The weighted sum of the heads' losses.

    Attributes:
        parts: The heads, by the alphabet of their names.
    """

    parts: tuple[_Part, ...]

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        losses = [
            part.weight * part.objective.loss(*part.of(outputs, targets)) for part in self.parts
        ]
        total = losses[0]
        for loss in losses[1:]:
            total = total + loss
        return total

    def decode(self, outputs: Tensor) -> NDArray[np.float64]:
        return _beside(part.objective.decode(outputs[:, part.outputs]) for part in self.parts)

    def fallback(self, count: int) -> NDArray[np.float64]:
        return _beside(part.objective.fallback(count) for part in self.parts)

    def readouts(self, held_out: tuple[Tensor, Tensor] | None = None) -> tuple[Readout, ...]:
        """Those of each head, under its name."""
        return tuple(
            readout.model_copy(update={"name": part.name})
            for part in self.parts
            for readout in part.objective.readouts(held_out and part.of(*held_out))
        )

    def scores(
        self, predictions: NDArray[Any], targets: Tensor, outputs: Tensor | None
    ) -> dict[str, Score]:
        """Those of each head, after its name: ``expression.cross_entropy``."""
        return {
            f"{part.name}.{key}": value
            for part in self.parts
            for key, value in part.objective.scores(
                _target_array(part.task, predictions[:, part.columns]),
                _target_tensor(part.task, targets[:, part.columns]),
                None if outputs is None else outputs[:, part.outputs],
            ).items()
        }


@dataclass(frozen=True, kw_only=True)
class CombinedEvaluation(Evaluation):
    """The figures of several heads.

    Attributes:
        parts: Of each head, the headline's first.
    """

    parts: Mapping[str, Evaluation]

    @property
    def value(self) -> float:
        return next(iter(self.parts.values())).value

    @property
    def interval(self) -> Limits:
        return next(iter(self.parts.values())).interval

    def metrics(self) -> dict[str, float]:
        return {
            name: value for part in self.parts.values() for name, value in part.metrics().items()
        }

    def figures(self) -> dict[str, Any]:
        heads = {name: part.figures() for name, part in self.parts.items()}
        return {**next(iter(heads.values())), "heads": heads}

    def details(self) -> dict[str, Any]:
        return {
            "heads": {
                name: {**part.figures(), **part.details()} for name, part in self.parts.items()
            }
        }


def _target_tensor(task: Task, columns: Tensor) -> Tensor:
    return columns[:, 0].long() if task.indices else columns


def _target_array(task: Task, columns: NDArray[Any]) -> NDArray[Any]:
    return columns[:, 0].astype(np.int64) if task.indices else columns


def _beside(parts: Iterator[NDArray[Any]]) -> NDArray[np.float64]:
    columns = [part.reshape(len(part), -1) for part in parts]
    return np.concatenate(columns, axis=1).astype(np.float64)
