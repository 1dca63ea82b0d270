"""One network on one fold: the unit of work of a search."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from gensynth.cost import check_limits
from gensynth.data import Dataset, Fold
from gensynth.errors import UserError
from gensynth.genome import Genome
from gensynth.training.fitting import fit
from gensynth.training.pretraining import pretrained
from gensynth.training.recipe import Recipe

_SEEDS = 1 << 63


@dataclass(frozen=True, kw_only=True)
class FoldResult:
    """What a network trained on a fold's training part says about its test part.

    Attributes:
        fold: Index of the fold.
        epochs: Passes over the training part.
        seed: Of the training.
        predictions: Class index of every test image, in the order of ``fold.test``.
        correct: How many of them are right.
        total: Number of test images.
        seconds: Time that it took, without that of a pretraining, which other folds share. Not part
            of equality.
        cross_entropy: Mean over the test images of minus the logarithm of the probability that is
            given to the true class, in nats; None if the training diverged. A network whose columns
            add up their class scores is the surer the more of them it has.
        pretraining: Time of the pretraining that was made for this fold; next to nothing
            where another fold's was at hand. Not part of equality.
        loss: Mean training loss of the last epoch; None if the training diverged. The predictions
            are then the most frequent class of the training part for every image.
    """

    fold: int
    epochs: int
    seed: int
    predictions: tuple[int, ...]
    correct: int
    total: int
    seconds: float = field(compare=False)
    loss: float | None
    cross_entropy: float | None = None
    pretraining: float = field(default=0.0, compare=False)

    @property
    def accuracy(self) -> float:
        """Share of the test images that are classified correctly."""
        return self.correct / self.total if self.total else math.nan

    @property
    def diverged(self) -> bool:
        """Whether the loss ceased to be finite, so that the predictions are only the prior."""
        return self.loss is None


def train_fold(
    genome: Genome,
    dataset: Dataset,
    fold: Fold,
    *,
    epochs: int,
    seed: int,
    recipe: Recipe,
    clock: Callable[[], float] = time.perf_counter,
) -> FoldResult:
    """Trains a network on a fold's training part and tests it once, at the end, on the other.

    A pure function: no argument is changed, torch's global state is left as it was, and equal
    arguments give equal results to the bit in any process on one kind of processor (given a
    recipe whose precision is not ``auto``, see :meth:`Recipe.resolved`).

    A training that diverges is a result and not an error: a search has to learn that the network
    is bad. It gets the accuracy of guessing the most frequent class.

    Args:
        genome: The network.
        dataset: The images.
        fold: Which of them to train and to test on.
        epochs: Passes over the training part, at least 1.
        seed: Of the weights, the order of images, the augmentation and dropout. A cross-validation
            trains fold ``i`` with its base seed plus ``i``; the base seed is that of a pretraining,
            which its folds so have in common.
        recipe: How to train.
        clock: Seconds that the result states; wall-clock time unless another one is wanted.

    Raises:
        UserError: If the network does not fit the data, see :func:`check_fits`.
        ValueError: If ``epochs`` is not positive.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, not {epochs}")
    check_fits(genome, dataset)
    images, targets = torch.from_numpy(dataset.images), torch.from_numpy(dataset.targets)
    train, test = torch.from_numpy(fold.train), torch.from_numpy(fold.test)
    recipe = recipe.resolved()
    common = (seed - fold.index) % _SEEDS
    begun = clock()
    start = pretrained(genome, dataset.task, recipe, seed=common) if recipe.pretraining else None
    started = clock()
    objective = dataset.task.objective(targets[train], smoothing=recipe.label_smoothing)
    fitted = fit(
        genome,
        images[train],
        targets[train],
        loss=objective.loss,
        epochs=epochs,
        seed=seed,
        recipe=recipe,
        start=start,
    )
    logits = fitted.logits(images[test])
    loss = fitted.loss if bool(logits.isfinite().all()) else None
    predictions = logits.argmax(1) if loss is not None else _prior(dataset, fold)
    return FoldResult(
        fold=fold.index,
        epochs=epochs,
        seed=seed,
        predictions=tuple(predictions.tolist()),
        correct=int((predictions == targets[test]).sum()),
        total=len(fold.test),
        seconds=clock() - started,
        loss=loss,
        cross_entropy=None if loss is None else float(cross_entropy(logits, targets[test])),
        pretraining=started - begun,
    )


def check_fits(genome: Genome, dataset: Dataset) -> None:
    """Makes sure that a network reads a data set's images, names its classes and can be built.

    Raises:
        UserError: One line that says what the network reads or gives, what the data are, and what
            to change; or which limit of :class:`gensynth.cost.Limits` it exceeds.
    """
    read, shown = genome.input.shape, dataset.image_shape
    sides, classes = ",".join(map(str, shown)), len(dataset.classes)
    keys = f"prototype.input=[{sides}] prototype.classes={classes}"
    if read != shown:
        raise UserError(
            f"reads images of {_size(read)} but {dataset.name} has {_size(shown)}",
            where=genome.name,
            remedy=f"fit a prototype to them with {keys}, or load the data at its size",
        )
    if len(genome.outputs) != 1:
        raise UserError(
            f"has {len(genome.outputs)} outputs ({', '.join(genome.outputs)}) and training reads 1",
            where=genome.name,
            remedy="keep the output that gives the classes",
        )
    (output,) = genome.outputs.values()
    given = genome.shapes[output]
    if given != (classes,):
        raise UserError(
            f"gives {_size(given)} values but {dataset.name} has {classes} classes",
            where=genome.name,
            remedy=f"fit a prototype to them with {keys}, or end the network with a linear layer "
            f"of {classes} features",
        )
    check_limits(genome, where=genome.name)


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(str(side) for side in shape)


def _prior(dataset: Dataset, fold: Fold) -> torch.Tensor:
    counts = np.bincount(dataset.labels[fold.train], minlength=len(dataset.classes))
    return torch.full((len(fold.test),), int(counts.argmax()))
