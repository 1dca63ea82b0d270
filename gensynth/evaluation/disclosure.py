"""Whose test images chose what, and the figures on those that chose nothing.

Whatever is picked by its figures on some images has too good figures on them. So a figure that is
reported stands beside the same figure on the folds that the choice did not see.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gensynth.data import Dataset, Fold
from gensynth.experiment import Folds
from gensynth.genome import Genome
from gensynth.training import FoldResult, Recipe, Tuned, evaluate_all

SAME_PEOPLE = (frozenset({"ckplus", "ck48"}), frozenset({"fer2013", "ferplus"}))
"""Names of data sets of the same people, so that their folds are the same too."""


@dataclass(frozen=True)
class Disclosure:
    """What was chosen, and by which test images.

    Attributes:
        what: ``network``, ``recipe`` or ``data``.
        words: How it was chosen, in one sentence.
        seen: Folds whose test images it may have been chosen by; all where it cannot be told.
    """

    what: Literal["network", "recipe", "data"]
    words: str
    seen: tuple[int, ...] = ()


def disclosures(
    genome: Genome, recipe: Recipe, dataset: Dataset, folds: Folds
) -> tuple[Disclosure, ...]:
    """What a network's provenance and a recipe say of how they were chosen, and what data lack.

    Args:
        genome: The network; one that a search found tells of it in ``data``, ``folds`` and
            ``metrics.search`` of its provenance.
        recipe: How it is trained.
        dataset: What it is tested on.
        folds: How that is split.
    """
    told = _network(genome, dataset, folds), recipe_disclosure(recipe, dataset, folds)
    return told if dataset.subjects is not None else (*told, Disclosure("data", nobody(dataset)))


def nobody(dataset: Dataset) -> str:
    """What has to be said of data of whose people nothing is known; nothing of others."""
    if dataset.subjects is not None:
        return ""
    return (
        f"{dataset.name} does not say who is on its images: one person may be trained on and "
        "tested on, and intervals take every image, or sequence, for evidence of its own."
    )


def recipe_disclosure(recipe: Recipe, dataset: Dataset, folds: Folds) -> Disclosure:
    """What a recipe says of how its values were chosen; arguments as for :func:`disclosures`."""
    known = [one for one in recipe.tuned_on if same_people(one.data, dataset.name)]
    if not known:
        words = f"The recipe names no image of {dataset.name} that chose its values."
        return Disclosure("recipe", words + _peculiar(recipe))
    seen = sorted({fold for one in known for fold in _seen(one, folds)})
    words = f"The values of the recipe were chosen by images of people of {spelled(seen)}."
    return Disclosure("recipe", words + _peculiar(recipe), tuple(seen))


def figures_without(
    seen: Collection[int],
    repetitions: Sequence[Sequence[FoldResult]],
    dataset: Dataset,
    folds: Sequence[Fold],
) -> dict[str, Any] | None:
    """The figures on the folds that a choice did not see.

    Args:
        seen: Folds to leave out.
        repetitions: Results of each cross-validation.
        dataset: The data that the folds index.
        folds: All folds.

    Returns:
        ``folds``, the headline metric by its name, ``images``, ``sequences`` and ``interval``; None
        where a cross-validation has no other fold.
    """
    parts = [[one for one in part if one.fold not in seen] for part in repetitions]
    if not all(parts):
        return None
    return evaluate_all(parts, dataset, folds).brief(dataset.task.headline)


def spelled(folds: Sequence[int]) -> str:
    """Some folds in words: ``fold 0``, ``folds 0 to 2``, ``folds 1, 4``."""
    first, last = min(folds), max(folds)
    if len(folds) > 2 and last - first == len(folds) - 1:
        return f"folds {first} to {last}"
    return f"fold{'s' if len(folds) > 1 else ''} {', '.join(map(str, sorted(folds)))}"


def _network(genome: Genome, dataset: Dataset, folds: Folds) -> Disclosure:
    told = genome.provenance
    metrics = told.get("metrics")
    searched = metrics.get("search") if isinstance(metrics, dict) else None
    count = searched.get("folds") if isinstance(searched, dict) else None
    if not isinstance(count, int):
        return Disclosure("network", "No search chose the network, as far as its file tells.")
    run = f" (run {told['study']}, trial {told['trial']})" if "trial" in told else ""
    name, drawn = str(told.get("data")), " (synthetic faces)" if told.get("synthetic") else ""
    began = f"The network was chosen by a search{run} on {name}{drawn}"
    if not same_people(name, dataset.name):
        return Disclosure("network", f"{began}, by no image of {dataset.name}.")
    if told.get("folds") != folds.model_dump(mode="json"):
        everything = tuple(range(folds.number))
        words = f"{began} with other folds than these, or its file does not tell with which."
        return Disclosure("network", words, everything)
    seen = tuple(range(min(count, folds.number)))
    words = f"{began}, by its {dataset.task.headline.label} on the test images of {spelled(seen)}."
    return Disclosure("network", words, seen)


def _peculiar(recipe: Recipe) -> str:
    """What whoever reads a figure, or uses the network, has to know of its recipe."""
    words = ""
    if recipe.pretraining is not None:
        words += " Every training began with weights learned on synthetic (drawn) faces."
    if (contrast := recipe.local_contrast) is not None:
        words += (
            f" Networks read local contrast instead of gray levels (window {contrast.window:g} of "
            f"the side, floor {contrast.floor:g}): compute it of every image first."
        )
    if recipe.flip_test:
        words += (
            " Every answer is the mean of an image's and its mirror image's: two forward passes, "
            "so twice the multiply-accumulates that are stated of the network."
        )
    return words


def _seen(tuned: Tuned, folds: Folds) -> Sequence[int]:
    same = folds == Folds(count=tuned.folds, by="subject")
    return tuned.seen if same else range(folds.number)


def same_people(one: str, other: str) -> bool:
    """Whether two data sets, by their names, are of the same people."""
    return one == other or any({one, other} <= same for same in SAME_PEOPLE)
