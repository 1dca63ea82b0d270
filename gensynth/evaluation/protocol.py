"""The whole cross-validation of one network, or one fold of it, by the workers of a search."""

from __future__ import annotations

import json
import platform
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import stdev
from tempfile import TemporaryDirectory
from typing import Any

from gensynth.cost import cost
from gensynth.data import Dataset, Fold, reported
from gensynth.errors import UserError
from gensynth.evaluation.directory import EvaluationDirectory, fingerprint, open_evaluation
from gensynth.evaluation.disclosure import disclosures, figures_without
from gensynth.execution.clock import Clock
from gensynth.execution.cluster import cluster, gpu_share, worker_count
from gensynth.execution.engine import execute
from gensynth.execution.files import replace_file
from gensynth.execution.jobs import Dispatcher, Job
from gensynth.execution.journal import Journal
from gensynth.execution.progress import Progress, Silent, Watcher
from gensynth.execution.units import Unit, base_seed, cross_validation, shared_out
from gensynth.experiment import Experiment, check_constraint
from gensynth.genome import Genome
from gensynth.training import (
    FoldResult,
    Recipe,
    check_fits,
    check_pretraining,
    evaluate,
    evaluate_all,
)

GREATEST_SEED = 2**63 - 1
"""Of a training; fold ``i`` of a cross-validation adds ``i`` to the base seed."""

SEEDS = 3
"""Cross-validations of an evaluation: single ones of the same network differ by a point or two."""

VERSIONED = ("gensynth", "torch", "numpy")


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
class CrossValidations:
    """The one source of jobs of an evaluation.

    Args:
        genome: The network.
        jobs: What to train, each by one worker, in order.
    """

    genome: Genome
    jobs: Sequence[tuple[Unit, ...]]
    results: dict[Unit, FoldResult] = field(default_factory=dict)
    failure: str | None = None
    _queue: deque[tuple[Unit, ...]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._queue.extend(self.jobs)

    @property
    def units(self) -> int:
        """Number of folds to train."""
        return sum(map(len, self.jobs))

    def next(self) -> Job | None:
        """The next folds."""
        if not self._queue or self.failure is not None:
            return None
        return Job("evaluate", self.genome, self._queue.popleft())

    def exhausted(self) -> bool:
        """Whether every fold is out."""
        return not self._queue or self.failure is not None

    def overtime(self) -> bool:
        """Nothing comes after it."""
        return False

    def result(self, job: Job, result: FoldResult) -> bool:
        """Keeps a fold; after a failure the rest of a job is for nothing."""
        self.results[Unit(result.fold, result.epochs, result.seed)] = result
        return self.failure is None

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
    seeds: int | None = None,
    epochs: int | None = None,
    output: Path | None = None,
    watcher: Watcher | None = None,
) -> dict[str, Any]:
    """Runs the protocol of the confirmation on one network.

    Args:
        genome: The network.
        experiment: Data, folds, recipe and epochs of the protocol.
        fold: Only this fold.
        seed: Base seed of the one cross-validation to run: fold ``i`` is trained with ``seed + i``.
            With ``fold``, the training seed itself, as the journal has it.
        seeds: Without ``seed``, the number of cross-validations, with base seeds derived from the
            experiment's; None makes it ``SEEDS``, or ``confirm.seeds`` if that is more.
        epochs: Passes over each training part; None takes those of the confirmation.
        output: Directory that keeps every fold that is trained, and the figures
            (:class:`EvaluationDirectory`). The same call goes on where an earlier one was stopped.
        watcher: Gets to see how it goes.

    Returns:
        Figures by name; ``folds`` holds the predictions of each fold.

    Raises:
        UserError: If the network does not fit the data or costs more than the limits allow, for a
            fold that does not exist or a seed that is too great, if the output is of something
            else, or if a training fails.
        KeyboardInterrupt: After Ctrl-C.
    """
    dataset = experiment.load()
    laid = experiment.folds.lay(dataset)
    check_constraint(experiment, dataset)
    check_fits(genome, dataset)
    check_pretraining(experiment.training, dataset)
    _check(fold, seed, len(laid))
    bases = _seeds(experiment, genome, seed, seeds)
    tested = [one.index for one in reported(laid)] if fold is None else [fold]
    parts = [
        cross_validation(tested, epochs or experiment.confirm_epochs, one)
        for one in (bases if fold is None or seed is None else (seed - fold,))
    ]
    bench = Bench(dataset, laid, experiment.training.resolved())
    with _journal(output, genome, bench, experiment) as journal:
        source, workers = _planned(genome, parts, journal, worker_count(experiment.workers))
        _train(source, bench, experiment, journal, workers, watcher or Silent())
        repetitions = [[source.results[unit] for unit in part] for part in parts]
        figures = _report(genome, experiment, bench, repetitions, bases)
        if output is not None:
            lines = ",\n".join(
                f"  {json.dumps(key)}: {json.dumps(figures[key])}" for key in figures
            )
            replace_file(EvaluationDirectory(output).figures, f"{{\n{lines}\n}}\n")
    return figures


def _check(fold: int | None, seed: int | None, count: int) -> None:
    if fold is not None and not 0 <= fold < count:
        raise UserError(f"there is no fold {fold}", remedy=f"use 0 to {count - 1}")
    if seed is not None and seed > GREATEST_SEED - count:
        raise UserError(
            "is too great", where=f"seed {seed}", remedy=f"use 0 to {GREATEST_SEED - count}"
        )


