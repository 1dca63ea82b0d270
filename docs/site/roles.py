"""Docstrings as Markdown: Sphinx's roles become code, its tables and literal blocks plain ones."""

from __future__ import annotations

import re
from textwrap import indent
from typing import Any

from griffe import Extension, Object

ROLE = re.compile(r":[a-z]+:`(?P<tilde>~?)(?P<target>[^`]+)`")

TABLE = re.compile(r"^(?P<rule>=+(?: +=+)+)\n.*^(?P=rule)$", re.MULTILINE | re.DOTALL)


class Roles(Extension):
    """Rewrites the docstring of every object that mkdocstrings collects."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Called by griffe for each module, class, function and attribute."""
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(docstring: str) -> str:
    """A docstring as Markdown.

    Args:
        docstring: With roles (``:class:`~optuna.Trial```), literal blocks (``::``) and tables.
    """
    plain = re.sub(r"::$", ":", ROLE.sub(_code, docstring), flags=re.MULTILINE)
    return TABLE.sub(lambda table: indent(table[0], "    "), plain)


def _code(role: re.Match[str]) -> str:
    target = role["target"]
    return f"`{target.rpartition('.')[2] if role['tilde'] else target}`"
