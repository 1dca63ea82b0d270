from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gensynth.errors import UserError
from gensynth.reading import (
    MOST_DEPTH,
    MOST_DIGITS,
    check_yaml,
    parse_json,
    read_bytes,
    read_json,
    read_lines,
    read_text,
    read_yaml,
)

plain: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("ab:$\\ é"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("xyz"), inner, max_size=4),
    max_leaves=20,
)


@given(plain)
def test_what_is_written_is_read(value):
    assert parse_json(json.dumps(value), where="f") == value
    text = yaml.safe_dump(value)
    check_yaml(text, where="f")
    assert yaml.safe_load(text) == value


BOMB = "a0: &a0 [1, 1]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 1_000_000, "not JSON"),
        ("[" * 70 + "]" * 70, "deeper than"),
        ('{"a":' * 70 + "1" + "}" * 70, "deeper than"),
        ("9" * (MOST_DIGITS + 1), "digits"),
        ("[0." + "9" * 5000 + "]", "too long"),
        ("9" * 5000, "digits"),
        (r'"\ud800"', "not JSON"),
        (r'{"\udfff": 1}', "not JSON"),
        ("", "not JSON"),
    ],
)
def test_json_out_of_bounds_is_one_line(text, message):
    with pytest.raises(UserError, match=message) as caught:
        parse_json(text, where="file.json")
    assert str(caught.value).startswith("file.json: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "more than 200000 values"),
        ("a: &a [*a]\n", "nothing is called"),
        ("<<: &m {<<: *m}\n", "nothing is called"),
        ("[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1), "deeper than"),
        ("- " * 100 + "1", "deeper than"),
        (f"a: {'9' * 5000}", "digits"),
        (f"a: {':'.join(['1'] * 5000)}", "digits"),
        ("a: !!python/object/apply:os.system [x]", "tag"),
        ("a: !!timestamp x", "tag"),
        ("a: [1, 2", "not YAML"),
        ("a: \x00", "not YAML"),
    ],
)
def test_yaml_out_of_bounds_is_one_line(text, message):
    with pytest.raises(UserError, match=message) as caught:
        check_yaml(text, where="file.yaml")
    assert str(caught.value).startswith("file.yaml")


def test_a_value_that_yaml_itself_cannot_make_is_one_line(tmp_path: Path):
    path = tmp_path / "file.yaml"
    for text in ("a: 2024-13-45", "? [1]\n: 2", "a: 1\n---\nb: 2"):
        path.write_text(text)
        with pytest.raises(UserError, match="not YAML"):
            read_yaml(path)


def test_an_alias_may_repeat_what_stays_small(tmp_path: Path):
    path = tmp_path / "file.yaml"
    path.write_text("a: &a {x: 1}\nb: [*a, *a]\nc: {<<: *a, y: 2}\n")
    assert read_yaml(path)["b"] == [{"x": 1}, {"x": 1}]


def test_only_regular_files_of_bounded_size_are_read(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    large = tmp_path / "large"
    large.write_bytes(b" " * 101)
    for read in (read_bytes, read_text, read_json, read_yaml):
        for path, message in (
            (tmp_path / "pipe", "not a regular file"),
            (tmp_path, "not a regular file"),
            (Path("/dev/zero"), "not a regular file"),
            (tmp_path / "none", "No such file"),
            (tmp_path / "a\0b", "null"),
            (tmp_path / ("x" * 300), "too long"),
            (large, "101 bytes are more"),
        ):
            with pytest.raises(UserError, match=message):
                read(path, most=100)
    with pytest.raises(UserError, match="not a regular file"):
        list(read_lines(tmp_path / "pipe"))


def test_strict_json_has_no_constants_and_no_key_twice():
    for text in ("NaN", "[Infinity]", '{"a": 1, "a": 2}'):
        with pytest.raises(UserError, match="not JSON"):
            parse_json(text, where="f", strict=True)
