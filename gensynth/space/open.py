"""The open space: a prototype, and what a person marked as varying in it."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from pydantic import BeforeValidator, Field

from gensynth.errors import UserError
from gensynth.genome import Genome
from gensynth.prototype import Blueprint, Classes, Mark
from gensynth.space.choosing import MISFIT, Chooser, Value, suggested
from gensynth.space.kinds import SPACES, SpaceConfig
from gensynth.validation import alternatives

_MARK_KEYS = Mark.model_fields.keys()


def _flat(written: Any, prefix: str = "") -> Any:
    """Places by their whole name, also where a dot was taken for a mapping in a mapping."""
    if not isinstance(written, Mapping):
        return written
    found: dict[str, Any] = {}
    for key, value in written.items():
        place = f"{prefix}{key}"
        if isinstance(value, Mapping) and not _MARK_KEYS & value.keys():
            found |= _flat(value, f"{place}.")
        else:
            found[place] = value
    return found


def _as_mark(written: Any) -> Any:
    return {"choices": written} if isinstance(written, list | tuple) else written


@SPACES.register
class OpenConfig(SpaceConfig):
    """What may be changed about a prototype, beside what it marks itself.

    Attributes:
        ranges: By place (``stage2.kernel``) or pattern of places (``stage*.kernel``), what the
            value can be: a list of choices, or a mapping as a prototype has it
            (:mod:`gensynth.prototype`), without a start, which is the prototype's own value. Of
            several patterns that match a place the last counts; it comes before the prototype's
            own mark.
    """

    kind: Literal["open"] = "open"
    ranges: Annotated[
        dict[str, Annotated[Mark, BeforeValidator(_as_mark)]], BeforeValidator(_flat)
    ] = Field(default_factory=dict)

    def around(self, prototype: Mapping[str, Any], classes: Classes | None) -> Open:
        return Open(self, prototype, classes)


class Open:
    """Whatever a person marked in a prototype, one decision a mark.

    Nothing is known of the space but its marks, so nothing is proven of it: a bound that no network
    of it meets shows by all draws being refused. A point at which the shapes do not fit is refused
    too: the space then gives φ with the reason in its provenance, under ``misfit``.

    Args:
        config: Marks beside those in the prototype.
        prototype: φ, as read from YAML.
        classes: Classes to tell apart, or the size of each head; φ's own when None.

    Raises:
        UserError: If φ is no network or not within its marks, nothing varies, or a pattern of
            ``ranges`` matches no place.
    """

    name = "open"

    def __init__(
        self, config: OpenConfig, prototype: Mapping[str, Any], classes: Classes | None = None
    ) -> None:
        self.config = config
        self._unmet = set(config.ranges)
        self._blueprint = Blueprint(
            prototype, classes, ranges=self._range if config.ranges else None
        )
        self._phi = self._blueprint.expand()
        marks = self._blueprint.marks
        self._check(marks)
        varying = {place: mark for place, mark in marks.items() if not mark.single}
        self.distributions: Mapping[str, BaseDistribution] = {
            place: _distribution(mark) for place, mark in varying.items()
        }
        self.start: Mapping[str, Value] = {place: _start(mark) for place, mark in varying.items()}
        self._output = self._output_shapes(self._phi)

    def complete(self, decisions: Mapping[str, Value]) -> dict[str, Value]:
        """The decisions, with φ's value for every name that they leave out."""
        return {**self.start, **decisions}

    def extremes(self) -> Mapping[str, tuple[Genome, Genome]]:
        """Nothing is proven of an open space."""
        return {}

    def __call__(self, chooser: Chooser) -> Genome:
        """Asks for decisions and builds their network.

        Args:
            chooser: Decides.

        Returns:
            The genome; φ, marked as a misfit, where the shapes do not fit.
        """
        try:
            genome = self._blueprint.expand(lambda place, mark: self._ask(chooser, place, mark))
            if self._output_shapes(genome) != self._output:
                raise UserError("the output has another shape than the prototype's")
        except UserError as error:
            return self._phi.described(name=self.name, space=self.name, **{MISFIT: str(error)})
        return genome.described(name=self.name, space=self.name)

    def _ask(self, chooser: Chooser, place: str, mark: Mark) -> Value:
        distribution = self.distributions.get(place)
        if distribution is None:
            return _start(mark)
        value: Value = suggested(chooser, place, distribution)
        return value

    def _range(self, place: str) -> Mark | None:
        found = None
        for pattern, mark in self.config.ranges.items():
            if fnmatchcase(place, pattern):
                self._unmet.discard(pattern)
                found = mark
        return found

    def _check(self, marks: Mapping[str, Mark]) -> None:
        for pattern in sorted(self._unmet):
            raise UserError(
                "the prototype has no such value",
                where=f"search_space: ranges.{pattern}",
                remedy=alternatives(pattern, marks),
            )
        if all(mark.single for mark in marks.values()):
            raise UserError(
                "nothing varies",
                where=f"prototype {self._phi.name} in the search space open",
                remedy="mark values in the prototype, as {start: 3, choices: [3, 5]}, or name "
                "their places under search_space.ranges",
            )

    @staticmethod
    def _output_shapes(genome: Genome) -> dict[str, tuple[int, ...]]:
        return {name: genome.shapes[node] for name, node in genome.outputs.items()}


def _start(mark: Mark) -> Value:
    assert mark.start is not None
    assert not isinstance(mark.start, tuple)
    return mark.start


def _distribution(mark: Mark) -> BaseDistribution:
    if mark.choices is not None:
        return CategoricalDistribution(mark.choices)
    assert mark.low is not None
    assert mark.high is not None
    if mark.whole:
        return IntDistribution(int(mark.low), int(mark.high), mark.log, int(mark.step or 1))
    return FloatDistribution(float(mark.low), float(mark.high), mark.log, mark.step)
