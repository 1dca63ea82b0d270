"""Whether a search that is killed ends as one that is not.

    python -m benchmarks.reliability.kills --searches 50

A small search with one worker, whose trainings are drawn answers instead of trainings, is killed
three times at a random write: of the study, of the journal, or of a file, before it happens or
after. Nothing cleans up after a kill. The same command then goes on to the end. Its decisions,
outcomes, journal and results have to be those of a search that nobody killed, and no fold may be
trained twice.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.markdown import markdown
from benchmarks.options import positive
from gensynth.config import load
from gensynth.data import Dataset, Fold
from gensynth.execution import Dispatcher, Journal
from gensynth.execution.journal import read
from gensynth.experiment import Experiment
from gensynth.export import Run
from gensynth.genome import Genome
from gensynth.seams.optuna import storage_of
from gensynth.search import Setting, run, search
from gensynth.search.study import open_study
from gensynth.training import FoldResult

SEARCH = (
    "constraint=nano_b",
    "constraint.bounds.accuracy.min=0.88",
    "constraint.bounds.macs.max=3e5",
    "data.subjects=40",
    "data.frames=1",
    "folds.count=4",
    "fidelity.rungs=[{folds: 1, epochs: 1}, {folds: 2, epochs: 2}]",
    "fidelity.reduction=2",
    "budget.minutes=null",
    "confirm.finalists=2",
    "confirm.epochs=2",
    "workers=1",
    "name=killed",
)
STUDY = (
    "create_new_trial",
    "set_trial_param",
    "set_trial_state_values",
    "set_trial_system_attr",
    "set_trial_user_attr",
    "set_study_user_attr",
)
TIMES = ("seconds", "run")
KILLS, SHARE = 3, 0.6
"""Kills of a search, and within what share of the writes of a whole one; one that would come after
its last write does not happen."""


class Killed(BaseException):
    """A kill: nobody catches it to clean up."""


@dataclass
class Killer:
    """Ends a search at one of its writes; after it nothing is written any more.

    Attributes:
        at: Number of the write, from 0; None never.
        after: Whether that write still happens.
        writes: What was written so far, in order.
    """

    at: int | None = None
    after: bool = False
    writes: list[str] = field(default_factory=list)

    def watching(self, name: str, write: Callable[..., Any]) -> Callable[..., Any]:
        """A write that the killer sees."""

        def watched(*arguments: Any, **options: Any) -> Any:
            if self.at is not None and len(self.writes) > self.at:
                raise Killed
            fatal = len(self.writes) == self.at
            self.writes.append(name)
            if fatal and not self.after:
                raise Killed
            result = write(*arguments, **options)
            if fatal:
                raise Killed
            return result

        return watched


def answered(
    genome: Genome, dataset: Dataset, fold: Fold, *, epochs: int, seed: int, accuracy: float = 0.9
) -> FoldResult:
    """In the place of a training: answers of which about so many are right, drawn by the seed."""
    random = np.random.default_rng([seed, fold.index, epochs])
    truth = dataset.targets[fold.test]
    guessed = random.integers(0, len(dataset.classes), len(truth))
    said = np.where(random.random(len(truth)) < accuracy, truth, guessed)
    right = int((said == truth).sum())
    return FoldResult(
        fold=fold.index,
        epochs=epochs,
        seed=seed,
        predictions=tuple(map(int, said)),
        total=len(truth),
        seconds=0.01,
        loss=0.5,
        scores={"correct": right},
    )


def in_turn(dispatcher: Dispatcher, setting: Setting, *ignored: Any, **also: Any) -> None:
    """Does a dispatcher's jobs as one worker would, in this process."""
    while (found := dispatcher.next()) is not None:
        key, job = found
        dispatcher.idle()
        for unit in job.units:
            fold = setting.folds[unit.fold]
            result = answered(job.genome, setting.dataset, fold, epochs=unit.epochs, seed=unit.seed)
            if not dispatcher.result(key, result):
                break
    if dispatcher.error is not None:
        raise dispatcher.error


