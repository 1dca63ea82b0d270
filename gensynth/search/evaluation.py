"""The whole cross-validation of one network, or one fold of it, by the workers of a search."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gensynth.cost import cost
from gensynth.data import Dataset, Fold, folds, load
from gensynth.errors import UserError
from gensynth.genome import Genome
from gensynth.search.cluster import cluster
from gensynth.search.engine import execute
from gensynth.search.events import Progress, Silent, Watcher
from gensynth.search.experiment import Experiment
from gensynth.search.journal import Journal
from gensynth.search.plan import Unit, base_seed, cross_validation
from gensynth.search.run import workers_of
from gensynth.search.setting import check_constraint
from gensynth.search.work import Clock, Conductor, Job
from gensynth.training import (
    Evaluation,
    FoldResult,
    Recipe,
    check_fits,
    evaluate,
    mean_evaluation,
)

GREATEST_SEED = 2**63 - 1
"""Of a training; fold ``i`` of a cross-validation adds ``i`` to the base seed."""


@dataclass(frozen=True)
class Bench:
    """What networks are trained on.

    Attributes:
        dataset: The images.
        folds: All folds.
        recipe: How networks are trained.
    """

    dataset: Dataset
    folds: Sequence[Fold]
    recipe: Recipe


@dataclass
class Protocol:
    """The one stage of an evaluation: every unit is a job of its own.

    Args:
        genome: The network.
        units: What to train.
    """

    genome: Genome
    units: Sequence[Unit]
    results: dict[Unit, FoldResult] = field(default_factory=dict)
    failure: str | None = None
    _queue: deque[Unit] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._queue.extend(self.units)

    def next(self) -> Job | None:
        """The next fold."""
        if not self._queue or self.failure is not None:
            return None
        return Job("evaluate", self.genome, (self._queue.popleft(),))

    def exhausted(self) -> bool:
        """Whether every fold is out."""
        return not self._queue or self.failure is not None

    def overtime(self) -> bool:
        """Nothing comes after this stage."""
        return False

    def result(self, job: Job, result: FoldResult) -> bool:
        """Keeps a fold."""
        self.results[Unit(result.fold, result.epochs, result.seed)] = result
        return True

    def failed(self, job: Job, reason: str) -> None:
        """Gives up: figures without a fold would be of something else."""
        self.failure = reason

    def idle(self) -> None:
        """Has no books to keep."""

    def close(self) -> None:
        """Has nothing to end."""


def evaluate_network(
    genome: Genome,
    experiment: Experiment,
    *,
    fold: int | None = None,
    seed: int | None = None,
    epochs: int | None = None,
    watcher: Watcher | None = None,
) -> dict[str, Any]:
    """Runs the protocol of the confirmation on one network.

    Args:
        genome: The network.
        experiment: Data, folds, recipe, seeds and epochs of the protocol.
        fold: Only this fold.
        seed: Base seed of the one cross-validation to run: fold ``i`` is trained with ``seed + i``.
            With ``fold``, the training seed itself, as the journal has it. None derives
            ``confirm.seeds`` of them from the experiment's seed.
        epochs: Passes over each training part; None takes those of the confirmation.
        watcher: Gets to see how it goes.

    Returns:
        Figures by name; ``folds`` holds the predictions of each fold.

    Raises:
        UserError: If the network does not fit the data or costs more than the limits allow, for a
            fold that does not exist or a seed that is too great, or if a training fails.
    """
    dataset = load(experiment.data)
    laid = folds(dataset, experiment.folds.count, experiment.folds.by)
    check_constraint(experiment, dataset)
    check_fits(genome, dataset)
    if fold is not None and not 0 <= fold < len(laid):
        raise UserError(f"there is no fold {fold}", remedy=f"use 0 to {len(laid) - 1}")
    if seed is not None and seed > GREATEST_SEED - len(laid):
        raise UserError(
            "is too great", where=f"seed {seed}", remedy=f"use 0 to {GREATEST_SEED - len(laid)}"
        )
    epochs = epochs or experiment.confirm_epochs
    seeds = _seeds(experiment, genome, seed)
    if fold is not None:
        units = [Unit(fold, epochs, one if seed is not None else one + fold) for one in seeds]
        parts: list[tuple[Unit, ...]] = [(unit,) for unit in units]
    else:
        parts = [cross_validation(len(laid), epochs, one) for one in seeds]
    bench = Bench(dataset, laid, experiment.training.resolved())
    protocol = Protocol(genome, [unit for part in parts for unit in part])
    _train(protocol, bench, experiment, watcher or Silent())
    judged = [evaluate([protocol.results[unit] for unit in part], dataset, laid) for part in parts]
    return _report(genome, experiment, bench, mean_evaluation(judged), judged, protocol, seeds)


def _seeds(experiment: Experiment, genome: Genome, seed: int | None) -> tuple[int, ...]:
    if seed is not None:
        return (seed,)
    return tuple(
        base_seed(experiment.seed, genome.hash, "evaluate", number)
        for number in range(experiment.confirm.seeds)
    )


def _train(protocol: Protocol, bench: Bench, experiment: Experiment, watcher: Watcher) -> None:
    workers = min(workers_of(experiment), len(protocol.units))
    clock = Clock(limit=None)
    watcher.banner((f"evaluate {protocol.genome.name}", f"data: {bench.dataset.summary}"))

    def watch() -> None:
        watcher.update(
            Progress(
                stage="evaluate",
                done=len(protocol.results),
                total=len(protocol.units),
                seconds=clock.used,
            )
        )

    with (
        tempfile.TemporaryDirectory(prefix="gensynth-") as folder,
        Journal(Path(folder) / "journal.jsonl") as journal,
        cluster(workers, experiment.ray_address, bench.dataset.images.nbytes) as own,
    ):
        execute(Conductor((protocol,), journal, workers, watch), bench, workers, own)
    if protocol.failure is not None:
        raise UserError(f"training failed: {protocol.failure}", where=protocol.genome.name)


def _report(
    genome: Genome,
    experiment: Experiment,
    bench: Bench,
    mean: Evaluation,
    judged: Sequence[Evaluation],
    protocol: Protocol,
    seeds: Sequence[int],
) -> dict[str, Any]:
    metrics = {**cost(genome).metrics(), **mean.metrics()}
    return {
        "name": genome.name,
        "hash": genome.hash,
        "synthetic": bench.dataset.synthetic,
        "data": bench.dataset.name,
        "source": bench.dataset.source,
        "constraint": experiment.constraint.name,
        "feasible": experiment.constraint.feasible(metrics),
        "violations": experiment.constraint.violations(metrics),
        **{name: int(value) for name, value in cost(genome).metrics().items()},
        "accuracy": mean.accuracy,
        "interval": list(mean.interval),
        "fold_mean": mean.fold_mean,
        "sequence_accuracy": mean.sequence_accuracy,
        "images": mean.images,
        "sequences": mean.sequences,
        "recall": mean.recall,
        "performance": experiment.performance(metrics),
        "epochs": protocol.units[0].epochs,
        "seeds": list(seeds),
        "per_seed": [one.accuracy for one in judged],
        "folds": [
            {
                "fold": unit.fold,
                "seed": unit.seed,
                "correct": result.correct,
                "total": result.total,
                "predictions": list(result.predictions),
                "seconds": round(result.seconds, 3),
            }
            for unit, result in sorted(protocol.results.items(), key=lambda one: one[0].fold)
        ],
    }
