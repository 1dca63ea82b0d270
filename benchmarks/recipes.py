"""Which recipe? An Optuna study over a recipe's values, judged on inner folds only.

    python -m benchmarks.recipes --data-root DIR [--trials 60] [--processes 2]

``benchmarks/data/recipes.yaml`` names the network, the values and the folds. One fold is set apart;
the people of its training part are split again, and a recipe is as good as its mean cross-entropy
on the test parts of those inner folds, over all their images (it tells more than the share of right
ones, which goes in steps of an image). The experiment's own recipe is the first trial. Recipes that
are worse than half of the others on the folds so far are pruned. All of it is kept in a journal
under ``benchmarks/results/recipes``, so the same command goes on, ``--only-print`` trains nothing.

The people of the inner folds are in the test parts of the other outer folds, so a recipe that is
chosen here has to say so where those are reported (``tuned_on``).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import optuna
import torch
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.storages.journal import JournalFileBackend
from optuna.study import MaxTrialsCallback
from optuna.trial import FrozenTrial, Trial, TrialState
from pydantic import BaseModel, ConfigDict, Field
from torch.nn import functional

from benchmarks.options import INTERRUPTED, add_data, overridden, positive, specified
from benchmarks.printing import markdown
from gensynth import GenerativeSynthesisSampler, config
from gensynth.data import Dataset, Fold, folds, load
from gensynth.errors import UserError
from gensynth.experiment import Experiment
from gensynth.genome import Genome
from gensynth.prototype import expand
from gensynth.training import Recipe, check_fits, check_pretraining, fit, pretrained
from gensynth.validation import validate

SPECIFICATION = Path(__file__).parent / "data" / "recipes.yaml"
RESULTS = Path(__file__).parent / "results" / "recipes"
SHOWN = 5
ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


class Range(BaseModel):
    """Values between two ends."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float
    high: float
    log: bool = False

    def suggest(self, trial: Trial, name: str) -> float:
        """Asks a trial for one."""
        return trial.suggest_float(name, self.low, self.high, log=self.log)


class Choices(BaseModel):
    """Some values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    choices: Annotated[tuple[int | float | str | bool | None, ...], Field(min_length=1)]

    def suggest(self, trial: Trial, name: str) -> Any:
        """Asks a trial for one."""
        return trial.suggest_categorical(name, self.choices)


class Specification(BaseModel):
    """What is varied and judged.

    Attributes:
        experiment: Experiment, by name, whose data, folds and recipe it is about.
        prototype: The network, by name.
        outer: Fold that is set apart.
        inner: Folds of its training part.
        epochs: Passes of a training.
        seed: Of proposals and trainings.
        space: By dotted key of the recipe.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiment: str
    prototype: str
    outer: Annotated[int, Field(ge=0)]
    inner: Annotated[int, Field(ge=2)]
    epochs: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0)]
    space: Mapping[str, Range | Choices]


@dataclass(frozen=True)
class Work:
    """A specification made ready.

    Attributes:
        specification: What is varied and judged.
        recipe: The experiment's own.
        network: What is trained.
        dataset: The images.
        folds: The inner folds, as indices of the whole data.
    """

    specification: Specification
    recipe: Recipe
    network: Genome
    dataset: Dataset
    folds: tuple[Fold, ...]


def prepare(specification: Specification, overrides: Sequence[str]) -> Work:
    """Loads what a specification names.

    Raises:
        UserError: For what does not compose, load or fit.
    """
    names = [f"{group}={getattr(specification, group)}" for group in ("experiment", "prototype")]
    experiment = config.load(Experiment, [*names, *overrides])
    dataset = load(experiment.data)
    laid = experiment.folds.lay(dataset)
    if specification.outer >= len(laid):
        raise UserError(f"there are {len(laid)} folds", where="outer")
    network = expand(experiment.prototype, len(dataset.classes), image=dataset.image_shape)
    check_fits(network, dataset)
    check_pretraining(experiment.training, dataset)
    inner = split(dataset, laid[specification.outer], specification.inner, experiment)
    return Work(specification, experiment.training.resolved(), network, dataset, inner)