@contextmanager
def watched(killer: Killer) -> Iterator[None]:
    """Searches of this process, without Ray, every write of which the killer sees."""

    def opened(*arguments: Any) -> Any:
        study = open_study(*arguments)
        storage = storage_of(study)
        for name in STUDY:
            stack.enter_context(
                patch.object(storage, name, killer.watching(name, getattr(storage, name)))
            )
        return study

    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        replaced = {
            (run, "cluster"): lambda *ignored, **also: nullcontext(Path(folder)),
            (run, "execute"): in_turn,
            (run, "open_study"): opened,
            (Journal, "append"): killer.watching("journal", Journal.append),
            (Path, "replace"): killer.watching("file", Path.replace),
        }
        for (owner, name), other in replaced.items():
            stack.enter_context(patch.object(owner, name, other))
        yield


def found(results: dict[str, Any]) -> dict[str, Any]:
    """All that a search decided and found, without times."""
    folder = Path(results["run"])
    trials = Run(folder).study.get_trials(deepcopy=False)
    kept = ("genome", "metrics", "violations", "performance", "fidelity", "stopped", "refused")
    return {
        "trials": [(trial.number, trial.state, trial.params, trial.values) for trial in trials],
        "attributes": [
            {name: json.dumps(trial.user_attrs.get(name)) for name in kept} for trial in trials
        ],
        "journal": [
            (entry.phase, entry.trial, entry.genome, entry.unit, entry.predictions)
            for entry in read(folder / "journal.jsonl")
        ],
        "results": {name: value for name, value in results.items() if name not in TIMES},
        "generators": sorted(path.name for path in (folder / "generators").iterdir()),
    }


@dataclass(frozen=True)
class Searched:
    """A search that was killed some times.

    Attributes:
        kills: What was being written each time.
        same: Whether it ended as the other one.
        repeated: Folds that were trained twice.
    """

    kills: tuple[str, ...]
    same: bool
    repeated: int


class Bench:
    """Searches that are killed, beside one that is not.

    Args:
        folder: Where they may write.
        candidates: Of each.
    """

    def __init__(self, folder: Path, candidates: int = 6) -> None:
        self._folder = folder
        self._candidates = candidates
        killer = Killer()
        with watched(killer):
            self._expected = found(search(self._experiment("whole")))
        self.writes = len(killer.writes)

    def searched(self, seed: int) -> Searched:
        """Kills a search at writes drawn by a seed, then has it end."""
        random = np.random.default_rng(seed)
        experiment = self._experiment(str(seed))
        kills: list[str] = []
        for _ in range(KILLS):
            last = int(SHARE * self.writes)
            killer = Killer(int(random.integers(last)), after=bool(random.integers(2)))
            with watched(killer):
                try:
                    search(experiment)
                except Killed:
                    kills.append(killer.writes[-1])
        with watched(Killer()):
            known = found(search(experiment))
        folds = Counter((genome, unit) for _, _, genome, unit, _ in known["journal"])
        return Searched(
            kills=tuple(kills),
            same=known == self._expected,
            repeated=sum(count - 1 for count in folds.values()),
        )

    def _experiment(self, name: str) -> Experiment:
        budget = f"budget.candidates={self._candidates}"
        return load(Experiment, [*SEARCH, budget, f"runs={self._folder / name}"])


def table(searches: list[Searched]) -> str:
    """What was killed how often, and how the searches ended."""
    kills = Counter(name for one in searches for name in one.kills)
    rows = [(f"killed while writing: {name}", str(count)) for name, count in kills.most_common()]
    rows += [
        ("kills", str(kills.total())),
        ("searches", str(len(searches))),
        ("ended as the search that was not killed", str(sum(one.same for one in searches))),
        ("folds trained twice", str(sum(one.repeated for one in searches))),
    ]
    return markdown(("", "number"), [list(row) for row in rows])


def main() -> None:
    """Kills and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--searches", type=positive, default=50)
    parser.add_argument("--first", type=int, default=0, help="seed of the first one")
    parser.add_argument("--candidates", type=positive, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.candidates)
        seeds = range(options.first, options.first + options.searches)
        print(table([bench.searched(seed) for seed in seeds]))


if __name__ == "__main__":
    main()
