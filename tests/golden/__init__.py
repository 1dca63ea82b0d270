"""The golden record: one small search and one evaluation, as they were on one machine.

Decisions and networks are the same everywhere, so every run of the tests compares them. Losses and
predictions are the same to the bit on one kind of processor only, so they are compared where the
record was made. ``python -m tests.golden`` makes the record anew; a commit that does so says why.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import torch

RECORD = Path(__file__).parent / "record.json"
NAME = "golden"
COMMON = (
    "training.precision=float32",
    "workers=1",
    "data.subjects=40",
    "data.frames=1",
    "folds.count=4",
    "seed=0",
)
SEARCH = (
    *COMMON,
    "constraint=nano_b",
    "constraint.bounds.accuracy.min=0.2",
    "constraint.bounds.macs.max=6e5",
    "fidelity.rungs=[{folds: 1, epochs: 2}, {folds: 2, epochs: 6}]",
    "budget.candidates=14",
    "budget.minutes=null",
    "confirm.finalists=2",
    "confirm.epochs=4",
    f"name={NAME}",
)
TIMES = ("seconds", "pretraining")
EXACT = ("journal", "values", "networks", "counts", "evaluation")
"""Parts of the record that hold on one kind of processor only."""
UNTOLD = 4
"""Trials that are drawn before any outcome moves the sampler: alike on all processors."""


def observe(folder: Path) -> dict[str, Any]:
    """Runs the search and the evaluation in processes of their own; what they did, without times.

    Args:
        folder: Where they may write.
    """
    _gensynth("search", *SEARCH, f"runs={folder}")
    run = folder / NAME
    genome = next(iter(sorted((run / "genomes").glob("*.json"))))
    figures = _gensynth(
        "evaluate", str(genome), *COMMON, "constraint=nano_b", "--seeds=1", "--epochs=2", "--json"
    )
    return {"processor": processor(), **_searched(run), "evaluation": _evaluated(figures)}


def processor() -> dict[str, Any]:
    """The kind of processor, as far as arithmetic depends on it."""
    known = torch.cpu.get_capabilities()
    return {
        "torch": torch.__version__,
        **{name: known.get(name) for name in ("architecture", "cpu_name", "avx2", "avx512_f")},
    }


def load() -> dict[str, Any]:
    """The record."""
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return record


def save(record: dict[str, Any]) -> None:
    """Replaces the record."""
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _searched(run: Path) -> dict[str, Any]:
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    study = optuna.load_study(study_name=NAME, storage=f"sqlite:///{run / 'study.db'}")
    trials = study.get_trials(deepcopy=False)
    lines = (run / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return {
        "decisions": [trial.params for trial in trials],
        "genomes": [trial.user_attrs.get("genome") for trial in trials],
        "values": [[trial.state.name, trial.values] for trial in trials],
        "journal": [_without_times(json.loads(line)) for line in lines],
        "networks": results["networks"],
        "counts": results["counts"],
    }


def _evaluated(text: str) -> dict[str, Any]:
    figures = json.loads(text)
    names = ("accuracy", "interval", "fold_mean", "sequence_accuracy", "recall", "confusion")
    return {name: figures[name] for name in names}


def _without_times(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in TIMES}


def _gensynth(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "gensynth", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
