"""Errors that are meant for people.

Every mistake that a user can make ends as one :class:`UserError`: what is wrong, where, and what
to do about it. The command line prints it as a single line and exits with status 2.
"""

from __future__ import annotations


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
        super().__init__(" ".join(f"{prefix}{problem}{suffix}".split()))
