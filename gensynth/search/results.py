"""What a run has found, as data: ``results.json`` and one JSON genome a network of the front."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from gensynth.cost import STATIC_METRICS
from gensynth.evaluation.disclosure import figures_without, recipe_choice
from gensynth.execution.files import replace_file
from gensynth.genome import Genome, dumps
from gensynth.search.candidates import Candidates
from gensynth.search.confirmation import Confirmation, Finalist
from gensynth.search.preparation import Setting
from gensynth.search.run_directory import RunDirectory
from gensynth.search.study import OBJECTIVES, Ledger, Outcome
from gensynth.space import decode
from gensynth.training import Evaluation

VERSIONED = ("gensynth", "torch", "optuna", "ray", "numpy")


@dataclass(frozen=True)
class Run:
    """Everything that results are made of.

    Attributes:
        setting: The experiment.
        directory: Where its files are.
        ledger: The study.
        candidates: The search.
        confirmation: The confirmation.
        seconds: Time by phase.
        generators: Files of the generators, relative to the directory.
        command: How the search was started.
    """

    setting: Setting
    directory: RunDirectory
    ledger: Ledger
    candidates: Candidates
    confirmation: Confirmation
    seconds: Mapping[str, float]
    generators: Sequence[str] = ()
    command: str = ""


def front(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The networks that no other beats on every objective, by greatest U first.

    Of the feasible ones if there are any, else of all that reached full search fidelity.
    """
    complete = [outcome for outcome in outcomes if outcome.complete]
    pool = [outcome for outcome in complete if outcome.feasible] or complete
    best = [one for one in pool if not any(_dominates(other, one) for other in pool)]
    return sorted(best, key=lambda outcome: (-(outcome.performance or 0.0), outcome.trial))


def write(run: Run) -> dict[str, Any]:
    """Writes ``genomes/`` and ``results.json``.

    Returns:
        What ``results.json`` holds.
    """
    finalists = {one.outcome.trial: one for one in run.confirmation.finalists}
    shown = {outcome.trial: outcome for outcome in front(tuple(run.ledger.outcomes.values()))}
    shown.update({trial: one.outcome for trial, one in finalists.items()})
    networks = [_network(run, outcome, finalists.get(trial)) for trial, outcome in shown.items()]
    networks.sort(key=_merit)
    _write_genomes(run, shown, networks)
    data = _summary(run, networks)
    replace_file(run.directory.results, json.dumps(data, indent=2) + "\n")
    return data


def _summary(run: Run, networks: list[dict[str, Any]]) -> dict[str, Any]:
    experiment, dataset = run.setting.experiment, run.setting.dataset
    outcomes = run.ledger.outcomes.values()
    refused = run.candidates.refused
    duplicates = refused.pop("duplicate", 0)
    return {
        "format": "gensynth.results",
        "version": 1,
        "name": experiment.label,
        "synthetic": dataset.synthetic,
        "data": dataset.name,
        "source": dataset.source,
        "command": run.command or f"gensynth search name={experiment.label}",
        "constraint": experiment.constraint.model_dump(mode="json"),
        "prototype": experiment.prototype.get("name"),
        "recipe": recipe_choice(run.setting.recipe, dataset, experiment.folds).words,
        "seed": experiment.seed,
        "networks": networks,
        "counts": {
            "refused": dict(refused),
            "duplicates": duplicates,
            "asked": run.ledger.asked,
            "trained": sum(outcome.complete for outcome in outcomes),
            "stopped": sum(not outcome.complete for outcome in outcomes),
            "failed": run.ledger.failed,
        },
        "ended": run.candidates.ended,
        "seconds": {name: round(value, 3) for name, value in run.seconds.items()},
        "versions": {"python": platform.python_version(), **{n: version(n) for n in VERSIONED}},
        "generators": list(run.generators),
    }


