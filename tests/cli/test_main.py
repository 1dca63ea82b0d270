import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer

import gensynth
from gensynth.cli import app, main
from gensynth.errors import UserError


def status(*arguments: str) -> object:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught.value.code


@pytest.fixture
def failing() -> Iterator[None]:
    """Adds a command that ends as its argument says."""
    ends: dict[str, BaseException] = {
        "mistake": UserError("no such\nkey", where="a.yaml", remedy="drop it"),
        "interrupt": KeyboardInterrupt(),
        "exit": typer.Exit(3),
        "disk": OSError(28, "No space left on device", "runs/a/journal.jsonl"),
        "connection": ConnectionError("nobody answers"),
    }

    @app.command("fail")
    def fail(how: str, count: int = 0) -> None:
        if how in ends:
            raise ends[how]

    yield
    app.registered_commands.pop()


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_lists_usage_and_ends_well(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
):
    assert status(*arguments) == 0
    assert "Usage: gensynth" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]):
    assert status("--version") == 0
    assert capsys.readouterr().out == f"gensynth {gensynth.__version__}\n"


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["fail", "mistake"], "a.yaml: no such key; drop it\n"),
        (["fail", "disk"], "runs/a/journal.jsonl: No space left on device\n"),
        (["fail", "connection"], "nobody answers\n"),
        (["fail"], "gensynth fail: Missing argument 'how'; see gensynth fail --help\n"),
        (["--fast"], "gensynth: No such option: --fast; see gensynth --help\n"),
        (["serach"], "gensynth: No such command 'serach'"),
        (["fail", "no", "--count", "x"], "gensynth fail: Invalid value for '--count': "),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
):
    assert status(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(line)
    assert captured.err.count("\n") == 1


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize(("how", "expected"), [("interrupt", 130), ("exit", 3), ("well", 0)])
def test_other_ends_have_their_status(how: str, expected: int):
    assert status("fail", how) == expected


def test_the_module_runs_and_loads_nothing_heavy():
    program = (
        "import runpy, sys\n"
        "sys.argv = ['gensynth', '--help']\n"
        "try: runpy.run_module('gensynth', run_name='__main__')\n"
        "except SystemExit as end: print(end.code)\n"
        "print(*{'torch', 'ray', 'optuna', 'hydra', 'matplotlib'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.splitlines()[-2:] == ["0", ""]
