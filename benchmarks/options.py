"""What the command lines of several benchmarks have in common."""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel

from gensynth.errors import UserError
from gensynth.validation import validate

INTERRUPTED = 130
ModelT = TypeVar("ModelT", bound=BaseModel)


def specified(model: type[ModelT], path: Path) -> ModelT:
    """What a YAML file specifies.

    Raises:
        UserError: If it cannot be read or is no such thing.
    """
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"cannot be read ({error})", where=str(path)) from error
    return validate(model, written, where=str(path))


def add_data(parser: argparse.ArgumentParser) -> None:
    """Lets a command line say where images are and what else an experiment changes."""
    parser.add_argument(
        "--data-root", type=Path, metavar="DIR", help="folder of CK+48, or of another data="
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="of the experiment: data=ckplus, …"
    )


def overridden(options: argparse.Namespace) -> list[str]:
    """The overrides that :func:`add_data` let a command line say."""
    root = options.data_root
    rooted = [] if root is None else [f"data.root={json.dumps(str(root))}"]
    return [*options.overrides, *rooted]


def positive(text: str) -> int:
    """A whole number of at least 1.

    Raises:
        argparse.ArgumentTypeError: If it is less.
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def selected(known: Collection[str], names: str | None, *, what: str) -> list[str]:
    """The names in a list with commas; all of them without one.

    Args:
        known: Names that there are.
        names: The list.
        what: What is named, for the error.

    Raises:
        UserError: If there is no such name.
    """
    wanted = list(known) if names is None else names.split(",")
    for name in wanted:
        if name not in known:
            raise UserError(f"no {what} {name!r}", remedy=f"there are {', '.join(known)}")
    return wanted
