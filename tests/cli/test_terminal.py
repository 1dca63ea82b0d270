from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from gensynth.cli.progress import Display
from gensynth.cli.search import search
from gensynth.cli.terminal import Terminal, plain, say
from gensynth.execution.progress import Progress


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


def test_what_is_said_of_an_interruption_is_the_last_thing_on_the_screen(
    monkeypatch: pytest.MonkeyPatch,
):
    """The live display draws itself once more when it ends."""
    file = io.StringIO()
    screen = Terminal(file=file, force_terminal=True, width=100)
    monkeypatch.setattr("gensynth.cli.progress.Terminal", lambda **options: screen)
    monkeypatch.setattr("gensynth.cli.search.say", lambda text, **options: print(text, file=file))

    def interrupted(experiment: object, *, watcher: Display, command: str) -> None:
        watcher.update(Progress(stage="search"))
        raise KeyboardInterrupt

    monkeypatch.setattr("gensynth.search.search", interrupted)
    with pytest.raises(KeyboardInterrupt):
        search(["storage=postgresql://anna:hunter2@host/db"])
    last = file.getvalue().splitlines()[-1].removeprefix("\x1b[?25h")  # the cursor is back
    assert last.startswith("interrupted, everything is kept; go on with: gensynth search")
    assert "hunter2" not in last
