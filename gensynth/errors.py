"""Errors that are meant for people.

Every mistake that a user can make ends as one :class:`UserError`: what is wrong, where, and what
to do about it. The command line prints it as a single line and exits with status 2.
"""

from __future__ import annotations

MAX_LINE = 1000


class GensynthError(Exception):
    """Base class of every error that gensynth raises on purpose."""


class UserError(GensynthError):
    """A mistake in something a person wrote: a file, a key, an option.

    Args:
        problem: What is wrong, as a clause without a full stop.
        where: The file, and the key in it, if there is one.
        remedy: What to do about it.
    """

    def __init__(self, problem: str, *, where: str = "", remedy: str = "") -> None:
        self.problem = problem
        self.where = where
        self.remedy = remedy
        prefix = f"{where}: " if where else ""
        suffix = f"; {remedy}" if remedy else ""
        super().__init__(_one_line(f"{prefix}{problem}{suffix}"))


def first_line(error: BaseException) -> str:
    """What an error of a library says, as a clause: its first line, or else its kind."""
    lines = [line.strip(" .") for line in str(error).splitlines() if line.strip(" .")]
    return lines[0] if lines else type(error).__name__


def printable(text: str) -> str:
    """The text without controls of the terminal and without what no encoding can write."""
    return "".join(letter for letter in text if letter.isprintable())


def _one_line(text: str) -> str:
    """The text without line breaks, terminal controls and endless names from a stranger's file."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}…"
