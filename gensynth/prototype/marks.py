"""Marks: what a value of a prototype could be instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gensynth.errors import UserError
from gensynth.validation import Location, validate

Value = bool | int | float | str
Finite = Annotated[float, Field(allow_inf_nan=False)]
Choose = Callable[[str, "Mark"], Value]
"""Decides, from the place of a value and what it can be."""

JOINED = "+"
MAX_READ = 7


class Mark(BaseModel):
    """What one value of a network can be: one of some, some of several, or within a range.

    Attributes:
        start: The prototype's own value; for ``any_of`` an id or a list of ids.
        choices: The values.
        any_of: Ids of earlier entries, of which any can be read, at least one; a value is their
            names joined by ``+``.
        low: Least value of a range.
        high: Greatest value, included. A range between whole numbers is one of whole numbers.
        step: Distance of neighbouring values; 1 for whole numbers, 0 for none.
        log: Whether values are spread evenly in their logarithm.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Value | tuple[str, ...] | None = None
    choices: Annotated[tuple[Value, ...], Field(min_length=1)] | None = None
    any_of: Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_READ)] | None = None
    low: int | Finite | None = None
    high: int | Finite | None = None
    step: int | Finite | None = None
    log: bool = False

    @model_validator(mode="after")
    def _says_one_thing(self) -> Mark:
        ranged = self.low is not None or self.high is not None
        if [self.choices is not None, self.any_of is not None, ranged].count(True) != 1:
            raise ValueError("write one of choices, any_of, or low and high")
        if ranged:
            self._check_range()
        elif self.step is not None or self.log:
            raise ValueError("step and log belong to a range from low to high")
        if self.any_of is not None:
            object.__setattr__(self, "choices", _subsets(self.any_of))
        object.__setattr__(self, "start", self._as_choice(self.start))
        if self.choices is not None:
            kinds = [(type(choice), choice) for choice in self.choices]
            if len(set(kinds)) < len(kinds):
                raise ValueError("a choice is given twice")
        if self.start is not None and not self.holds(self.start):
            raise ValueError(f"its start {self.start!r} is not {self.words}")
        return self

    def _check_range(self) -> None:
        if self.low is None or self.high is None:
            raise ValueError("a range has low and high")
        if self.low > self.high:
            raise ValueError(f"low {self.low} is greater than high {self.high}")
        if self.log and self.step is not None:
            raise ValueError("a logarithmic range has no step")
        if self.log and self.low <= 0:
            raise ValueError("a logarithmic range starts above 0")
        if self.step is not None and self.step <= 0:
            raise ValueError("a step is greater than 0")
        if self.step is not None:
            steps = (self.high - self.low) / self.step
            if abs(steps - round(steps)) > 1e-9:
                raise ValueError(f"steps of {self.step} from {self.low} do not meet {self.high}")

    @property
    def whole(self) -> bool:
        """Whether this is a range of whole numbers."""
        return (
            isinstance(self.low, int)
            and isinstance(self.high, int)
            and (self.step is None or isinstance(self.step, int))
        )

    @property
    def single(self) -> bool:
        """Whether there is only one value."""
        return len(self.choices) == 1 if self.choices is not None else self.low == self.high

    @property
    def words(self) -> str:
        """What the value can be, for errors."""
        if self.choices is not None:
            return "one of " + ", ".join(map(str, self.any_of or self.choices))
        step = f" in steps of {self.step}" if self.step is not None else ""
        return f"{'a whole number ' if self.whole else ''}from {self.low} to {self.high}{step}"

    @property
    def most(self) -> Value:
        """What makes the largest network: true, the greatest number, or else the first choice."""
        if self.choices is None:
            assert self.high is not None
            return self.high
        numbers = [choice for choice in self.choices if isinstance(choice, int | float)]
        return max(numbers) if numbers else self.choices[0]

    def holds(self, value: Any) -> bool:
        """Whether a value is one of those."""
        if self.choices is not None:
            return any(type(choice) is type(value) and choice == value for choice in self.choices)
        assert self.low is not None
        assert self.high is not None
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return False
        if not self.low <= value <= self.high:
            return False
        steps = (value - self.low) / (self.step or 1) if self.step or self.whole else 0.0
        return abs(steps - round(steps)) < 1e-9

    def starting(self, start: Any, *, where: str) -> Mark:
        """The same mark around another value.

        Raises:
            UserError: If it is not one of those.
        """
        value = self._as_choice(tuple(start) if isinstance(start, list) else start)
        if not self.holds(value):
            raise UserError(
                f"the prototype's {start!r} is not {self.words}",
                where=where,
                remedy="widen the range, or change the prototype",
            )
        return self.model_copy(update={"start": value})

    def _as_choice(self, start: Any) -> Any:
        """Ids of entries as the choice that stands for them, whatever their order."""
        names = start.split(JOINED) if isinstance(start, str) else start
        if not isinstance(names, list | tuple) or not all(isinstance(n, str) for n in names):
            return start
        if self.any_of is not None and set(names) <= set(self.any_of):
            names = [name for name in self.any_of if name in names]
        return JOINED.join(names)


def read_mark(written: Any, *, where: Location) -> Mark:
    """Reads a mark as a person writes it: a mapping, or just a list of choices.

    Raises:
        UserError: One line with the place.
    """
    if isinstance(written, list | tuple):
        written = {"choices": list(written)}
    if isinstance(written, Mapping) and isinstance(written.get("start"), list | tuple):
        written = {**written, "start": tuple(map(str, written["start"]))}
    return validate(Mark, written, where=where)


def _subsets(names: tuple[str, ...]) -> tuple[str, ...]:
    """Every non-empty set of names as one, fewest members first: a, b, a+b."""
    return tuple(
        JOINED.join(chosen)
        for size in range(1, len(names) + 1)
        for chosen in combinations(names, size)
    )
