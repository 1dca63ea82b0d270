"""What a search costs besides training: Ray, Optuna, proposals, bookkeeping.

    python -m benchmarks.speed.overhead             a search of tiny networks, by trial number
    python -m benchmarks.speed.overhead runs/NAME … finished runs

The first shows the cost of one trial and whether it grows with their number; its trainings take a
fraction of a second, so its shares say nothing about a real search. The second gives the share of
a real one: seconds that workers did not spend training after set-up, of all that they had.
"""

import argparse
import json
import tempfile
from pathlib import Path

import optuna

from gensynth.config import load
from gensynth.execution.journal import read
from gensynth.experiment import Experiment
from gensynth.search import search

TINY = (
    "name=overhead",
    "constraint.bounds.accuracy.min=0.01",
    "constraint.bounds.macs.max=3e5",
    "data.subjects=40",
    "data.frames=1",
    "folds.count=4",
    "fidelity.rungs=[{folds: 2, epochs: 1}]",
    "fidelity.reduction=null",
    "budget.minutes=null",
    "confirm.finalists=0",
)


def main() -> None:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--candidates", type=int, default=80)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--sampler", default="generative")
    arguments = parser.parse_args()
    if arguments.runs:
        for run in arguments.runs:
            report(run)
        return
    with tempfile.TemporaryDirectory() as folder:
        overrides = [
            *TINY,
            f"runs={folder}",
            f"budget.candidates={arguments.candidates}",
            f"sampler={arguments.sampler}",
            *([f"workers={arguments.workers}"] if arguments.workers else []),
        ]
        results = search(load(Experiment, overrides))
        grow(Path(results["run"]), int(results["seconds"]["workers"]))


def report(run: Path) -> None:
    """Prints the share of a finished run."""
    results = json.loads((run / "results.json").read_text())
    seconds, counts = results["seconds"], results["counts"]
    available = (seconds["total"] - seconds["setup"]) * seconds["workers"]
    print(f"{results['name']}: {seconds['workers']:.0f} workers, {seconds['total']:.0f} s in all")
    print(f"  set-up                     {seconds['setup']:8.1f} s")
    print(f"  training, search           {seconds['search_training']:8.1f} worker-s")
    print(f"  training, confirmation     {seconds['confirm_training']:8.1f} worker-s")
    print(f"  drawn faces                {seconds.get('pretraining', 0.0):8.1f} worker-s")
    print(
        f"  everything else            {seconds['overhead']:8.1f} worker-s "
        f"= {seconds['overhead'] / available:.1%} of {available:.0f}"
    )
    trials = counts["trained"] + counts["stopped"]
    print(f"  candidates                 {trials:8d}")


def grow(run: Path, workers: int, parts: int = 4) -> None:
    """Prints seconds a trial that are not training, over the course of a search."""
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{run / 'study.db'}")
    trials = [trial for trial in study.trials if trial.datetime_complete is not None]
    trained: dict[int | None, float] = {}
    for entry in read(run / "journal.jsonl"):
        spent = entry.seconds + entry.pretraining
        trained[entry.trial] = trained.get(entry.trial, 0.0) + spent
    print(f"{len(trials)} trials, {workers} workers")
    print("  trials       seconds   training   else a trial (worker-s)")
    size = len(trials) // parts
    for start in range(size // 2, size * parts, size):
        part = trials[start : start + size]
        if len(part) < 2:
            continue
        ends = sorted(trial.datetime_complete for trial in part if trial.datetime_complete)
        wall = (ends[-1] - ends[0]).total_seconds()
        training = sum(trained.get(trial.number, 0.0) for trial in part[1:])
        each = max(0.0, wall * workers - training) / (len(part) - 1)
        label = f"{part[0].number}-{part[-1].number}"
        print(f"  {label:10}  {wall:8.1f}   {training:8.1f}   {each:8.3f}")


if __name__ == "__main__":
    main()
