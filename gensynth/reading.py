"""Reads files that anybody may have written: bounded in size, depth and digits, or one line why.

Every reader of JSON and YAML in the package goes through here, so that none of them lists on its
own what a parser can raise. What comes out is plain data (mappings, lists, strings, numbers, truth
values and None) of bounded size; the room that asked for it checks what it means.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import yaml

from gensynth.errors import UserError, first_line

MOST_JSON = 16 * 2**20
MOST_YAML = 2**20
"""Bytes of a file. The largest that gensynth writes take a twentieth of it."""

MOST_LINE = 8 * 2**20
MOST_LINES = 4 * 2**30
"""Bytes of a line of a file of lines, and of all of them; they are read one at a time."""

MOST_DEPTH = 64
"""Values within values."""

MOST_VALUES = 200_000
"""Values that a YAML file stands for, with those that its aliases repeat."""

MOST_DIGITS = 400
"""Characters of a number; the longest that Python writes of a float has 326."""

T = TypeVar("T")
_EVENTS = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LONG = re.compile(rf"[0-9]{{{MOST_DIGITS + 1}}}")
_NUMBER = re.compile(r"[-+.0-9][-+.:_0-9a-fA-FxXoO]*")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_bytes(path: str | Path, *, most: int = MOST_JSON, where: str = "") -> bytes:
    """Reads a regular file.

    Args:
        path: The file. A pipe, a device or a folder is refused without waiting for it.
        most: Bytes that it may have.
        where: How errors name it; by its path when empty.

    Raises:
        UserError: It is missing, larger, or no regular file.
    """
    where = where or str(path)
    with _opened(path, most, where) as file:
        content = file.read(most + 1)
        if len(content) > most:
            raise UserError(f"has more than {most} bytes", where=where)
        return content


def read_text(path: str | Path, *, most: int = MOST_JSON, where: str = "") -> str:
    """Reads a regular file as UTF-8; raises as :func:`read_bytes`, and for other bytes."""
    where = where or str(path)
    return _decoded(read_bytes(path, most=most, where=where), where)


def read_json(path: str | Path, *, most: int = MOST_JSON, strict: bool = False) -> Any:
    """Reads a JSON file.

    Args:
        path: The file.
        most: Bytes that it may have.
        strict: As in :func:`parse_json`.

    Raises:
        UserError: As :func:`read_text` and :func:`parse_json`.
    """
    return parse_json(read_text(path, most=most), where=str(path), strict=strict)


def read_yaml(path: str | Path, *, most: int = MOST_YAML) -> Any:
    """Reads a YAML file; raises as :func:`read_text` and :func:`check_yaml`."""
    text = read_text(path, most=most)
    check_yaml(text, where=str(path))
    return parsed("YAML", str(path), lambda: yaml.safe_load(text))


def read_lines(path: str | Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that may be long, one at a time, numbered from 1.

    Raises:
        UserError: As :func:`read_bytes`, or for a line of more than ``MOST_LINE`` bytes.
    """
    with _opened(path, MOST_LINES, str(path)) as file:
        number = 0
        while line := file.readline(MOST_LINE + 1):
            number += 1
            if len(line) > MOST_LINE:
                raise UserError(f"has more than {MOST_LINE} bytes", where=f"{path}:{number}")
            yield number, line


def parse_json(text: str, *, where: str, strict: bool = False) -> Any:
    """Parses JSON.

    Args:
        text: The JSON.
        where: The file, for errors.
        strict: Refuse what Python takes and JSON does not have: a key twice in one object, NaN and
            infinities.

    Raises:
        UserError: It is no JSON, is deeper than ``MOST_DEPTH``, has a longer number than
            ``MOST_DIGITS``, or a string that no encoding can write.
    """
    hooks: dict[str, Any] = {}
    if strict:
        hooks |= {"object_pairs_hook": _without_repeats, "parse_constant": _refuse_constant}
    if _LONG.search(text):
        hooks |= {"parse_int": _integer, "parse_float": _float}
    data = parsed("JSON", where, lambda: json.loads(text, **hooks))
    if text.count("[") + text.count("{") > MOST_DEPTH and _deeper(data, MOST_DEPTH):
        raise UserError(f"not JSON (deeper than {MOST_DEPTH} levels)", where=where)
    if _SURROGATE.search(text):
        parsed("JSON", where, lambda: json.dumps(data, ensure_ascii=False).encode())
    return data


