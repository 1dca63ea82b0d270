"""What a candidate is trained on, in which order, and with which seeds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Phase = Literal["search", "confirm", "evaluate", "train"]

SEED_BITS = 48


class Rung(BaseModel):
    """One level of fidelity: so many folds, each trained for so many epochs.

    Attributes:
        folds: Number of folds, the first ones; every candidate is judged on the same images.
        epochs: Passes over the training part of each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folds: Annotated[int, Field(ge=1)]
    epochs: Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Unit:
    """The smallest piece of work: one fold, trained once.

    Attributes:
        fold: Index of the fold.
        epochs: Passes over its training part.
        seed: Training seed, as ``train_fold`` takes it and the journal records it.
    """

    fold: int
    epochs: int
    seed: int


def base_seed(run_seed: int, genome_hash: str, phase: Phase, repetition: int = 0) -> int:
    """The seed of one cross-validation of one network.

    A function of its arguments only, so that the order in which workers finish changes nothing,
    and different for every phase, so that no network is confirmed with a seed that it was chosen
    by.

    Args:
        run_seed: Seed of the run.
        genome_hash: Canonical hash of the network.
        phase: What the training is for.
        repetition: Number of the cross-validation within the phase.

    Returns:
        An integer below 2**48 (exact in JSON everywhere).
    """
    text = f"{run_seed}:{genome_hash}:{phase}:{repetition}"
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[: SEED_BITS // 8], "big")


def cross_validation(folds: Iterable[int], epochs: int, seed: int) -> tuple[Unit, ...]:
    """All units of one cross-validation; fold ``i`` is trained with ``seed + i``.

    Args:
        folds: Indices of the folds.
        epochs: Passes over each training part.
        seed: Its base seed, see :func:`base_seed`.
    """
    return tuple(Unit(fold=fold, epochs=epochs, seed=seed + fold) for fold in folds)


def shared_out(parts: Sequence[tuple[Unit, ...]], workers: int) -> tuple[tuple[Unit, ...], ...]:
    """Cross-validations as jobs, so that few of them are begun by more than one worker.

    What the folds of one have in common, a pretraining, is made by every worker that has one of
    them. So as long as there is a whole one for each worker they are handed out whole, and what is
    left fold by fold, since no worker should be without work. What others have begun is shorter
    than a whole one.

    Args:
        parts: The units of each cross-validation that are to be trained.
        workers: Number of workers.
    """
    longest = [part for part in parts if len(part) == max(map(len, parts))]
    whole = longest[: len(longest) // workers * workers]
    rest = (unit for part in parts if part not in whole for unit in part)
    return (*whole, *((unit,) for unit in rest))


def ladder(rungs: Sequence[Rung], seed: int) -> tuple[tuple[Unit, ...], ...]:
    """The units that each rung adds to those before it.

    A fold that an earlier rung trained for as many epochs is not trained again.

    Args:
        rungs: Rising levels of fidelity.
        seed: Base seed of the candidate.

    Returns:
        One tuple of units a rung.
    """
    done: set[Unit] = set()
    steps = []
    for rung in rungs:
        units = cross_validation(range(rung.folds), rung.epochs, seed)
        steps.append(tuple(unit for unit in units if unit not in done))
        done.update(units)
    return tuple(steps)


def full_epochs(rungs: Sequence[Rung]) -> int:
    """Epochs times folds of a candidate that climbs all rungs."""
    return sum(unit.epochs for units in ladder(rungs, 0) for unit in units)
