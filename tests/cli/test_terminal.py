from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from gensynth.cli.progress import Display
from gensynth.cli.terminal import Terminal, plain, say


def shown(*things: object, terminal: bool = False) -> str:
    file = io.StringIO()
    screen = Terminal(file=file, force_terminal=terminal, width=200, color_system=None)
    for thing in things:
        screen.print(thing)
    return file.getvalue()


@pytest.mark.parametrize("name", ["[/b]", "faces [bold]", "[link=http://x]a[/link]", ":smile:"])
def test_a_name_is_no_markup_wherever_it_stands(name: str):
    table = Table(title=name, caption=name)
    table.add_column(name)
    table.add_row(name)
    assert shown(table).count(name) == 4
    assert shown(name) == f"{name}\n"
    file = io.StringIO()
    Display(Terminal(file=file, width=200)).banner((name,))
    assert file.getvalue() == f"{name}\n"


@pytest.mark.parametrize(
    "name", ["\x1b[2Ja", "\x1b]0;title\x07a", "\x9b31ma", "a\r", "a\x08", "\udcffa", "\u202ea"]
)
def test_a_name_moves_no_cursor_and_ends_nothing(name: str, capsys: pytest.CaptureFixture[str]):
    table = Table(title=name)
    table.add_row(name)
    written = shown(name, table)
    say(name)
    written += capsys.readouterr().out
    written.encode()
    assert not set("\x1b\x9b\x07\r\x08\u202e") & set(written)
    assert "a" in written


@given(st.text())
def test_every_text_can_be_shown(text: str):
    shown(text).encode()
    assert plain(plain(text)) == plain(text)
    assert all(letter == "\n" or letter.isprintable() for letter in plain(text))
