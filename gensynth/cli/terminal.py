"""What reaches the terminal: names as they are, never as somebody's markup or control sequences."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from gensynth.errors import printable


class Terminal(Console):
    """Rich's console, for which a text is a text: ``[/b]`` is four characters and so is an escape.

    Args:
        options: As Rich's console has them.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"highlight": False, "markup": False, "emoji": False, **options})

    def render_str(self, text: str, **options: Any) -> Text:
        """Every string comes through here: what is printed, cells, titles and captions."""
        return super().render_str(plain(text), **options)


def plain(text: object) -> str:
    """A text without control characters other than the ends of its lines."""
    return "\n".join(map(printable, str(text).split("\n")))


def say(text: object, *, err: bool = False) -> None:
    """Writes a text and the end of a line.

    Args:
        text: What to say; names in it may be anybody's.
        err: To stderr.
    """
    typer.echo(plain(text), err=err)
