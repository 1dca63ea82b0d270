"""One network on one fold: the unit of work of a search."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from numpy.typing import NDArray

from gensynth.cost import check_limits
from gensynth.data import Dataset, Fold
from gensynth.errors import UserError
from gensynth.genome import Genome
from gensynth.task.base import Score
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
        predictions: What it says of every test image, in the order of ``fold.test``: a class index,
            or a tuple of numbers.
        total: Number of test images.
        seconds: Time that it took, without that of a pretraining, which other folds share. Not part
            of equality.
        scores: What else the task keeps, see :meth:`gensynth.task.Objective.scores`.
        pretraining: Time of the pretraining that was made for this fold; next to nothing
            where another fold's was at hand. Not part of equality.
        loss: Mean training loss of the last epoch; None if the training diverged. The predictions
            are then what the training part alone says of every image.
    """

    fold: int
    epochs: int
    seed: int
    predictions: tuple[Any, ...]
    total: int
    seconds: float = field(compare=False)
    loss: float | None
    scores: Mapping[str, Score] = field(default_factory=dict)
    pretraining: float = field(default=0.0, compare=False)

    @property
    def diverged(self) -> bool:
        """Whether the loss ceased to be finite, so that the predictions are a fallback."""
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
    is bad. It gets what guessing without a look at the images would get.

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
    lessons = torch.from_numpy(dataset.lessons)
    train, test = torch.from_numpy(fold.train), torch.from_numpy(fold.test)
    recipe = recipe.resolved()
    common = (seed - fold.index) % _SEEDS
    begun = clock()
    start = pretrained(genome, dataset.task, recipe, seed=common) if recipe.pretraining else None
    started = clock()
    objective = dataset.task.objective(lessons[train], smoothing=recipe.label_smoothing)
    fitted = fit(
        genome,
        images[train],
        lessons[train],
        loss=objective.loss,
        epochs=epochs,
        seed=seed,
        recipe=recipe,
        start=start,
    )
    outputs = fitted.logits(images[test])
    loss = fitted.loss if bool(outputs.isfinite().all()) else None
    diverged = loss is None
    said = objective.fallback(len(test)) if diverged else objective.decode(outputs)
    return FoldResult(
        fold=fold.index,
        epochs=epochs,
        seed=seed,
        predictions=_plain(said),
        total=len(fold.test),
        seconds=clock() - started,
        loss=loss,
        scores=objective.scores(said, targets[test], None if diverged else outputs),
        pretraining=started - begun,
    )


def check_fits(genome: Genome, dataset: Dataset) -> None:
    """Makes sure that a network reads a data set's images, answers its task and can be built.

    Raises:
        UserError: One line that says what the network reads or gives, what the data are, and what
            to change; or which limit of :class:`gensynth.cost.Limits` it exceeds.
    """
    read, shown, task = genome.input.shape, dataset.image_shape, dataset.task
    sides = ",".join(map(str, shown))
    keys = f"prototype.input=[{sides}] prototype.classes={_written(task.outputs)}"
    if read != shown:
        raise UserError(
            f"reads images of {_size(read)} but {dataset.name} has {_size(shown)}",
            where=genome.name,
            remedy=f"fit a prototype to them with {keys}, or load the data at its size",
        )
    if len(genome.outputs) != len(task.heads):
        raise UserError(
            f"has {len(genome.outputs)} outputs ({', '.join(genome.outputs)}) and the task reads "
            f"{len(task.heads)}",
            where=genome.name,
            remedy=f"fit a prototype with {keys}, or keep the outputs that give {task.asked}",
        )
    for name, wanted in task.heads.items():
        if name and name not in genome.outputs:
            raise UserError(
                f"has no output {name}, which the task reads",
                where=genome.name,
                remedy=f"give the prototype outputs: {', '.join(task.heads)}",
            )
        given = genome.shapes[genome.outputs[name] if name else next(iter(genome.outputs.values()))]
        if given != (wanted,):
            raise UserError(
                f"gives {_size(given)} values but {dataset.name} has {task.asked}",
                where=genome.name,
                remedy=f"fit a prototype to them with {keys}, or end the network with a linear "
                f"layer of {wanted} features",
            )
    check_limits(genome, where=genome.name)


def _written(outputs: int | dict[str, int]) -> str:
    """Outputs as an override of a prototype has them."""
    if isinstance(outputs, int):
        return str(outputs)
    heads = ",".join(f"{name}:{size}" for name, size in outputs.items())
    return f"'{{{heads}}}'"


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(str(side) for side in shape)


def _plain(predictions: NDArray[Any]) -> tuple[Any, ...]:
    """Predictions as tuples, so that results can be compared."""
    rows = predictions.tolist()
    return tuple(tuple(row) if isinstance(row, list) else row for row in rows)
