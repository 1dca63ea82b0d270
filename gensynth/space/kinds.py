"""Kinds of search spaces, by the ``kind`` that a file in ``search_spaces/`` names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict

from gensynth.prototype import Classes
from gensynth.registry import Models
from gensynth.space.choosing import Space


class SpaceConfig(BaseModel, ABC):
    """What is written of a search space.

    A subclass names its kind by a field ``kind``, has what may be written as further fields, and
    makes the space::

        @SPACES.register
        class Widths(SpaceConfig):
            kind: Literal["widths"] = "widths"
            most: int

            def around(self, prototype, classes): return WidthSpace(self.most, prototype, classes)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def around(self, prototype: Mapping[str, Any], classes: Classes | None) -> Space:
        """The space around a prototype.

        Args:
            prototype: φ, as read from a file in ``prototypes/``.
            classes: Classes to tell apart, or the size of each head; φ's own when None.

        Raises:
            UserError: One line with the key, if φ is no point of the space.
        """


SPACES: Models[SpaceConfig] = Models("search space", "gensynth.spaces", tag="kind")
"""Every kind of search space by its name."""

AnySpace = Annotated[SpaceConfig, SPACES]
"""What is written of a space of any registered kind, as the type of a field."""