def _network(run: Run, outcome: Outcome, finalist: Finalist | None) -> dict[str, Any]:
    experiment = run.setting.experiment
    rung = experiment.fidelity.rungs[-1]
    images = sum(len(fold.test) for fold in run.setting.folds[: rung.folds])
    evaluation = run.confirmation.evaluation(finalist) if finalist is not None else None
    metrics = dict(outcome.metrics)
    if evaluation is not None:
        metrics.update(evaluation.metrics())
    network: dict[str, Any] = {
        "genome": f"genomes/trial-{outcome.trial:04d}.json",
        "hash": outcome.genome,
        "trial": outcome.trial,
        **{name: int(outcome.metrics[name]) for name in STATIC_METRICS},
        "search": {
            "accuracy": outcome.metrics["accuracy"],
            "correct": round(outcome.metrics["accuracy"] * images),
            "images": images,
            "folds": rung.folds,
            "epochs": rung.epochs,
        },
        "confirmed": None,
        "feasible": experiment.constraint.feasible(metrics),
        "violations": experiment.constraint.violations(metrics),
        "performance": experiment.performance(metrics),
    }
    if finalist is not None and evaluation is not None:
        network["confirmed"] = _confirmed(run, finalist, evaluation)
    elif finalist is not None and finalist.refuted is not None:
        network["feasible"] = False
        network["refuted"] = {"bound": finalist.refuted, "folds": len(finalist.results)}
    return network


def _confirmed(run: Run, finalist: Finalist, evaluation: Evaluation) -> dict[str, Any]:
    seen = range(run.setting.experiment.fidelity.rungs[-1].folds)
    repetitions = finalist.repetitions()
    return {
        **evaluation.figures(),
        "epochs": run.setting.experiment.confirm_epochs,
        "seeds": list(finalist.seeds),
        "per_seed": [
            sum(result.correct for result in part) / sum(result.total for result in part)
            for part in repetitions
        ],
        "unseen": figures_without(seen, repetitions, run.setting.dataset, run.setting.folds),
    }


def _write_genomes(
    run: Run, shown: Mapping[int, Outcome], networks: Sequence[Mapping[str, Any]]
) -> None:
    for network in networks:
        genome = _described(run, shown[network["trial"]], network)
        replace_file(run.directory.path / network["genome"], dumps(genome))
    names = {network["genome"].rpartition("/")[2] for network in networks}
    for old in run.directory.genomes.glob("trial-*.json"):
        if old.name not in names:
            old.unlink()


def _described(run: Run, outcome: Outcome, network: Mapping[str, Any]) -> Genome:
    experiment = run.setting.experiment
    keys = (*STATIC_METRICS, "search", "confirmed", "feasible", "performance")
    return decode(run.setting.space, outcome.params).described(
        name=f"{experiment.label}-{outcome.trial:04d}",
        prototype=experiment.prototype.get("name"),
        space=run.setting.space.name,
        constraint=experiment.constraint.name,
        seed=experiment.seed,
        study=experiment.label,
        trial=outcome.trial,
        data=run.setting.dataset.name,
        synthetic=run.setting.dataset.synthetic,
        folds=experiment.folds.model_dump(mode="json"),
        metrics={key: network[key] for key in keys},
    )


def _merit(network: Mapping[str, Any]) -> tuple[bool, bool, float]:
    """Confirmed and feasible first, then feasible, then by U."""
    confirmed = network["confirmed"] is not None
    return not (confirmed and network["feasible"]), not network["feasible"], -network["performance"]


def _dominates(other: Outcome, one: Outcome) -> bool:
    theirs, mine = _objectives(other), _objectives(one)
    no_worse = all(a >= b for a, b in zip(theirs, mine, strict=True))
    return no_worse and (theirs != mine or other.trial < one.trial)


def _objectives(outcome: Outcome) -> tuple[float, ...]:
    return tuple(
        outcome.metrics[name] * (1 if direction == "maximize" else -1)
        for name, direction in OBJECTIVES.items()
    )
