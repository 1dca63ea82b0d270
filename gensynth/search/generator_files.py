"""The generators of a run as files: one an iteration, a family of budgets, and what is best."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from optuna.trial import FrozenTrial

from gensynth.execution.files import replace_file
from gensynth.generator import (
    GenerativeSynthesisSampler,
    Generator,
    assess,
    assessed,
    family,
    pareto,
)
from gensynth.generator.history import FINISHED, observe
from gensynth.generator.making import FAMILY, within
from gensynth.indicator import Indicator
from gensynth.search.preparation import Setting
from gensynth.search.proposing import Follower
from gensynth.search.run_directory import RunDirectory
from gensynth.search.study import SearchStudy, metrics_of
from gensynth.search.warm_start import readable
from gensynth.space import exact_violations

FRONT = "pareto.json"


@dataclass
class GeneratorFiles(Follower):
    """Saves the generator whenever it has moved; compares all of them at the end.

    Generators are comparable only when one inquisitor judges them. Each is judged once when it is
    made, and all again by the inquisitor that has seen the whole search.

    Args:
        setting: The experiment.
        study: Its study.
        sampler: The sampler whose generators these are.
        directory: Where the files go.
    """

    setting: Setting
    study: SearchStudy
    sampler: GenerativeSynthesisSampler
    directory: RunDirectory
    _latest: int = -1
    _again: deque[Path] | None = None
    _judged: list[Path] = field(default_factory=list)

    @property
    def files(self) -> list[Path]:
        """All generator files, by iteration."""
        return sorted(self.directory.generators.glob("generator-*.json"))

    def mend(self) -> None:
        """Derives again what is damaged: generators follow from the study."""
        damaged = [path for path in self.files if not readable(path)]
        if not damaged:
            return
        derived = {self._path(one): one for one in self.sampler.generators(self.study.study)}
        for path in damaged:
            path.unlink()
            if path in derived:
                constraint = self.setting.experiment.constraint
                self._save(self._complete(derived[path], constraint), path)

    def keep(self) -> None:
        """Saves the generator if it is a new one."""
        generator = self.sampler.generator(self.study.study)
        path = self._path(generator)
        if generator.iteration == self._latest:
            return
        self._latest = generator.iteration
        if path.exists():
            return
        self._save(self._complete(generator, self.setting.experiment.constraint), path)

    def judge(self) -> bool:
        """Judges one generator by the final inquisitor; returns whether more are left."""
        if self._again is None:
            self.mend()
            self._again = deque(self.files)
        if self._again:
            path = self._again.popleft()
            self._save(Generator.load(path), path)
            self._judged.append(path)
        return bool(self._again)

    def finish(self) -> list[str]:
        """Judges what is left, fits the family and writes the front.

        Returns:
            The generators' files, relative to the run.
        """
        if not self.files:
            return []
        while self.judge():
            pass
        best = {one.iteration for one in pareto([Generator.load(path) for path in self.files])}
        front = [path.name for path in self.files if _iteration(path) in best]
        family = self._save_family()
        listed = {"format": "gensynth.generators", "version": 1, "pareto": front, "family": family}
        replace_file(self.directory.generators / FRONT, json.dumps(listed, indent=1) + "\n")
        paths = [*self.files, *(self.directory.generators / str(one["file"]) for one in family)]
        return [str(path.relative_to(self.directory.path)) for path in paths]

    def _path(self, generator: Generator) -> Path:
        return self.directory.generators / f"generator-{generator.iteration:03d}.json"

    def _save_family(self) -> list[dict[str, float | str | None]]:
        """Fits one generator a budget of parameters to quality, and saves each."""
        study, constraint = self.study.study, self.setting.experiment.constraint
        known = self.setting.screen
        past = [
            observe(trial, study.directions, known, self._quality)
            for trial in study.get_trials(deepcopy=False, states=FINISHED)
        ]
        for old in self.directory.generators.glob(FAMILY):
            old.unlink()
        listed: list[dict[str, float | str | None]] = []
        for one in family(self.sampler.generator(study), past, known, seed=self.sampler.seed):
            path = self.directory.generators / f"budget-{one.budget:06d}.json"
            self._save(self._complete(one.generator, within(constraint, one.budget)), path)
            listed.append(
                {
                    "file": path.name,
                    "max_params": one.budget,
                    "static_feasible": one.assessment.static_feasible,
                    "quality": one.assessment.mean_performance,
                }
            )
        return listed

    def _quality(self, trial: FrozenTrial) -> float | None:
        """How good a trial's network is; None where it was not trained."""
        known, task = metrics_of(trial), self.setting.dataset.task
        return task.quality(known) if task.headline.name in known else None

    def _complete(self, generator: Generator, constraint: Indicator) -> Generator:
        """The generator with all that it takes to make networks."""
        experiment, outputs = self.setting.experiment, self.setting.dataset.task.outputs
        return generator.model_copy(
            update={
                "space": experiment.search_space,
                "prototype": {**experiment.prototype, "classes": outputs},
                "constraint": constraint.model_dump(mode="json"),
            }
        )

    def _save(self, generator: Generator, path: Path) -> None:
        indicator = Indicator.model_validate(generator.constraint)
        figures = assess(
            generator,
            self.setting.propose,
            lambda proposal: exact_violations(indicator, proposal.genome, proposal.metrics),
            inquisitor=self.sampler.inquisitor(self.study.study),
            key=self.setting.screen.key,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.new")
        assessed(generator, figures).save(temporary)
        temporary.replace(path)


def _iteration(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])
