"""A run directory: which experiment it belongs to, and where its files are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gensynth.errors import UserError
from gensynth.search.experiment import Experiment

CHANGEABLE = ("budget", "workers", "ray_address", "runs", "name")
"""What may differ when a run is continued: none of it decides what is trained how."""


@dataclass(frozen=True)
class RunDirectory:
    """The files of one run.

    Attributes:
        path: The directory.
    """

    path: Path

    @property
    def config(self) -> Path:
        """The composed experiment, as run."""
        return self.path / "config.yaml"

    @property
    def study(self) -> Path:
        """The Optuna study, unless it is elsewhere."""
        return self.path / "study.db"

    @property
    def journal(self) -> Path:
        """One line a trained fold."""
        return self.path / "journal.jsonl"

    @property
    def generators(self) -> Path:
        """The generators, one file an iteration."""
        return self.path / "generators"

    @property
    def genomes(self) -> Path:
        """One JSON genome a network of the front."""
        return self.path / "genomes"

    @property
    def results(self) -> Path:
        """The front as data."""
        return self.path / "results.json"


def open_run(experiment: Experiment) -> RunDirectory:
    """Opens the directory of an experiment, or makes it.

    Raises:
        UserError: If the directory belongs to another experiment, naming the first key that
            differs, or is something else.
    """
    run = RunDirectory(Path(experiment.runs) / experiment.label)
    wanted = experiment.model_dump(mode="json")
    if run.config.exists():
        _check_same(_read(run.config), wanted, run)
    elif run.path.exists() and any(run.path.iterdir()):
        raise UserError(
            "is not a run directory but is not empty",
            where=str(run.path),
            remedy="choose another name",
        )
    run.path.mkdir(parents=True, exist_ok=True)
    replace_file(run.config, yaml.safe_dump(wanted, sort_keys=False, allow_unicode=True))
    return run


def replace_file(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def first_difference(old: Any, new: Any, key: str = "") -> tuple[str, Any, Any] | None:
    """The first place where two plain structures differ: dotted key, old and new value."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in [*old, *(name for name in new if name not in old)]:
            inner = f"{key}.{name}" if key else str(name)
            found = first_difference(old.get(name), new.get(name), inner)
            if found is not None:
                return found
        return None
    return None if old == new else (key, old, new)


def _check_same(old: Mapping[str, Any], new: Mapping[str, Any], run: RunDirectory) -> None:
    kept = {name: value for name, value in old.items() if name not in CHANGEABLE}
    asked = {name: value for name, value in new.items() if name not in CHANGEABLE}
    found = first_difference(kept, asked)
    if found is not None:
        key, before, now = found
        raise UserError(
            f"{key} is {_shown(before)} in this run but {_shown(now)} now",
            where=str(run.config),
            remedy="give the new search another name=..., or the old value",
        )


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _read(path: Path) -> Mapping[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UserError("is not YAML", where=str(path), remedy="choose another name") from error
    if not isinstance(data, Mapping):
        raise UserError("is not an experiment", where=str(path), remedy="choose another name")
    return data
