"""A run directory: which experiment it belongs to, and where its files are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gensynth.errors import UserError
from gensynth.execution.files import first_difference, make_folder, replace_file
from gensynth.execution.journal import Journal
from gensynth.experiment import Experiment
from gensynth.reading import read_yaml
from gensynth.storage_url import absolute, public

CHANGEABLE = ("budget", "workers", "gpus_per_worker", "ray_address", "runs", "name")
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

    def remove(self) -> None:
        """Removes the files that a run has before it trains anything, and the directory."""
        shutil.rmtree(self.generators, ignore_errors=True)
        for path in (*self.path.glob(f"{self.study.name}*"), self.config, self.journal):
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self.path.rmdir()


def run_directory(experiment: Experiment) -> RunDirectory:
    """The directory of an experiment, which may not exist yet."""
    return RunDirectory(Path(experiment.runs) / experiment.label)


@contextmanager
def open_run(experiment: Experiment) -> Iterator[tuple[RunDirectory, Journal]]:
    """Opens the directory of an experiment, or makes it, and owns it for the duration.

    A run that a person's mistake ends before the first fold is trained leaves nothing behind, so
    that the corrected command finds its name free.

    Yields:
        The directory and its journal.

    Raises:
        UserError: If another process has it, or it belongs to another experiment, naming the first
            key that differs, or it is something else or cannot be made.
    """
    run = run_directory(experiment)
    wanted = _kept(experiment)
    if not run.config.exists() and run.path.exists():
        _refuse_foreign(run)
    make_folder(run.path, remedy="give runs=DIR a folder that can be written to")
    with Journal(run.journal) as journal:
        written = yaml.safe_dump(wanted, sort_keys=False, allow_unicode=True)
        if not journal and _is_torn(run.config, written):
            run.config.unlink()
        new = not run.config.exists()
        if not new:
            _check_same(_from_anywhere(_read(run.config)), wanted, run)
        replace_file(run.config, written)
        try:
            yield run, journal
        except UserError:
            if new and not journal:
                run.remove()
            raise


def _kept(experiment: Experiment) -> dict[str, Any]:
    """An experiment as its run keeps it: without the password of its storage."""
    storage = experiment.storage
    kept = experiment.model_dump(mode="json")
    return kept if storage is None else {**kept, "storage": public(storage)}


def _from_anywhere(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an earlier version kept as it was written is compared as it is read now."""
    url = config.get("storage")
    return {**config, "storage": absolute(url)} if isinstance(url, str) else config


def _refuse_foreign(run: RunDirectory) -> None:
    if any(not _is_left_over(path, run) for path in run.path.iterdir()):
        raise UserError(
            "is not a run directory but is not empty",
            where=str(run.path),
            remedy="choose another name",
        )


def _is_left_over(path: Path, run: RunDirectory) -> bool:
    """Whether a run that ended before it had trained anything can have left a file."""
    empty = path == run.journal and not path.stat().st_size
    return empty or (path.name.startswith(".") and path.name.endswith(".new"))


def _is_torn(path: Path, whole: str) -> bool:
    """Whether a file holds the beginning of what was to be written, and no more."""
    with suppress(OSError, UnicodeDecodeError):
        text = path.read_text(encoding="utf-8")
        return whole != text and whole.startswith(text)
    return False


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
    data = read_yaml(path)
    if not isinstance(data, Mapping):
        raise UserError("is not an experiment", where=str(path), remedy="choose another name")
    return data
