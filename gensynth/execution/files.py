"""Files that are written whole, and told apart by what they say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gensynth.errors import UserError


def replace_file(path: Path, text: str) -> None:
    """Writes a file whole or not at all, whatever happens to the machine meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def file_name(name: str) -> str:
    """What a file can be called after a network that anybody named: no folders, nothing hidden."""
    kept = "".join(letter if letter.isalnum() or letter in "-_.+ " else "_" for letter in name)
    return kept.strip(". ")[:100] or "network"


def make_folder(path: Path, *, remedy: str) -> None:
    """Makes a folder, and those above it, where it is missing.

    Args:
        path: The folder.
        remedy: What to do if it cannot be made.

    Raises:
        UserError: If it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot be made ({error.strerror})", where=str(path), remedy=remedy
        ) from error


def first_difference(old: Any, new: Any, key: str = "") -> tuple[str, Any, Any] | None:
    """The first place where two plain structures differ: dotted key, old and new value."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in [*old, *(name for name in new if name not in old)]:
            inner = f"{key}.{name}" if key else str(name)
            found = first_difference(old.get(name), new.get(name), inner)
            if found is not None:
                return found
        return None
    return None if old == new else (key, old, new)
