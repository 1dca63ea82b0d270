"""A sampler as a search asks it: any sampler of Optuna.

A search asks a :class:`Proposer` and nothing else. Most samplers need no more than the one here; a
sampler that can do more has a proposer of its own, which :func:`proposer` finds by the sampler's
class (:mod:`~gensynth.search.generative` registers that of this package's).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import singledispatch

from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial

from gensynth.errors import GensynthError, UserError, first_line
from gensynth.seams import optuna as private
from gensynth.search.one_objective import OneObjective, takes_several_objectives
from gensynth.search.preparation import Proposal, Setting
from gensynth.search.run_directory import RunDirectory
from gensynth.search.study import SearchStudy


class Proposer:
    """A sampler as a search asks it.

    Args:
        sampler: Any sampler.

    Attributes:
        sampler: What the study is opened with.
    """

    def __init__(self, sampler: BaseSampler) -> None:
        self.name = type(sampler).__name__
        several = takes_several_objectives(sampler)
        self.sampler = sampler if several else OneObjective(sampler)

    def refused(self, trial: FrozenTrial) -> Mapping[str, int]:
        """Networks that the sampler itself refused for a trial, by bound; they had no trial."""
        return {}

    def prototype_first(self, setting: Setting) -> bool:
        """Whether φ is to be the first candidate."""
        return True

    def ask(self, study: Study) -> Trial:
        """A new trial.

        Raises:
            Unsatisfiable: If the sampler knows that there is no network left to propose.
            UserError: If the sampler cannot propose one.
        """
        with self._blamed():
            return study.ask()

    def adopt(self, study: Study, trial: FrozenTrial) -> Trial:
        """A trial that an earlier process left unfinished, with the decisions that it had.

        Raises:
            UserError: If the sampler cannot propose what it lacks.
        """
        with self._blamed():
            return private.adopted(study, trial)

    def build(self, setting: Setting, trial: Trial) -> Proposal:
        """The network of a new trial.

        Raises:
            UserError: If the sampler cannot answer what the space asks.
        """
        with self._blamed():
            return setting.propose(trial)

    def follow(self, setting: Setting, study: SearchStudy, directory: RunDirectory) -> Follower:
        """Who writes down what the sampler learns."""
        return Follower()

    def _blamed(self) -> AbstractContextManager[None]:
        """Turns what goes wrong in a stranger's sampler into one line."""
        return _blaming(self.name)


class Follower:
    """Writes down what a sampler learns; this one nothing."""

    def keep(self) -> None:
        """Outcomes were told: keeps what has changed."""

    def judge(self) -> bool:
        """Does one piece of what is to be done at the end; returns whether there is more."""
        return False

    def finish(self) -> list[str]:
        """Does the rest of it; returns the files, relative to the run."""
        return []


@singledispatch
def proposer(sampler: BaseSampler) -> Proposer:
    """The proposer of a sampler; ``proposer.register`` adds one for another class."""
    return Proposer(sampler)


@contextmanager
def _blaming(name: str) -> Iterator[None]:
    try:
        yield
    except GensynthError:
        raise
    except ImportError as error:
        raise UserError(
            f"{name} needs the package {error.name or first_line(error)}",
            where="sampler",
            remedy=f"pip install {error.name}" if error.name else "install it",
        ) from error
    except Exception as error:
        raise UserError(
            f"{name} cannot search this space: {first_line(error)}",
            where="sampler",
            remedy="choose another sampler",
        ) from error
