"""From what people write to a search space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from gensynth.prototype import Classes
from gensynth.space.choosing import Space
from gensynth.space.kinds import AnySpace, SpaceConfig
from gensynth.validation import validate


class _Holder(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    search_space: AnySpace


def check_ranges(
    search_space: Mapping[str, Any], *, locate: Callable[[str], str] | None = None
) -> SpaceConfig:
    """Checks what is written of a search space, without a prototype.

    Args:
        search_space: The space, as read from a file in ``search_spaces/``.
        locate: From a dotted key, ``search_space.width``, to what an error calls the place.

    Returns:
        What is written, by the space's kind.

    Raises:
        UserError: One line with the place: an unknown kind, a wrong key or range.
    """
    return validate(_Holder, {"search_space": search_space}, where=locate or "").search_space


def load_space(
    search_space: Mapping[str, Any], prototype: Mapping[str, Any], classes: Classes | None = None
) -> Space:
    """Makes a search space around a prototype.

    Args:
        search_space: The space, as read from a file in ``search_spaces/``.
        prototype: φ, as read from a file in ``prototypes/``.
        classes: Classes to tell apart, or the size of each head; φ's own when None.

    Returns:
        The space; its ``start`` is φ.

    Raises:
        UserError: One line with the key: a wrong key or range, a prototype that is no point of the
            space.
    """
    return check_ranges(search_space).around(prototype, classes)
