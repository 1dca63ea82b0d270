"""A prototype as written; the package's documentation says what its keys mean."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from gensynth.genome import Count

EntryId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_\-]{0,31}$")]


Classes = Count | Annotated[dict[EntryId, Count], Field(min_length=1)]
"""How many values a network gives; or how many each of its heads gives, by its name."""


class Template(BaseModel):
    """A chain with parameters, to be used many times.

    Attributes:
        parameters: Defaults by name; a parameter without one has to be given.
        network: The chain.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameters: dict[str, Any] = Field(default_factory=dict)
    network: Annotated[list[dict[str, Any]], Field(min_length=1)]


class Prototype(BaseModel):
    """A prototype.

    Attributes:
        name: Its name.
        input: Channels, height and width.
        classes: Value of ``$classes``, unless the data say otherwise. With several heads, a value
            for each: what reads ``$classes``, and all that follows, is there once for each.
        parameters: Values that are known everywhere, by name.
        modules: Templates by name.
        network: The chain.
        outputs: Entries by output; the last entry is the only one when empty.
        decisions: The point that it is, by search space.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=256)]
    input: tuple[Count, Count, Count]
    classes: Classes = 7
    parameters: dict[EntryId, Any] = Field(default_factory=dict)
    modules: dict[EntryId, Template] = Field(default_factory=dict)
    network: Annotated[list[dict[str, Any]], Field(min_length=1)]
    outputs: dict[str, str] = Field(default_factory=dict)
    decisions: dict[str, dict[str, Any]] = Field(default_factory=dict)