def _seeds(
    experiment: Experiment, genome: Genome, seed: int | None, count: int | None
) -> tuple[int, ...]:
    if seed is not None:
        return (seed,)
    return tuple(
        base_seed(experiment.seed, genome.hash, "evaluate", number)
        for number in range(count or max(SEEDS, experiment.confirm.seeds))
    )


@contextmanager
def _journal(
    output: Path | None, genome: Genome, bench: Bench, experiment: Experiment
) -> Iterator[Journal]:
    """The journal of an evaluation; a temporary one if it is to leave nothing."""
    if output is None:
        with (
            TemporaryDirectory(prefix="gensynth-") as folder,
            Journal(Path(folder) / "journal.jsonl") as journal,
        ):
            yield journal
        return
    same = {
        "network": genome.hash,
        "data": bench.dataset.name,
        "images": fingerprint(bench.dataset),
        "folds": experiment.folds.model_dump(mode="json"),
        "training": _recipe(bench.recipe),
    }
    same |= experiment.model_dump(mode="json", include={"task"})
    with open_evaluation(EvaluationDirectory(output), genome, same) as journal:
        yield journal


def _task(experiment: Experiment) -> dict[str, Any]:
    return experiment.task.model_dump(mode="json")


def _recipe(recipe: Recipe) -> dict[str, Any]:
    return recipe.model_dump(mode="json", exclude={"tuned_on"})


def _banner(genome: Genome, bench: Bench) -> tuple[str, ...]:
    lines = (
        f"evaluate {genome.name}",
        f"data: {bench.dataset.summary}",
        f"images: {bench.dataset.contents}",
    )
    if (first := bench.recipe.pretraining) is None:
        return lines
    drawn = f"{first.populations} drawn data sets"
    return (
        *lines,
        f"whoever begins a cross-validation first trains {first.epochs} epochs on {drawn}",
    )


def _planned(
    genome: Genome, parts: Sequence[tuple[Unit, ...]], journal: Journal, workers: int
) -> tuple[CrossValidations, int]:
    """What there is to train, and how many workers have something to do."""
    units = [unit for part in parts for unit in part]
    known = {unit for unit in units if journal.find(genome.hash, unit) is not None}
    left = [tuple(unit for unit in part if unit not in known) for part in parts]
    busy = max(1, min(workers, len(units) - len(known)))
    kept = ((unit,) for unit in units if unit in known)
    return CrossValidations(
        genome, (*kept, *shared_out([part for part in left if part], busy))
    ), busy


def _train(
    source: CrossValidations,
    bench: Bench,
    experiment: Experiment,
    journal: Journal,
    workers: int,
    watcher: Watcher,
) -> None:
    clock = Clock(limit=None)
    watcher.banner(_banner(source.genome, bench))

    def watch() -> None:
        watcher.update(
            Progress(
                stage="evaluate",
                done=len(source.results),
                total=source.units,
                seconds=clock.used,
            )
        )

    dispatcher = Dispatcher((source,), journal, workers, watch)
    dispatcher.peek()
    if not dispatcher.finished:
        address, images = experiment.ray_address, bench.dataset.images.nbytes
        gpus = gpu_share(bench.recipe, experiment.gpus_per_worker, workers, address)
        with cluster(workers, address, images, gpus=gpus > 0) as folder:
            execute(dispatcher, bench, workers, folder, gpus=gpus)
    if source.failure is not None:
        raise UserError(f"training failed: {source.failure}", where=source.genome.name)


def _report(
    genome: Genome,
    experiment: Experiment,
    bench: Bench,
    repetitions: Sequence[Sequence[FoldResult]],
    seeds: Sequence[int],
) -> dict[str, Any]:
    dataset, recipe = bench.dataset, bench.recipe
    mean = evaluate_all(repetitions, dataset, bench.folds)
    metrics = {**cost(genome).metrics(), **mean.metrics()}
    values = [evaluate(part, dataset, bench.folds).value for part in repetitions]
    return {
        "format": "gensynth.evaluation",
        "version": 1,
        "name": genome.name,
        "hash": genome.hash,
        "synthetic": dataset.synthetic,
        "data": dataset.name,
        "source": dataset.source,
        "task": _task(experiment),
        "constraint": experiment.constraint.name,
        "feasible": experiment.constraint.feasible(metrics),
        "violations": experiment.constraint.violations(metrics),
        "metrics": mean.metrics(),
        **{name: int(value) for name, value in cost(genome).metrics().items()},
        **mean.figures(),
        **mean.details(),
        "performance": experiment.measured(metrics),
        "epochs": repetitions[0][0].epochs,
        "seeds": list(seeds),
        "per_seed": values,
        "spread": stdev(values) if len(values) > 1 else None,
        "chosen": [
            {
                "what": one.what,
                "words": one.words,
                "seen": list(one.seen),
                "unseen": figures_without(one.seen, repetitions, dataset, bench.folds),
            }
            for one in disclosures(genome, recipe, dataset, experiment.folds)
        ],
        "protocol": {
            "folds": {**experiment.folds.model_dump(mode="json"), "tested": list(mean.folds)},
            "training": _recipe(recipe),
        },
        "folds": [_fold(result, bench) for part in repetitions for result in part],
        "versions": {"python": platform.python_version(), **{n: version(n) for n in VERSIONED}},
    }


def _fold(result: FoldResult, bench: Bench) -> dict[str, Any]:
    return {
        "fold": result.fold,
        "seed": result.seed,
        "total": result.total,
        "truth": bench.dataset.targets[bench.folds[result.fold].test].tolist(),
        "predictions": list(result.predictions),
        "loss": result.loss,
        **result.scores,
        "seconds": round(result.seconds, 3),
        "pretraining": round(result.pretraining, 3),
    }