def check_yaml(text: str, *, where: str) -> None:
    """Refuses YAML that stands for more than it says, without building it.

    One pass over the parser's events. An alias counts as all that it repeats.

    Args:
        text: The YAML.
        where: The file, for errors.

    Raises:
        UserError: It is no YAML, has more than ``MOST_VALUES`` values, is deeper than
            ``MOST_DEPTH``, has a longer number than ``MOST_DIGITS``, or a tag.
    """
    parsed("YAML", where, lambda: _count(text))


def _count(text: str) -> None:
    count, deepest = 0, [0]
    starts: list[tuple[str | None, int]] = []
    known: dict[str, tuple[int, int]] = {}
    for event in yaml.parse(text, Loader=_EVENTS):
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, start = starts.pop()
            depth = deepest.pop() + 1
            deepest[-1] = max(deepest[-1], depth)
            if anchor is not None:
                known[anchor] = count - start, depth
        elif isinstance(event, yaml.NodeEvent):
            count += 1
            if isinstance(event, yaml.AliasEvent):
                if event.anchor not in known:
                    raise yaml.YAMLError(f"nothing is called &{event.anchor} before *")
                size, depth = known[event.anchor]
                count, deepest[-1] = count + size, max(deepest[-1], depth)
            else:
                _check_value(event)
            if isinstance(event, yaml.CollectionStartEvent):
                starts.append((event.anchor, count - 1))
                deepest.append(0)
            elif isinstance(event, yaml.ScalarEvent) and event.anchor is not None:
                known[event.anchor] = 1, 0
        if count > MOST_VALUES:
            raise yaml.YAMLError(f"more than {MOST_VALUES} values")
        if len(starts) + deepest[-1] > MOST_DEPTH:
            raise yaml.YAMLError(f"deeper than {MOST_DEPTH} levels")


def _check_value(event: yaml.NodeEvent) -> None:
    if getattr(event, "tag", None) is not None:
        raise yaml.YAMLError(f"the tag {event.tag} is not allowed")  # type: ignore[attr-defined]
    value = getattr(event, "value", "")
    if len(value) > MOST_DIGITS and not event.style and _NUMBER.fullmatch(value):  # type: ignore[attr-defined]
        raise yaml.YAMLError(f"a number has more than {MOST_DIGITS} digits")


def parsed(language: str, where: str, parse: Callable[[], T]) -> T:
    """What a parser makes of a text. Whatever a parser raises, the text is at fault.

    Args:
        language: What the text should be, for the error.
        where: The file, for the error.
        parse: Calls the parser.

    Raises:
        UserError: If the parser raises anything.
    """
    try:
        return parse()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f":{mark.line + 1}" if mark else ""
        raise UserError(f"not YAML ({error.problem})", where=f"{where}{line}") from error
    except Exception as error:
        raise UserError(f"not {language} ({first_line(error)})", where=where) from error


@contextmanager
def _opened(path: str | Path, most: int, where: str) -> Iterator[BinaryIO]:
    try:
        # A pipe would be waited for until somebody writes into it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"cannot be read ({reason})", where=where) from error
    state = os.fstat(handle)
    if not stat.S_ISREG(state.st_mode):
        os.close(handle)
        raise UserError("cannot be read (not a regular file)", where=where)
    with open(handle, "rb") as file:
        if state.st_size > most:
            raise UserError(f"{state.st_size} bytes are more than such a file needs", where=where)
        try:
            yield file
        except OSError as error:
            raise UserError(f"cannot be read ({error.strerror})", where=where) from error


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError("cannot be read (not a text file)", where=where) from error


def _deeper(data: Any, levels: int) -> bool:
    """Whether there are values within values within values, and so on, more than so often."""
    layer = [data]
    for _ in range(levels + 1):
        layer = [
            inner
            for value in layer
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    return bool(layer)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        raise ValueError("an object has a key twice")
    return data


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number has more than {MOST_DIGITS} digits")
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > MOST_DIGITS or not math.isfinite(value := float(digits)):
        raise ValueError("a number is too long or too large")
    return value
