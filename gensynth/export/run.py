"""A run directory as a search leaves it, or as it stands while the search goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from optuna.trial import FrozenTrial

from gensynth import genome as genomes
from gensynth.errors import UserError, first_line
from gensynth.genome import Genome
from gensynth.indicator import Indicator
from gensynth.reading import read_yaml
from gensynth.search.results import FILE, FoundNetwork, Results, best, load_results
from gensynth.search.storage import storage
from gensynth.search.study import genome_hash_of, outcomes_of, outputs_of, was_trained
from gensynth.search.verdict import Verdict
from gensynth.space import decode, load_space
from gensynth.storage_url import absolute, public
from gensynth.task import TASKS, Classification, Task
from gensynth.validation import validate

if TYPE_CHECKING:
    from pandas import DataFrame

CONFIG = "config.yaml"
STUDY = "study.db"


@dataclass(frozen=True)
class Design:
    """A network that a search found.

    Attributes:
        figures: What the results say of it.
        genome: The network.
    """

    figures: FoundNetwork
    genome: Genome

    def _repr_svg_(self) -> str:
        return self.genome._repr_svg_()


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
        config = read_yaml(path)
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

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.path.resolve().name

    @property
    def constraint(self) -> Indicator:
        """The indicator function 1_r, known from the start."""
        where = f"{self.path / CONFIG}: constraint"
        return validate(Indicator, self.config.get("constraint"), where=where)

    @property
    def searched(self) -> Indicator:
        """1_r as the search judged candidates: with the margin of its fidelity."""
        margin = dict(self.config.get("fidelity") or {}).get("margin", 0.0)
        return self.constraint.tightened(margin, self.task)

    @property
    def task(self) -> Task:
        """What networks are asked; in the runs of earlier versions which class an image is of."""
        if "task" not in self.config:
            return Classification()
        task, where = self._part("task"), f"{self.path / CONFIG}: task"
        return validate(TASKS.find(str(task.get("kind")), where=where), task, where=where)

    @property
    def synthetic(self) -> bool:
        """Whether the data is drawn."""
        return dict(self.config.get("data") or {}).get("kind") == "synthetic"

    @cached_property
    def study(self) -> optuna.Study:
        """The Optuna study that the search wrote.

        Raises:
            UserError: If there is none.
        """
        url = self.storage_url
        try:
            found = storage(url, readonly=True)
            names = optuna.get_all_study_names(found)
            chosen = names[0] if len(names) == 1 else self.name
            return optuna.load_study(study_name=chosen, storage=found)
        except KeyError as error:
            raise UserError("holds no study of this run", where=public(url)) from error
        except Exception as error:
            raise UserError(
                f"cannot be read ({first_line(error)})",
                where=public(url),
                remedy="is the storage of the run at hand? a password comes from PGPASSWORD",
            ) from error

    @property
    def storage_url(self) -> str:
        """Where the study is kept.

        Raises:
            UserError: If that is the run directory and there is none.
        """
        url = self.config.get("storage")
        if url:
            return absolute(str(url))
        path = self.path / STUDY
        if not path.is_file():
            raise UserError(f"has no {STUDY} yet", where=str(self.path), remedy="start the search")
        return f"sqlite:///{path.resolve()}"

    @property
    def front(self) -> DataFrame:
        """The networks of the results, one a row by trial, their figures in dotted columns.

        Raises:
            UserError: As :attr:`results`.
        """
        import pandas

        rows = [network.model_dump(mode="json") for network in self.results.networks]
        table = pandas.json_normalize(rows)
        return table.set_index("trial") if rows else table

    @property
    def best(self) -> Design | None:
        """The network to take, see :func:`gensynth.search.results.best`; None if none is feasible.

        Raises:
            UserError: As :attr:`results` and :meth:`genome`.
        """
        figures = best(self.results)
        return None if figures is None else Design(figures, self.genome(figures))

    def genome(self, network: FoundNetwork) -> Genome:
        """Reads a network of the front.

        Raises:
            GenomeError: If its file is not a network.
            UserError: If it is another network than the results say.
        """
        path = within(self.path, network.genome)
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
        listed = self._listed.get(trial)
        return self.genome(listed) if listed else self.decoded(self._trial(trial))

    def verdict(self, genome: Genome) -> Verdict:
        """What is known of whether one of the run's networks satisfies 1_r."""
        listed = {one.hash: one.verdict for one in self._listed.values()}
        found = {one.genome: one.verdict for one in outcomes_of(self.study)}
        return listed.get(genome.hash) or found[genome.hash]

    def prototype(self) -> Genome:
        """φ, which the search began with.

        Raises:
            UserError: If it cannot be built by this version.
        """
        prototype, space_config = self._part("prototype"), self._part("search_space")
        space = load_space(space_config, prototype, outputs_of(self.study))
        return decode(space, space.start)

    def genome_of(self, trial: FrozenTrial) -> Genome:
        """The network of a trial that was read from the study.

        Raises:
            UserError: As from :meth:`decoded`.
        """
        listed = self._listed.get(trial.number)
        return self.genome(listed) if listed else self.decoded(trial)

    def decoded(self, trial: FrozenTrial) -> Genome:
        """Builds the network that a trial's decisions stand for.

        Raises:
            UserError: If they stand for another one now than when it was trained.
        """
        built = self._build(trial.params)
        if built.hash != (genome_hash_of(trial) or built.hash):
            raise UserError(
                f"trial {trial.number} was another network than its decisions give now",
                where=str(self.path),
                remedy="use the version of gensynth that made the run",
            )
        return built.described(name=f"trial-{trial.number:04d}", run=self.name, trial=trial.number)

    @cached_property
    def _listed(self) -> Mapping[int, FoundNetwork]:
        """Networks of the results by trial; none while there are no results."""
        return {one.trial: one for one in self.results.networks} if self.finished else {}

    @cached_property
    def _build(self) -> Callable[[Mapping[str, Any]], Genome]:
        prototype, space_config = self._part("prototype"), self._part("search_space")
        space = load_space(space_config, prototype, outputs_of(self.study))
        return lambda decisions: decode(space, decisions)

    def _part(self, key: str) -> dict[str, Any]:
        part = self.config.get(key)
        if not isinstance(part, dict):
            raise UserError("is missing or no mapping", where=f"{self.path / CONFIG}: {key}")
        return part

    def _best(self) -> FoundNetwork:
        found = best(self.results)
        if found is None:
            files = [self.path / network.genome for network in self.results.networks]
            raise UserError(
                f"no network satisfies {self.results.constraint.name}",
                where=str(self.path),
                remedy=f"name the file of a network, such as {files[0]}"
                if files
                else "raise budget, or lower fidelity.rungs",
            )
        return found

    def _trial(self, number: int) -> FrozenTrial:
        trained = [trial for trial in self.study.trials if was_trained(trial)]
        for trial in trained:
            if trial.number == number:
                return trial
        raise UserError(
            f"has no trained trial {number}",
            where=str(self.path),
            remedy=f"there are {_listed([trial.number for trial in trained])}",
        )


def run_directories(runs: str | Path = "runs") -> list[Path]:
    """The run directories in a folder, the one that changed last first.

    Raises:
        UserError: If there is none.
    """
    found = [path for path in Path(runs).glob("*") if (path / CONFIG).is_file()]
    if not found:
        raise UserError("holds no run", where=str(runs), remedy="make one: gensynth search")
    return sorted(found, key=lambda path: (path / CONFIG).stat().st_mtime, reverse=True)


def newest(runs: str | Path = "runs") -> Path:
    """The run directory that changed last.

    Raises:
        UserError: If there is none.
    """
    return run_directories(runs)[0]


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


def within(folder: Path, name: str) -> Path:
    """A file of a run, which a stranger's ``results.json`` may name.

    Raises:
        UserError: If it lies elsewhere, also by a link.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UserError(
            f"names {name}, which lies outside the run",
            where=str(folder / FILE),
            remedy="put it in",
        )
    return path
