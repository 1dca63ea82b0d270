"""The generators of a run as files: one an iteration, and the front of them."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from gensynth.generator import (
    GenerativeSynthesisSampler,
    Generator,
    assess,
    assessed,
    pareto,
)
from gensynth.search.ledger import Ledger
from gensynth.search.rundir import RunDirectory, replace_file
from gensynth.search.setting import Setting, identity

FRONT = "pareto.json"


@dataclass
class GeneratorFiles:
    """Saves the generator whenever it has moved; compares all of them at the end.

    Generators are comparable only when one inquisitor judges them. Each is judged once when it is
    made, and all again by the inquisitor that has seen the whole search.

    Args:
        setting: The experiment.
        ledger: Its study.
        directory: Where the files go.
    """

    setting: Setting
    ledger: Ledger
    directory: RunDirectory
    _latest: int = -1
    _again: deque[Path] | None = None
    _judged: list[Path] = field(default_factory=list)

    @property
    def files(self) -> list[Path]:
        """All generator files, by iteration."""
        return sorted(self.directory.generators.glob("generator-*.json"))

    def keep(self) -> None:
        """Saves the generator if it is a new one."""
        sampler = self.ledger.study.sampler
        if not isinstance(sampler, GenerativeSynthesisSampler):
            return
        generator = sampler.generator(self.ledger.study)
        path = self.directory.generators / f"generator-{generator.iteration:03d}.json"
        if generator.iteration == self._latest:
            return
        self._latest = generator.iteration
        if path.exists():
            return
        experiment = self.setting.experiment
        classes = len(self.setting.dataset.classes)
        self._save(
            generator.model_copy(
                update={
                    "space": experiment.search_space,
                    "prototype": {**experiment.prototype, "classes": classes},
                    "constraint": experiment.constraint.model_dump(mode="json"),
                }
            ),
            path,
        )

    def judge(self) -> bool:
        """Judges one generator by the final inquisitor; returns whether more are left."""
        if self._again is None:
            self._again = deque(self.files)
        if self._again:
            path = self._again.popleft()
            self._save(Generator.load(path), path)
            self._judged.append(path)
        return bool(self._again)

    def finish(self) -> list[str]:
        """Judges what is left and writes the front; returns the files, relative to the run."""
        if not self.files:
            return []
        while self.judge():
            pass
        best = {one.iteration for one in pareto([Generator.load(path) for path in self.files])}
        front = [path.name for path in self.files if _iteration(path) in best]
        text = json.dumps({"format": "gensynth.generators", "version": 1, "pareto": front})
        replace_file(self.directory.generators / FRONT, text + "\n")
        return [str(path.relative_to(self.directory.path)) for path in self.files]

    def _save(self, generator: Generator, path: Path) -> None:
        sampler = self.ledger.study.sampler
        assert isinstance(sampler, GenerativeSynthesisSampler)
        figures = assess(
            generator,
            self.setting.space,
            self.setting.violations,
            inquisitor=sampler.inquisitor(self.ledger.study),
            key=identity,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.new")
        assessed(generator, figures).save(temporary)
        temporary.replace(path)


def _iteration(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])
