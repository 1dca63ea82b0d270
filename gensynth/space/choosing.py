"""What a search space asks, and what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from gensynth.genome import Genome

Value = bool | int | float | str
MISFIT = "misfit"
"""Where the provenance of a genome says why the point that it stands for is no network."""


class Chooser(Protocol):
    """Who decides: :class:`optuna.Trial` and anything that answers like one."""

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """Decides an integer from ``low`` to ``high``, both included."""
        ...

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Decides a number from ``low`` to ``high``, both included."""
        ...

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Decides for one of ``choices``."""
        ...


class Space(Protocol):
    """A search space around a prototype φ: a define-by-run function from decisions to a network.

    Which decisions it asks may depend on earlier answers, but a name always stands for one decision
    with one distribution, in every call.
    """

    @property
    def name(self) -> str:
        """The key of the space's points in the ``decisions`` of a prototype."""
        ...

    @property
    def distributions(self) -> Mapping[str, BaseDistribution]:
        """Every decision that a call may ask, with what it can be."""
        ...

    @property
    def start(self) -> Mapping[str, Value]:
        """φ: a value for every name in :attr:`distributions`, asked or not."""
        ...

    def complete(self, decisions: Mapping[str, Value]) -> dict[str, Value]:
        """The decisions, with a default for every name that they leave out."""
        ...

    def extremes(self) -> Mapping[str, tuple[Genome, Genome]]:
        """For a static metric, a network with the least and one with the greatest value.

        A metric of which neither is known is left out.
        """
        ...

    def __call__(self, chooser: Chooser) -> Genome:
        """Asks for decisions and builds their network.

        Where they make none it gives φ, with the reason in its provenance under ``MISFIT``; such a
        point is refused before anything is trained.
        """
        ...


def suggested(chooser: Chooser, name: str, distribution: BaseDistribution) -> Any:
    """What a chooser answers to a decision, whatever its distribution."""
    if isinstance(distribution, CategoricalDistribution):
        return chooser.suggest_categorical(name, distribution.choices)
    if isinstance(distribution, IntDistribution):
        return chooser.suggest_int(
            name, distribution.low, distribution.high, step=distribution.step, log=distribution.log
        )
    assert isinstance(distribution, FloatDistribution)
    return chooser.suggest_float(
        name, distribution.low, distribution.high, step=distribution.step, log=distribution.log
    )
