"""What a run has found, written down: ``results.json`` and one JSON genome a network of the front.

Optimistic and honest figures stand side by side: what the search saw when it chose, and what the
confirmation found.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from gensynth.cost import STATIC_METRICS
from gensynth.evaluation.disclosure import figures_without, nobody, recipe_disclosure
from gensynth.execution.files import replace_file
from gensynth.genome import Genome, dumps
from gensynth.search.candidates import Candidates
from gensynth.search.confirmation import Confirmation, Finalist
from gensynth.search.outcome import Outcome, front
from gensynth.search.preparation import Setting
from gensynth.search.results import (
    ConfirmedFigure,
    FoundNetwork,
    Refuted,
    Results,
    SearchFigure,
    Tally,
    UnseenFigure,
    merit,
)
from gensynth.search.run_directory import RunDirectory
from gensynth.search.study import SearchStudy
from gensynth.search.verdict import Verdict
from gensynth.space import decode
from gensynth.task import Evaluation
from gensynth.training import evaluate

VERSIONED = ("gensynth", "torch", "optuna", "ray", "numpy")


@dataclass(frozen=True)
class Summary:
    """Everything that results are made of.

    Attributes:
        setting: The experiment.
        directory: Where its files are.
        study: What became of its candidates.
        candidates: The search.
        confirmation: The confirmation.
        seconds: Time by phase.
        generators: Files of the generators, relative to the directory.
        command: How the search was started.
    """

    setting: Setting
    directory: RunDirectory
    study: SearchStudy
    candidates: Candidates
    confirmation: Confirmation
    seconds: Mapping[str, float]
    generators: Sequence[str] = ()
    command: str = ""

    @property
    def results(self) -> Results:
        """What ``results.json`` is to hold."""
        return self._results(self._networks(self._shown))

    @property
    def _shown(self) -> Mapping[int, Outcome]:
        """The networks that results list, by trial: the front, and what was confirmed."""
        finalists = {one.outcome.trial: one for one in self.confirmation.finalists}
        outcomes = tuple(self.study.outcomes.values())
        shown = {
            outcome.trial: outcome
            for outcome in front(outcomes, self.study.objectives, fallback=True)
        }
        return shown | {trial: one.outcome for trial, one in finalists.items()}

    def _networks(self, shown: Mapping[int, Outcome]) -> list[FoundNetwork]:
        finalists = {one.outcome.trial: one for one in self.confirmation.finalists}
        networks = (
            self._network(outcome, finalists.get(trial)) for trial, outcome in shown.items()
        )
        return sorted(networks, key=merit, reverse=True)

    def write(self) -> Results:
        """Writes ``genomes/`` and ``results.json``; returns what that holds."""
        shown = self._shown
        networks = self._networks(shown)
        self._write_genomes(shown, networks)
        results = self._results(networks)
        text = json.dumps(results.model_dump(mode="json"), indent=2)
        replace_file(self.directory.results, f"{text}\n")
        return results

    def _results(self, networks: Sequence[FoundNetwork]) -> Results:
        experiment, dataset = self.setting.experiment, self.setting.dataset
        outcomes = self.study.outcomes.values()
        refused = self.candidates.refused
        duplicates = refused.pop("duplicate", 0)
        return Results(
            format="gensynth.results",
            version=1,
            name=experiment.label,
            synthetic=dataset.synthetic,
            data=dataset.name,
            source=dataset.source,
            task=experiment.task,
            command=self.command or f"gensynth search name={experiment.label}",
            constraint=experiment.constraint,
            prototype=experiment.prototype.get("name"),
            recipe=" ".join(filter(None, (self._recipe_words, nobody(dataset)))),
            seed=experiment.seed,
            networks=tuple(networks),
            counts=Tally(
                refused=dict(refused),
                duplicates=duplicates,
                asked=self.study.asked,
                trained=sum(outcome.complete for outcome in outcomes),
                stopped=sum(not outcome.complete for outcome in outcomes),
                diverged=sum(outcome.verdict is Verdict.DIVERGED for outcome in outcomes),
                failed=self.study.failed,
            ),
            ended=self.candidates.ended,
            seconds={name: round(value, 3) for name, value in self.seconds.items()},
            versions={"python": platform.python_version(), **{n: version(n) for n in VERSIONED}},
            generators=tuple(self.generators),
        )

    @property
    def _recipe_words(self) -> str:
        setting = self.setting
        return recipe_disclosure(setting.recipe, setting.dataset, setting.experiment.folds).words

    def _network(self, outcome: Outcome, finalist: Finalist | None) -> FoundNetwork:
        experiment = self.setting.experiment
        evaluation = self.confirmation.evaluation(finalist) if finalist is not None else None
        metrics = dict(outcome.metrics)
        if evaluation is not None:
            metrics.update(evaluation.metrics())
        refuted = None
        if finalist is not None and evaluation is None and finalist.refuted is not None:
            refuted = Refuted(bound=finalist.refuted, folds=len(finalist.results))
        return FoundNetwork(
            genome=f"genomes/trial-{outcome.trial:04d}.json",
            hash=outcome.genome,
            trial=outcome.trial,
            params=int(outcome.metrics["params"]),
            macs=int(outcome.metrics["macs"]),
            peak_memory=int(outcome.metrics["peak_memory"]),
            model_bytes=int(outcome.metrics["model_bytes"]),
            search=self._searched(outcome),
            confirmed=self._confirmed(finalist, evaluation) if finalist and evaluation else None,
            refuted=refuted,
            feasible=refuted is None and experiment.constraint.feasible(metrics),
            violations=experiment.constraint.violations(metrics),
            performance=experiment.measured(metrics),
        )

    def _searched(self, outcome: Outcome) -> SearchFigure:
        rung = self.setting.experiment.fidelity.rungs[-1]
        images = sum(len(fold.test) for fold in self.setting.folds[: rung.folds])
        stated = self.setting.dataset.task.searched(outcome.metrics, images)
        rest = {"images": images, "folds": rung.folds, "epochs": rung.epochs}
        return SearchFigure.model_validate({**stated, **rest})

    def _confirmed(self, finalist: Finalist, evaluation: Evaluation) -> ConfirmedFigure:
        setting = self.setting
        seen = range(setting.experiment.fidelity.rungs[-1].folds)
        repetitions = finalist.repetitions()
        unseen = figures_without(seen, repetitions, setting.dataset, setting.folds)
        return ConfirmedFigure.model_validate(
            {
                **evaluation.figures(),
                "epochs": setting.experiment.confirm_epochs,
                "seeds": finalist.seeds,
                "per_seed": [
                    evaluate(part, setting.dataset, setting.folds).value for part in repetitions
                ],
                "unseen": None if unseen is None else UnseenFigure.model_validate(unseen),
            }
        )

    def _write_genomes(
        self, shown: Mapping[int, Outcome], networks: Sequence[FoundNetwork]
    ) -> None:
        for network in networks:
            genome = self._described(shown[network.trial], network)
            replace_file(self.directory.path / network.genome, dumps(genome))
        names = {network.genome.rpartition("/")[2] for network in networks}
        for old in self.directory.genomes.glob("trial-*.json"):
            if old.name not in names:
                old.unlink()

    def _described(self, outcome: Outcome, network: FoundNetwork) -> Genome:
        experiment = self.setting.experiment
        keys = {*STATIC_METRICS, "search", "confirmed", "feasible", "performance"}
        return decode(self.setting.space, outcome.decisions).described(
            name=f"{experiment.label}-{outcome.trial:04d}",
            prototype=experiment.prototype.get("name"),
            space=self.setting.space.name,
            constraint=experiment.constraint.name,
            seed=experiment.seed,
            study=experiment.label,
            trial=outcome.trial,
            data=self.setting.dataset.name,
            synthetic=self.setting.dataset.synthetic,
            folds=experiment.folds.model_dump(mode="json"),
            metrics=network.model_dump(mode="json", include=keys),
            **experiment.model_dump(mode="json", include={"task"}),
        )
