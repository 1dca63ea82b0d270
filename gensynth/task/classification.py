"""Which of some classes an image is of."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gensynth.errors import UserError
from gensynth.task.agreement import AGREEMENTS, areas
from gensynth.task.answers import Answers, Labelled, Truth
from gensynth.task.base import TASKS, Evaluation, Limits, Objective, Score, Task, same_images
from gensynth.task.intervals import wilson
from gensynth.task.metric import Metric
from gensynth.task.readout import Readout, calibrated

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

RECALL = "recall."
LEAST_RECALL = f"{RECALL}min"


def _share(name: str, label: str) -> Metric:
    return Metric(name=name, label=label, unit="%", high=1.0)


OVERALL = (
    _share("accuracy", "accuracy"),
    _share("accuracy_fold_mean", "accuracy, mean over folds"),
    _share("accuracy_sequence", "accuracy by sequence"),
    _share(LEAST_RECALL, "least recall of a class"),
)

AREAS = (
    Metric(name="auc", label="area under ROC", high=1.0, monotone=False),
    Metric(name="auc_pr", label="area under precision and recall", high=1.0, monotone=False),
)
"""Figures of a fold's class scores: the mean over folds, whose networks' scores differ in scale."""


@TASKS.register
class Classification(Task):
    """One of the classes of the data set; a network gives a score for each.

    Its metrics are shares from 0 to 1: ``accuracy`` (of all test images), ``accuracy_fold_mean``
    (the mean over folds), ``accuracy_sequence`` (of sequences, by vote), ``recall.<class>`` and
    ``recall.min``, the least of them; ``f1``, ``kappa``, ``krippendorff_alpha`` and what else is
    registered (:data:`gensynth.task.AGREEMENTS`); and ``auc`` and ``auc_pr``, if results keep them.

    Attributes:
        classes: Class names; those of the data set, which need not be written down.
        areas: Whether a fold's result keeps the areas under its curves. They take the scores of all
            classes, which are not kept.
        labels: What is taught: ``majority``, the class of each image; ``votes``, the share of the
            votes for each class, where the data set has votes (cross-entropy training of Barsoum,
            Zhang, Canton Ferrer, Zhang 2016, arXiv:1608.01041); ``drawn``, a class drawn by those
            shares anew in every batch (their probabilistic label drawing). Tests are by the class.
        balance: Exponent of the classes' weights in the loss: 0 weighs every image alike, 1 every
            class; between them, the rarer the class the greater the weight of its images.
    """

    kind: Literal["classification"] = "classification"
    areas: Annotated[bool, Field(exclude_if=lambda value: not value)] = False
    labels: Annotated[
        Literal["majority", "votes", "drawn"], Field(exclude_if=lambda value: value == "majority")
    ] = "majority"
    balance: Annotated[float, Field(ge=0, le=1, exclude_if=lambda value: value == 0)] = 0.0
    classes: tuple[str, ...] = Field(default=(), exclude=True)

    @property
    def size(self) -> int:
        return len(self.classes)

    @property
    def indices(self) -> bool:
        return True

    @property
    def asked(self) -> str:
        return f"{len(self.classes)} classes"

    def of(self, data: Labelled) -> Classification:
        if self.labels != "majority" and data.votes is None:
            raise UserError(
                f"{data.name} has no votes",
                where="task.labels",
                remedy="choose majority, or data that have them, such as data=ferplus",
            )
        return self.model_copy(update={"classes": data.classes})

    def targets(self, data: Labelled) -> NDArray[np.int64]:
        """Class index of each image, -1 for one of a class that the task does not have."""
        if data.classes == self.classes:
            return data.labels
        known = [self.classes.index(one) if one in self.classes else -1 for one in data.classes]
        return np.array(known, dtype=np.int64)[data.labels]

    def lessons(self, data: Labelled) -> NDArray[Any]:
        """As for every task; shares of votes are float32 (N, classes)."""
        return self.targets(data) if self.labels == "majority" or data.votes is None else data.votes

    def known(self, targets: NDArray[np.int64]) -> NDArray[np.bool_]:
        return targets >= 0

    def unlike(self, classes: Collection[str], numbers: Collection[str]) -> str | None:
        few = len(set(self.classes) & set(classes)) < 2
        return "has fewer than two of these classes" if few else None

    def objective(self, targets: Tensor, *, smoothing: float = 0.0) -> ClassObjective:
        soft = targets.ndim == 2
        taught = targets.numpy()
        counts = taught.sum(0) if soft else np.bincount(taught, minlength=self.size)
        return ClassObjective(
            prior=int(counts.argmax()),
            smoothing=smoothing,
            weights=_weights(counts, self.balance) if self.balance else None,
            drawn=soft and self.labels == "drawn",
            areas=self.areas,
            classes=self.classes,
        )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        agreements = [one.metric for one in AGREEMENTS.values()]
        return (*OVERALL, *agreements, *AREAS, *(_recall(name) for name in self.classes))

    def metric(self, name: str) -> Metric | None:
        """As for every task; before the data are known the recall of any class is a metric."""
        if not self.classes and name.startswith(RECALL) and name != RECALL:
            return _recall(name.removeprefix(RECALL)) if name != LEAST_RECALL else OVERALL[-1]
        return super().metric(name)

    @property
    def known_as(self) -> tuple[str, ...]:
        names = super().known_as
        return names if self.classes else (*names, f"{RECALL}<class>")

    def evaluate(self, *repetitions: Answers) -> ClassEvaluation:
        from sklearn.metrics import confusion_matrix

        first = same_images(repetitions)
        every = [_votes(one) for one in repetitions]
        labels = range(len(self.classes))
        matrices = [
            confusion_matrix(one.targets, one.predictions, labels=labels) for one in repetitions
        ]
        return ClassEvaluation(
            classes=self.classes,
            folds=first.folds,
            confusion=np.sum(matrices, axis=0, dtype=np.int64),
            accuracy=fmean(float(one.trace() / one.sum()) for one in matrices),
            fold_mean=fmean(_fold_mean(one) for one in repetitions),
            sequence_accuracy=fmean(
                float(np.mean([voted == true for voted, true in votes])) for votes in every
            ),
            agreement={
                name: fmean(figure.of(one.targets, one.predictions) for one in repetitions)
                for name, figure in AGREEMENTS.items()
            },
            areas={
                metric.name: fmean(_chance_for_none(one, metric.name) for one in repetitions)
                for metric in AREAS
                if all(metric.name in one.scores for one in repetitions)
            },
            images=len(first.truth),
            sequences=len(every[0]),
        )

    def searched(self, metrics: Mapping[str, float], images: int) -> dict[str, Score]:
        accuracy = metrics["accuracy"]
        return {"accuracy": accuracy, "correct": round(accuracy * images)}

    def quality(self, metrics: Mapping[str, float]) -> float:
        return metrics["accuracy"]

    def perfect(self, truth: Truth) -> NDArray[np.int64]:
        answers: NDArray[np.int64] = truth.targets
        return answers

    def worst(self, answers: Answers, truth: Truth) -> NDArray[np.int64]:
        """Wrong classes: of each sequence the one that most of its known frames are taken for."""
        wrong = (truth.targets + 1) % len(self.classes)
        known = np.isin(answers.truth.sequences, truth.sequences)
        if not known.any():
            return wrong
        for name in np.unique(answers.truth.sequences[known]):
            mine = (answers.truth.sequences == name) & (answers.predictions != answers.targets)
            order = np.argsort(answers.truth.images[mine])
            if mine.any():
                taken_for = _majority(answers.predictions[mine][order].tolist())
                wrong[(truth.sequences == name) & (truth.targets != taken_for)] = taken_for
        return wrong

    def chance(
        self, name: str, end: str, limit: float, answers: Answers, ahead: Truth
    ) -> float | None:
        """Probability that a share is at least so much, counted in sequences.

        The frames of one sequence are nearly one image, so that images are weighed by the number of
        sequences behind them. The mean over folds and the vote of sequences are taken for the share
        of images here; the least recall is met only if every class's recall is.
        """
        if end != "min":
            return None
        right = answers.predictions == answers.targets
        chances = []
        for label in self._counted(name):
            mine, theirs = _of_class(label, answers.targets), _of_class(label, ahead.targets)
            weight = _sequences_an_image(answers.truth.sequences[mine], ahead.sequences[theirs])
            hits, total, more = right[mine].sum(), mine.sum(), theirs.sum()
            needed = limit * (total + more) - hits
            chances.append(chance_of(hits * weight, total * weight, more * weight, needed * weight))
        return min(chances, default=1.0)

    def unanswerable(self, name: str, tested: NDArray[np.int64]) -> str | None:
        if name in {metric.name for metric in AREAS} and not self.areas:
            return f"results keep no {name} (task.areas=true has them do so)"
        wanted = name.removeprefix(RECALL)
        if not name.startswith(RECALL) or wanted not in self.classes:
            return None
        return None if self.classes.index(wanted) in tested else f"no image of {wanted} is tested"

    @property
    def interval_by(self) -> str:
        return "Wilson 95 % intervals over sequences"

    def lines(self, figures: Mapping[str, Any]) -> Iterator[str]:
        from gensynth.task.classification_shown import lines

        return lines(figures)

    def pairs(self, figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        from gensynth.task.classification_shown import pairs

        return pairs(figures)

    def draw(self, figure: Figure, figures: Mapping[str, Any]) -> None:
        from gensynth.task.classification_shown import draw

        draw(figure, figures)

    def _counted(self, name: str) -> Sequence[int | None]:
        """The classes whose images a share counts; None for the images of all."""
        if not name.startswith(RECALL):
            return (None,)
        if name == LEAST_RECALL:
            return range(len(self.classes))
        wanted = name.removeprefix(RECALL)
        return [index for index, known in enumerate(self.classes) if known == wanted]


@dataclass(frozen=True)
class ClassObjective(Objective):
    """Cross-entropy.

    Attributes:
        prior: The most frequent class of the training part.
        smoothing: Probability spread over all classes in the target.
        weights: Of each class's images; None weighs all alike.
        drawn: Whether a class is drawn by the shares of its votes.
        areas: Whether a result keeps areas under curves.
        classes: Class names.
    """

    prior: int
    smoothing: float = 0.0
    weights: tuple[float, ...] | None = None
    drawn: bool = False
    areas: bool = False
    classes: tuple[str, ...] = ()

    def readouts(self, held_out: tuple[Tensor, Tensor] | None = None) -> tuple[Readout, ...]:
        """Probabilities, at the temperature that suits what was held out."""
        count = len(self.classes)
        plain = Readout(
            kind="probabilities", labels=self.classes, scale=(1.0,) * count, offset=(0.0,) * count
        )
        return (plain if held_out is None else calibrated(plain, *held_out),)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        from torch.nn.functional import cross_entropy

        if self.drawn and targets.ndim == 2:
            targets = targets.multinomial(1)[:, 0]
        weight = None if self.weights is None else outputs.new_tensor(self.weights)
        return cross_entropy(outputs, targets, weight, label_smoothing=self.smoothing)

    def decode(self, outputs: Tensor) -> NDArray[np.int64]:
        """Class index of each image."""
        chosen: NDArray[np.int64] = outputs.argmax(1).numpy()
        return chosen

    def fallback(self, count: int) -> NDArray[np.int64]:
        return np.full(count, self.prior, dtype=np.int64)

    def scores(
        self, predictions: NDArray[np.int64], targets: Tensor, outputs: Tensor | None
    ) -> dict[str, Score]:
        """``correct``, the number of images that are right, and ``cross_entropy``, in nats.

        The latter is the mean over the images of minus the logarithm of the probability given to
        the true class; None if the training diverged. A network whose columns add up their class
        scores is the surer the more of them it has.
        """
        plain = replace(self, smoothing=0.0, weights=None)
        kept: dict[str, Score] = {
            "correct": int((predictions == targets.numpy()).sum()),
            "cross_entropy": None if outputs is None else float(plain.loss(outputs, targets)),
        }
        if not self.areas:
            return kept
        if outputs is None:
            return {**kept, **dict.fromkeys((metric.name for metric in AREAS), None)}
        return {**kept, **areas(targets.numpy(), outputs.double().softmax(1).numpy())}


@dataclass(frozen=True, kw_only=True)
class ClassEvaluation(Evaluation):
    """The figures of a classification.

    Attributes:
        classes: Class names.
        confusion: Images by true class (rows) and predicted class (columns), int64; summed over
            repetitions.
        accuracy: Share of the test images of all these folds that are right (pooled).
        fold_mean: Mean over folds of each fold's accuracy.
        sequence_accuracy: Share of the sequences whose vote is right: the class that most frames
            were given; of tied classes the one whose last frame comes last in the data set, since
            sequences run toward the peak of the expression.
        agreement: ``f1``, ``kappa`` and ``krippendorff_alpha``.
        areas: ``auc`` and ``auc_pr`` where results keep them.
    """

    classes: tuple[str, ...]
    confusion: NDArray[np.int64]
    accuracy: float
    fold_mean: float
    sequence_accuracy: float
    agreement: Mapping[str, float]
    areas: Mapping[str, float]

    @property
    def value(self) -> float:
        return self.accuracy

    @property
    def recall(self) -> dict[str, float]:
        """Share of each class's images that are right; without the classes that have no images."""
        counts = self.confusion.sum(axis=1)
        return {
            name: float(self.confusion[index, index] / counts[index])
            for index, name in enumerate(self.classes)
            if counts[index]
        }

    @property
    def interval(self) -> Limits:
        """95 % Wilson interval of the pooled accuracy, by the number of sequences.

        The frames of a sequence are nearly one image, and training again tests the same faces
        again: neither adds evidence.
        """
        return wilson(self.accuracy * self.sequences, self.sequences)

    def figures(self) -> dict[str, Any]:
        return {
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "fold_mean": self.fold_mean,
            "sequence_accuracy": self.sequence_accuracy,
            "images": self.images,
            "sequences": self.sequences,
            "recall": self.recall,
        }

    def details(self) -> dict[str, Any]:
        return {
            "classes": list(self.classes),
            "confusion": self.confusion.tolist(),
            "agreement": {**self.agreement, **self.areas},
        }

    def metrics(self) -> dict[str, float]:
        recall = self.recall
        return {
            "accuracy": self.accuracy,
            "accuracy_fold_mean": self.fold_mean,
            "accuracy_sequence": self.sequence_accuracy,
            **{f"{RECALL}{name}": value for name, value in recall.items()},
            LEAST_RECALL: min(recall.values()),
            **self.agreement,
            **self.areas,
        }