def split(dataset: Dataset, outer: Fold, count: int, experiment: Experiment) -> tuple[Fold, ...]:
    """Folds of the training part of a fold, as indices of the whole data set."""
    part = replace(
        dataset,
        images=dataset.images[outer.train],
        labels=dataset.labels[outer.train],
        subjects=None if dataset.subjects is None else dataset.subjects[outer.train],
        sequences=dataset.sequences[outer.train],
    )
    return tuple(
        Fold(index=one.index, train=outer.train[one.train], test=outer.train[one.test])
        for one in folds(part, count, experiment.folds.by, experiment.folds.order)
    )


def varied(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """A recipe with other values.

    Args:
        recipe: The recipe.
        values: By dotted key.

    Raises:
        UserError: If a key is not one of a recipe's, or a value not one of its own.
    """
    written = recipe.model_dump(mode="json")
    for key, value in values.items():
        *path, last = key.split(".")
        place = written
        for name in path:
            place = place.setdefault(name, {})
        place[last] = value
    return validate(Recipe, written, where="space")


def own(recipe: Recipe, specification: Specification) -> dict[str, Any]:
    """What a recipe itself has for the keys that are varied.

    Raises:
        UserError: If it has nothing for one of them, so that it could not be the first trial.
    """
    found = {}
    written = recipe.model_dump(mode="json")
    for key in specification.space:
        *path, last = key.split(".")
        place: Any = written
        for name in path:
            place = place.get(name) if isinstance(place, dict) else None
        if not isinstance(place, dict) or last not in place:
            raise UserError(
                f"the recipe of {specification.experiment} has no {key}",
                where="space",
                remedy=f"set training.{key.split('.')[0]}, or take the key out of the space",
            )
        found[key] = place[last]
    return found


def judged(trial: Trial, work: Work) -> float:
    """Mean cross-entropy of the inner test images; also notes the share of right ones."""
    specification = work.specification
    values = {key: one.suggest(trial, key) for key, one in specification.space.items()}
    recipe = varied(work.recipe, values)
    start = None
    if recipe.pretraining is not None:
        start = pretrained(work.network, work.dataset.task, recipe, seed=specification.seed)
    images, labels = torch.from_numpy(work.dataset.images), torch.from_numpy(work.dataset.labels)
    entropy, right, total = 0.0, 0, 0
    for fold in work.folds:
        fitted = fit(
            work.network,
            images[fold.train],
            labels[fold.train],
            loss=partial(functional.cross_entropy, label_smoothing=recipe.label_smoothing),
            epochs=specification.epochs,
            seed=specification.seed + fold.index,
            recipe=recipe,
            start=start,
        )
        logits, truth = fitted.logits(images[fold.test]), labels[fold.test]
        found = float(functional.cross_entropy(logits, truth, reduction="sum"))
        entropy += found if np.isfinite(found) else np.log(logits.shape[1]) * len(truth)
        right += int((logits.argmax(1) == truth).sum())
        total += len(truth)
        trial.report(entropy / total, fold.index)
        trial.set_user_attr("accuracy", right / total)
        if trial.should_prune():
            raise optuna.TrialPruned
    return entropy / total


def open_study(work: Work, folder: Path) -> optuna.Study:
    """The study of a specification, with the experiment's own recipe as its first trial.

    Raises:
        UserError: If the folder has one of another specification.
    """
    folder.mkdir(parents=True, exist_ok=True)
    specification = work.specification
    study = optuna.create_study(
        study_name="recipes",
        storage=optuna.storages.JournalStorage(JournalFileBackend(str(folder / "journal.log"))),
        sampler=GenerativeSynthesisSampler(seed=specification.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=1),
        load_if_exists=True,
    )
    asked = json.loads(specification.model_dump_json())
    known = study.user_attrs.get("specification", asked)
    if known != asked:
        raise UserError(
            "has a study of other values or folds",
            where=str(folder),
            remedy="name another folder with --results",
        )
    if not study.trials:
        study.set_user_attr("specification", asked)
        study.enqueue_trial(own(work.recipe, specification))
    return study


def search(work: Work, folder: Path, trials: int) -> None:
    """Tries recipes until there are so many, beside other processes that do the same."""
    torch.set_num_threads(1)
    study = open_study(work, folder)
    until = MaxTrialsCallback(trials, states=ENDED)
    if sum(trial.state in ENDED for trial in study.trials) < trials:
        study.optimize(lambda trial: judged(trial, work), callbacks=[until])


def printed(work: Work, folder: Path) -> str:
    """The best recipes beside the experiment's own, and which values matter."""
    study = open_study(work, folder)
    complete = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    pruned = sum(trial.state == TrialState.PRUNED for trial in study.trials)
    specification, kind = work.specification, work.dataset.name
    drawn = " (SYNTHETIC faces)" if work.dataset.synthetic else ""
    head = (
        f"{kind}{drawn}: {len(complete)} recipes judged, {pruned} pruned; {work.network.name}, "
        f"{specification.epochs} epochs, {specification.inner} inner folds of the training part of "
        f"fold {specification.outer}, seed {specification.seed}"
    )
    ranked = sorted(complete, key=lambda trial: trial.value or 0.0)
    first = [trial for trial in complete if trial.number == 0]
    chosen = first + [trial for trial in ranked[:SHOWN] if trial.number != 0]
    heads = ("trial", "cross-entropy", "accuracy", *specification.space)
    table = markdown(heads, [_row(trial, specification) for trial in chosen])
    return "\n\n".join((head, table, *_importances(study, len(complete))))


def _row(trial: FrozenTrial, specification: Specification) -> list[str]:
    label = "0, the experiment's own" if trial.number == 0 else str(trial.number)
    accuracy = 100 * trial.user_attrs["accuracy"]
    cells = [_short(trial.params.get(key)) for key in specification.space]
    return [label, f"{trial.value:.4f}", f"{accuracy:.1f} %", *cells]


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _importances(study: optuna.Study, complete: int) -> list[str]:
    if complete < 2 * SHOWN:
        return []
    found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    told = ", ".join(f"{key} {share:.2f}" for key, share in found.items())
    return [f"Shares of importance (PED-ANOVA): {told}."]


def main(arguments: Sequence[str] | None = None) -> int:
    """Tries recipes and prints the best; returns the exit status."""
    options = _options(arguments)
    overrides = overridden(options)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        work = prepare(specified(Specification, options.specification), overrides)
        varied(work.recipe, own(work.recipe, work.specification))
        open_study(work, options.results)
        status = _searched(work, options)
        print(printed(work, options.results))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return status


def _searched(work: Work, options: argparse.Namespace) -> int:
    if options.only_print:
        return 0
    try:
        with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
            running = [
                pool.submit(search, work, options.results, options.trials)
                for _ in range(options.processes)
            ]
            for one in running:
                one.result()
    except KeyboardInterrupt:
        print("stopped, everything is kept; the same command goes on", file=sys.stderr)
        return INTERRUPTED
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recipes", description=(__doc__ or "").splitlines()[0]
    )
    add = parser.add_argument
    add_data(parser)
    add("--trials", type=positive, default=60, help="recipes in all, pruned ones included (60)")
    add("--processes", type=positive, default=2, help="recipes at a time (2)")
    add("--only-print", action="store_true", help="train nothing")
    add("--results", type=Path, default=RESULTS, help="where the study is kept")
    add("--specification", type=Path, default=SPECIFICATION, help="what is varied")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
