"""A run directory as a search leaves it, or as it stands while the search goes on."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import optuna
import yaml

from gensynth import genome as genomes
from gensynth.errors import UserError
from gensynth.export.results import FILE, FoundNetwork, Results, best, load_results
from gensynth.genome import Genome
from gensynth.prototype import expand

CONFIG = "config.yaml"
STUDY = "study.db"


class Run:
    """Reads one run directory.

    Args:
        path: The directory.

    Raises:
        UserError: If it is no run directory.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not (self.path / CONFIG).is_file():
            raise UserError(
                f"not a run directory, it has no {CONFIG}",
                where=str(path),
                remedy="name a directory that gensynth search made",
            )

    @cached_property
    def config(self) -> dict[str, Any]:
        """The composed experiment, as run."""
        path = self.path / CONFIG
        try:
            config = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise UserError("cannot be read as YAML", where=str(path)) from error
        if not isinstance(config, dict):
            raise UserError("not a mapping", where=str(path))
        return config

    @property
    def finished(self) -> bool:
        """Whether there are results."""
        return (self.path / FILE).is_file()

    @cached_property
    def results(self) -> Results:
        """What the search found.

        Raises:
            UserError: If it has not got that far.
        """
        if not self.finished:
            raise UserError(
                f"has no {FILE} yet",
                where=str(self.path),
                remedy="let the search end; the same command goes on where it stopped",
            )
        return load_results(self.path / FILE)

    @cached_property
    def study(self) -> optuna.Study:
        """The Optuna study that the search wrote.

        Raises:
            UserError: If there is none.
        """
        url = self.storage_url
        try:
            names = optuna.get_all_study_names(url)
            name = self.config.get("name") or self.path.name
            chosen = names[0] if len(names) == 1 else str(name)
            return optuna.load_study(study_name=chosen, storage=url)
        except KeyError as error:
            raise UserError("holds no study of this run", where=url) from error

    @property
    def storage_url(self) -> str:
        """Where the study is kept.

        Raises:
            UserError: If that is the run directory and there is none.
        """
        url = self.config.get("storage")
        if url:
            return str(url)
        path = self.path / STUDY
        if not path.is_file():
            raise UserError(f"has no {STUDY} yet", where=str(self.path), remedy="start the search")
        return f"sqlite:///{path.resolve()}"

    def genome(self, network: FoundNetwork) -> Genome:
        """Reads a network of the front.

        Raises:
            GenomeError: If its file is not a network.
            UserError: If it is another network than the results say.
        """
        path = self.path / network.genome
        found = genomes.load(path)
        if found.hash != network.hash:
            raise UserError(f"is not the network that {FILE} lists", where=str(path))
        return found

    def trial_genome(self, trial: int | None = None) -> Genome:
        """The network of one trial.

        Args:
            trial: Its number; None for the best network of the results.

        Raises:
            UserError: If the trial is unknown, naming those that there are, or if no network is
                feasible.
        """
        if trial is None:
            return self.genome(self._best())
        if self.finished:
            for network in self.results.networks:
                if network.trial == trial:
                    return self.genome(network)
        return self.decoded(self._trial(trial))

    def decoded(self, trial: optuna.trial.FrozenTrial) -> Genome:
        """Builds the network that a trial's decisions stand for."""
        from gensynth.space import decode

        built = decode(self._space, trial.params)
        return built.described(
            name=f"trial-{trial.number:04d}", run=str(self.config.get("name")), trial=trial.number
        )

    @cached_property
    def _space(self) -> Any:
        from gensynth.space import load_space

        prototype = self.config["prototype"]
        return load_space(self.config["search_space"], prototype, expand(prototype))

    def _best(self) -> FoundNetwork:
        found = best(self.results)
        if found is None:
            trials = _listed([network.trial for network in self.results.networks])
            raise UserError(
                f"no network satisfies {self.results.constraint.name}",
                where=str(self.path),
                remedy=f"name a trial with --trial: {trials}",
            )
        return found

    def _trial(self, number: int) -> optuna.trial.FrozenTrial:
        trained = [trial for trial in self.study.trials if trial.user_attrs.get("genome")]
        for trial in trained:
            if trial.number == number:
                return trial
        raise UserError(
            f"has no trained trial {number}",
            where=str(self.path),
            remedy=f"there are {_listed([trial.number for trial in trained])}",
        )


def newest(runs: str | Path = "runs") -> Path:
    """The run directory that changed last.

    Raises:
        UserError: If there is none.
    """
    found = [path for path in Path(runs).glob("*") if (path / CONFIG).is_file()]
    if not found:
        raise UserError("holds no run", where=str(runs), remedy="make one: make search")
    return max(found, key=lambda path: (path / CONFIG).stat().st_mtime)


def _listed(numbers: list[int]) -> str:
    """Trial numbers as a short list: ``0-4, 7, 9``."""
    pieces: list[list[int]] = []
    for number in sorted(set(numbers)):
        if pieces and number == pieces[-1][-1] + 1:
            pieces[-1].append(number)
        else:
            pieces.append([number])
    words = [f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in pieces]
    return ", ".join(words) or "none"
