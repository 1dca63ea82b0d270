"""Trains a network to keep, and finds out how sure it may be.

No figure is of images that were trained on: the temperature is fitted to what networks trained
alike say of folds that were held out from them, and so are the figures of that cross-validation.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import mse_loss

from gensynth.cost import cost
from gensynth.data import Dataset, Fold
from gensynth.data.dataset import TRAIN
from gensynth.device.model import Model
from gensynth.device.preprocessing import Preprocessing
from gensynth.errors import UserError
from gensynth.evaluation.directory import fingerprint
from gensynth.evaluation.disclosure import disclosures
from gensynth.execution.units import base_seed
from gensynth.experiment import Experiment, Folds
from gensynth.genome import Genome
from gensynth.network import Network, build
from gensynth.task import Answers, Objective
from gensynth.training import (
    Fitted,
    Recipe,
    check_fits,
    check_pretraining,
    fit,
    pretrained,
    truth,
)

ALL = "all"
CALIBRATION_FOLDS = 3
"""Folds that are held out, one after the other, to calibrate by."""

VERSIONED = ("gensynth", "torch", "numpy")

Tell = Callable[[str], None]


@dataclass(frozen=True)
class TrainingPlan:
    """What a network to keep is trained on.

    Attributes:
        dataset: The images.
        part: Indices of those that may be trained on, sorted.
        folds: Folds of that part.
        recipe: How, resolved.
        epochs: Passes.
        seed: Base seed: fold ``i`` is trained with ``seed + i``.
    """

    dataset: Dataset
    part: NDArray[np.int64]
    folds: Sequence[Fold]
    recipe: Recipe
    epochs: int
    seed: int

    @classmethod
    def of(
        cls, genome: Genome, experiment: Experiment, *, split: str = ALL, epochs: int | None = None
    ) -> TrainingPlan:
        """Loads the data and splits them.

        Raises:
            UserError: If the network does not fit them, or there is no such split.
        """
        dataset = experiment.load()
        laid = experiment.folds.lay(dataset)
        check_fits(genome, dataset)
        check_pretraining(experiment.training, dataset)
        part = _part(split, dataset, laid)
        inner = [
            Fold(
                index=fold.index,
                train=np.intersect1d(fold.train, part),
                test=np.intersect1d(fold.test, part),
            )
            for fold in laid
        ]
        if laid[0].chooses:  # an official split: its validation part alone may choose
            inner = [laid[0]]
        return cls(
            dataset=dataset,
            part=part,
            folds=[fold for fold in inner if len(fold.test)],
            recipe=experiment.training.resolved(),
            epochs=epochs or experiment.confirm_epochs,
            seed=base_seed(experiment.seed, genome.hash, "train"),
        )


@dataclass(frozen=True)
class HeldOut:
    """A network trained without one fold.

    Attributes:
        fold: The fold.
        fitted: The network.
        objective: What its training targets say.
        outputs: What it gives for the fold's test part.
    """

    fold: Fold
    fitted: Fitted
    objective: Objective
    outputs: Tensor

    @property
    def model(self) -> Model:
        """As a model, not calibrated."""
        return Model(_plain(self.fitted), Preprocessing.of(self.fitted), self.objective.readouts())


def without_each(genome: Genome, plan: TrainingPlan, count: int, tell: Tell) -> list[HeldOut]:
    """Trains a network without each of the first folds.

    Raises:
        UserError: If a training diverges.
    """
    found = []
    for fold in plan.folds[:count]:
        tell(f"fold {fold.index}: {plan.epochs} epochs on {len(fold.train)} images")
        fitted, objective = _fitted(genome, plan, fold.train, plan.seed + fold.index)
        outputs = fitted.logits(torch.from_numpy(plan.dataset.images[fold.test]))
        found.append(HeldOut(fold, fitted, objective, outputs))
    return found


def train(
    genome: Genome,
    experiment: Experiment,
    *,
    split: str = ALL,
    epochs: int | None = None,
    ensemble: bool = False,
    calibration_folds: int = CALIBRATION_FOLDS,
    confirmed: Mapping[str, Any] | None = None,
    tell: Tell = lambda line: None,
) -> Model:
    """Trains a network to keep.

    Args:
        genome: The network.
        experiment: Data, task, folds and recipe.
        split: ``all`` images; ``fold-N``: the training part of that fold, so that its test part
            stays unseen; ``train``: that of an official split.
        epochs: Passes; those of the confirmation when None.
        ensemble: Whether a network is trained without each fold, and the one to keep learns what
            they say together (Ba and Caruana 2014: the mean of their outputs, by squared error)
            instead of the targets.
        calibration_folds: How many folds are held out in turn to calibrate by; 0 does not
            calibrate. An ensemble calibrates by all.
        confirmed: Figures that a search's confirmation, or an evaluation, found for the network;
            stated on the card as they are.
        tell: Is told what is going on, a line at a time.

    Returns:
        The model, with its card.

    Raises:
        UserError: If the network does not fit the data, there is no such split, or a training
            diverges.
    """
    plan = TrainingPlan.of(genome, experiment, split=split, epochs=epochs)
    if ensemble and len(plan.folds) < 2:
        raise UserError("an ensemble needs two folds", where="folds", remedy="leave --folds out")
    count = len(plan.folds) if ensemble else min(calibration_folds, len(plan.folds))
    held_out = without_each(genome, plan, count, tell)
    teacher = _taught(plan, held_out) if ensemble else None
    tell(f"to keep: {plan.epochs} epochs on {len(plan.part)} images")
    fitted, objective = _fitted(genome, plan, plan.part, plan.seed, teacher, repetition=1)
    heads = objective.readouts(_calibrating(plan, held_out) if held_out else None)
    card = _card(genome, experiment, plan, split, held_out, confirmed, ensemble)
    card["calibration"] = {head.output: dict(head.calibration) for head in heads}
    return Model(_plain(fitted), Preprocessing.of(fitted), heads, card)


def judged(
    plan: TrainingPlan, held_out: Sequence[HeldOut], predictions: Sequence[Any]
) -> dict[str, Any]:
    """The figures of a cross-validation.

    Args:
        plan: What it is of.
        held_out: Its networks.
        predictions: Of each network for its fold's test part, as the task decodes them.
    """
    answers = Answers(
        truth=truth([member.fold for member in held_out], plan.dataset),
        predictions=np.concatenate([np.asarray(part) for part in predictions]),
    )
    return plan.dataset.task.evaluate(answers).figures()


def calibration_images(model: Model, experiment: Experiment) -> NDArray[np.uint8]:
    """The images that a model was trained on, uint8 (N, C, H, W), and no others.

    Raises:
        UserError: If the experiment's data are not those that the model's card names.
    """
    dataset = experiment.load()
    card = model.card
    if fingerprint(dataset) != card.get("fingerprint"):
        raise UserError(
            f"the model was trained on {card.get('data', 'other data')}, and these are other "
            f"images ({dataset.name})",
            where="data",
            remedy="name the data, and their size, as for gensynth train: data=…",
        )
    folds = Folds.model_validate(card["folds"]).lay(dataset)
    return dataset.images[_part(str(card["split"]), dataset, folds)]


def _plain(fitted: Fitted) -> Network:
    """The trained network without what training added to it: hooks, layout, device."""
    network = build(fitted.network.genome, seed=0)
    network.load_state_dict(fitted.network.state_dict())
    return network


def _part(split: str, dataset: Dataset, folds: Sequence[Fold]) -> NDArray[np.int64]:
    if split == ALL:
        return np.arange(len(dataset))
    if folds[0].chooses:
        if split != TRAIN:
            raise UserError("no such split", where=split, remedy=f"use {ALL} or {TRAIN}")
        return folds[0].train
    found = re.fullmatch(r"fold-(\d+)", split)
    if found is None or int(found[1]) >= len(folds):
        raise UserError(
            "no such split", where=split, remedy=f"use all, or fold-0 to fold-{len(folds) - 1}"
        )
    return folds[int(found[1])].train


def _objective(plan: TrainingPlan, lessons: Tensor) -> Objective:
    return plan.dataset.task.objective(lessons, smoothing=plan.recipe.label_smoothing)


def _lessons(plan: TrainingPlan, part: NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(plan.dataset.lessons[part])


def _fitted(
    genome: Genome,
    plan: TrainingPlan,
    part: NDArray[np.int64],
    seed: int,
    teacher: Tensor | None = None,
    *,
    repetition: int = 0,
) -> tuple[Fitted, Objective]:
    task, recipe = plan.dataset.task, plan.recipe
    lessons = _lessons(plan, part)
    objective = _objective(plan, lessons)
    start = pretrained(genome, task, recipe, seed=plan.seed) if recipe.pretraining else None
    fitted = fit(
        genome,
        torch.from_numpy(plan.dataset.images[part]),
        lessons if teacher is None else teacher,
        loss=objective.loss if teacher is None else mse_loss,
        epochs=plan.epochs,
        seed=seed + repetition * len(plan.folds),
        recipe=recipe,
        start=start,
    )
    if fitted.loss is None:
        raise UserError(
            "its training diverged",
            where=genome.name,
            remedy="lower training.learning_rate, or set training.gradient_clip",
        )
    return fitted, objective


def _calibrating(plan: TrainingPlan, held_out: Sequence[HeldOut]) -> tuple[Tensor, Tensor]:
    outputs = torch.cat([member.outputs for member in held_out])
    tested = np.concatenate([member.fold.test for member in held_out])
    return outputs, torch.from_numpy(plan.dataset.targets[tested])


def _taught(plan: TrainingPlan, held_out: Sequence[HeldOut]) -> Tensor:
    """The mean of what networks give for all images, in the terms of the one to keep."""
    images = torch.from_numpy(plan.dataset.images[plan.part])
    own = _affine(_objective(plan, _lessons(plan, plan.part)))
    total = torch.zeros(len(images), len(own[0]))
    for member in held_out:
        scale, offset = _affine(member.objective)
        total += (member.fitted.logits(images) * scale + offset - own[1]) / own[0]
    return total / len(held_out)


def _affine(objective: Objective) -> tuple[Tensor, Tensor]:
    heads = objective.readouts()
    scale = torch.tensor([value for head in heads for value in head.scale])
    return scale, torch.tensor([value for head in heads for value in head.offset])


def _card(
    genome: Genome,
    experiment: Experiment,
    plan: TrainingPlan,
    split: str,
    held_out: Sequence[HeldOut],
    confirmed: Mapping[str, Any] | None,
    ensemble: bool,
) -> dict[str, Any]:
    dataset = plan.dataset
    said = [member.objective.decode(member.outputs) for member in held_out]
    people = None if dataset.subjects is None else len(np.unique(dataset.subjects[plan.part]))
    return {
        "format": "gensynth.card",
        "version": 1,
        "name": genome.name,
        "hash": genome.hash,
        **{name: int(value) for name, value in cost(genome).metrics().items()},
        "data": dataset.name,
        "synthetic": dataset.synthetic,
        "images": len(plan.part),
        "subjects": people,
        "fingerprint": fingerprint(dataset),
        "task": experiment.task.model_dump(mode="json"),
        "split": split,
        "folds": experiment.folds.model_dump(mode="json"),
        "epochs": plan.epochs,
        "seed": plan.seed,
        "distilled": len(held_out) if ensemble else None,
        "recipe": plan.recipe.model_dump(mode="json"),
        "chosen": [
            one.words for one in disclosures(genome, plan.recipe, dataset, experiment.folds)
        ],
        "confirmed": None if confirmed is None else dict(confirmed),
        "held_out": {
            "folds": [member.fold.index for member in held_out],
            "of": "networks trained alike without these folds, not of the weights in this folder",
            **judged(plan, held_out, said),
        }
        if held_out
        else None,
        "versions": {"python": platform.python_version(), **{n: version(n) for n in VERSIONED}},
    }
