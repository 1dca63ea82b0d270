"""Regular expressions that somebody wrote, matched against names for a bounded time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import regex

from gensynth.data.dataset import DataError

Pattern = Any
"""A compiled pattern of ``regex``, which speaks Python's language and knows a time limit."""

SECONDS = 1.0
"""For one name; a pattern that does not backtrack takes microseconds."""

MOST_CHARACTERS = 1000


def compiled(pattern: str) -> Pattern:
    """The pattern, compiled.

    Raises:
        regex.error: If it is none.
    """
    if len(pattern) > MOST_CHARACTERS:
        raise regex.error(f"more than {MOST_CHARACTERS} characters")
    return regex.compile(pattern)


def search(pattern: Pattern, name: str, path: Path) -> Any:
    """The first match in a name, or None.

    Args:
        pattern: From :func:`compiled`.
        name: Where to look.
        path: The file, for the error.

    Raises:
        DataError: If it takes longer than ``SECONDS``.
    """
    try:
        return pattern.search(name, timeout=SECONDS)
    except TimeoutError as error:
        raise DataError(
            "the pattern tries too many ways to match this name",
            where=str(path),
            remedy="write data.pattern without a repetition within a repetition",
        ) from error