def chance_of(correct: float, seen: float, remaining: float, needed: float) -> float:
    """Probability of at least ``needed`` more successes among ``remaining`` trials.

    The beta-binomial predictive distribution after ``correct`` successes in ``seen`` trials, from a
    uniform prior on the share. Counts need not be whole; they are rounded in the network's favour.
    """
    from scipy.stats import betabinom

    successes, failures = math.ceil(correct), math.floor(seen - correct)
    trials, least = math.ceil(remaining), math.floor(needed)
    if least <= 0:
        return 1.0
    if least > trials:
        return 0.0
    return float(betabinom.sf(least - 1, trials, successes + 1, failures + 1))


def _weights(counts: NDArray[Any], balance: float) -> tuple[float, ...]:
    """Weight of each class's images, 1 in the mean over images; 0 for a class that has none."""
    present = counts > 0
    weights = np.zeros(len(counts))
    weights[present] = (counts.sum() / counts[present]) ** balance
    weights *= counts.sum() / (weights * counts).sum()
    return tuple(weights.tolist())


def _chance_for_none(answers: Answers, name: str) -> float:
    """Mean over folds of an area; a training that diverged has that of guessing."""
    shares = np.bincount(answers.targets) / len(answers.targets)
    guessing = 0.5 if name == "auc" else float(np.mean(shares[shares > 0]))
    return fmean(guessing if one is None else one for one in answers.scores[name])


