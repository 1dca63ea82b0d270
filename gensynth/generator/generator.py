"""The generator G(s; θ): a seed in, the decisions of one network out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from optuna.distributions import BaseDistribution
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from gensynth.errors import UserError
from gensynth.generator.decisions import Categorical, Decision, Range, Value
from gensynth.generator.priors import prior
from gensynth.generator.tracing import Define, Trace, trace
from gensynth.reading import read_json
from gensynth.validation import validate

OutcomeT = TypeVar("OutcomeT")

MAX_BYTES = 16 * 2**20
MAX_DECISIONS = 10_000
"""Of a file, so that a stranger's cannot fill the memory; searches have tens of decisions."""
Name = Annotated[str, Field(max_length=1024)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Generator(BaseModel):
    """A distribution over networks, with a deterministic map from seeds to samples.

    Each decision has a distribution of its own. What depends on what is the space's to say: it
    asks in an order, and what was decided earlier chooses, through the name, what is asked next.
    The uniform number behind a decision is a hash of the seed and the decision's name. So a sample
    depends on nothing but the seed, θ and the space, and two generators that are given one seed
    differ only where their θ do.

    Attributes:
        iteration: Number of updates since G₀.
        trials: Number of finished trials that it has learned from.
        noise: Probability with which G₀ departs from a decision of the prototype.
        start: The prototype's decisions: the prior of decisions that θ does not hold.
        theta: Distribution of each decision met so far.
        space: The search space, as configured.
        prototype: The prototype, as configured.
        classes: Number of classes that its networks tell apart, or the size of each head.
        constraint: The indicator function, as configured.
        seeds: Held-out seeds [first, end) behind the figures below.
        static_feasible: Share of their samples that meet every static bound, nothing refused.
        predicted_feasible: Their mean predicted probability of meeting every bound.
        mean_performance: Their mean predicted performance, in the unit of U.
        unique: Share of different networks among them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["gensynth.generator"] = "gensynth.generator"
    version: Literal[1] = 1
    iteration: Annotated[int, Field(ge=0)] = 0
    trials: Annotated[int, Field(ge=0)] = 0
    noise: Annotated[float, Field(gt=0, lt=1)] = 0.25
    start: Annotated[Mapping[Name, Value], Field(max_length=MAX_DECISIONS)] = {}
    theta: Annotated[dict[Name, Decision], Field(max_length=MAX_DECISIONS)] = {}
    space: JsonValue = None
    prototype: JsonValue = None
    classes: Annotated[int, Field(ge=1)] | dict[str, Annotated[int, Field(ge=1)]] | None = None
    constraint: JsonValue = None
    seeds: tuple[int, int] | None = None
    static_feasible: Share | None = None
    predicted_feasible: Share | None = None
    mean_performance: Finite | None = None
    unique: Share | None = None

    @cached_property
    def _met(self) -> dict[str, tuple[BaseDistribution, Categorical | Range]]:
        return {}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some attributes changed and nothing else remembered."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("_met", None)
        return copy

    def decision(self, name: str, distribution: BaseDistribution) -> Categorical | Range:
        """The distribution of one decision: θ's, or the prior where θ holds none that fits.

        Raises:
            UserError: If the prototype's value is not among those offered, or a choice is not
                None, a boolean, a number or a string.
        """
        met = self._met.get(name)
        if met is not None and met[0] is distribution:
            return met[1]
        known = self.theta.get(name)
        if known is None or not known.matches(distribution):
            known = prior(
                distribution,
                start=self.start.get(name),
                started=name in self.start,
                noise=self.noise,
            )
        self._met[name] = (distribution, known)
        return known

    def draw(self, seed: int, name: str, distribution: BaseDistribution) -> Value:
        """The value of one decision in the sample of ``seed``."""
        return self.decision(name, distribution).quantile(uniform(seed, name))

    def sample(self, seed: int, define: Define[OutcomeT]) -> Trace[OutcomeT]:
        """G(s): the decisions of one network, and the network.

        Args:
            seed: The seed s.
            define: The define-by-run space.

        Returns:
            The decisions in the order in which they were asked for, and what ``define`` returned.
        """
        return trace(define, lambda name, distribution: self.draw(seed, name, distribution))

    def meeting(self, distributions: Mapping[str, BaseDistribution]) -> Generator:
        """The same generator with θ written out for these decisions too."""
        fitting = {
            name: self.decision(name, distribution) for name, distribution in distributions.items()
        }
        if all(self.theta.get(name) is decision for name, decision in fitting.items()):
            return self
        return self.model_copy(update={"theta": {**self.theta, **fitting}})

    def save(self, path: str | Path) -> None:
        """Writes a generator file: JSON, one line a decision.

        Raises:
            UserError: If the file cannot be written.
        """
        data = self.model_dump(mode="json")
        theta = ",\n    ".join(
            f"{json.dumps(name)}: {json.dumps(decision)}"
            for name, decision in data.pop("theta").items()
        )
        lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in data.items()]
        lines.append(f'  "theta": {{\n    {theta}\n  }}')
        try:
            Path(path).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
        except OSError as error:
            raise UserError(f"cannot be written ({error.strerror})", where=str(path)) from error

    @classmethod
    def load(cls, path: str | Path) -> Generator:
        """Reads a generator file, whoever wrote it.

        Raises:
            UserError: One line that names the file, the key and what is wrong.
        """
        where = str(path)
        return validate(cls, read_json(path, most=MAX_BYTES), where=where)


def uniform(seed: int, name: str) -> float:
    """A number in [0, 1) that a seed and a name stand for."""
    digest = blake2b(f"{seed}:{name}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) * 2.0**-53