def _recall(name: str) -> Metric:
    return _share(f"{RECALL}{name}", f"recall of {name}")


def _fold_mean(answers: Answers) -> float:
    right = answers.predictions == answers.targets
    return fmean(float(right[answers.truth.folds == fold].mean()) for fold in answers.folds)


def _votes(answers: Answers) -> list[tuple[int, int]]:
    """Voted and true class of each sequence."""
    order = np.argsort(answers.truth.images)
    frames: dict[str, list[int]] = {}
    true: dict[str, int] = {}
    for name, voted, target in zip(
        answers.truth.sequences[order].tolist(),
        answers.predictions[order].tolist(),
        answers.targets[order].tolist(),
        strict=True,
    ):
        frames.setdefault(name, []).append(voted)
        true[name] = target
    return [(_majority(voted), true[name]) for name, voted in frames.items()]


def _majority(votes: Sequence[int]) -> int:
    """The most frequent vote; of tied ones the one that was cast last."""
    last = {vote: position for position, vote in enumerate(votes)}
    return max(last, key=lambda vote: (votes.count(vote), last[vote]))


def _of_class(label: int | None, targets: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.ones(len(targets), dtype=bool) if label is None else targets == label


def _sequences_an_image(seen: NDArray[np.str_], ahead: NDArray[np.str_]) -> float:
    images = np.concatenate([seen, ahead])
    return len(np.unique(images)) / len(images) if len(images) else 1.0
