"""What the Makefile passes on, without running it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(repository: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=repository,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment that looks ready."""
    (tmp_path / ".ready").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ([], ""),
        (["CONSTRAINT=nano_b"], "'constraint=nano_b'"),
        (
            ["DATA=ck48", "DATA_ROOT=/my faces/it's", "BUDGET=50", "NAME=first"],
            r"'data=ck48' 'data.root=/my faces/it'\''s' 'budget.candidates=50' 'name=first'",
        ),
        (["PROTOTYPE=tiny", "SPACE=narrow"], "'prototype=tiny' 'search_space=narrow'"),
        (["ARGS=seed=3 workers=1"], "seed=3 workers=1"),
    ],
)
def test_search_passes_on_what_is_given(
    repository: Path, venv: Path, given: list[str], passed: str
):
    result = make(
        repository, "-n", "search", f"VENV={venv}", *given, NAME="host", DATA="/var", ARGS="seed=9"
    )
    words = result.stdout.replace("\\\n", " ").split()
    assert words == [f"{venv}/bin/gensynth", "search", *passed.split()]


def test_export_takes_its_options(repository: Path, venv: Path):
    result = make(repository, "-n", "export", f"VENV={venv}", "RUN=runs/a", "FORMAT=onnx")
    words = result.stdout.replace("\\\n", " ").split()
    assert words == [f"{venv}/bin/gensynth", "export", "'runs/a'", "'--format=onnx'"]


def test_table1_passes_on_what_is_given(repository: Path, venv: Path):
    given = ("DATA_ROOT=/my faces", "ROWS=resnet20,micro_expnet", "SEEDS=1", "ARGS=workers=2")
    result = make(repository, "-n", "table1", f"VENV={venv}", *given, EPOCHS="9")
    words = " ".join(result.stdout.replace("\\\n", " ").split())
    assert words == (
        f"{venv}/bin/python -m benchmarks.paper.table1 '--data-root=/my faces' "
        "'--rows=resnet20,micro_expnet' '--seeds=1' workers=2"
    )


def test_an_environment_older_than_the_pins_is_made_again(repository: Path, venv: Path):
    os.utime(venv / ".ready", (0, 0))
    assert "pip install" in make(repository, "-n", "test", f"VENV={venv}").stdout


def test_an_old_python_is_refused_in_one_line(repository: Path, tmp_path: Path):
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    result = make(repository, "setup", f"VENV={tmp_path / 'venv'}", f"PYTHON={old}")
    assert result.returncode == 2
    assert result.stderr.splitlines()[0] == (
        f"{old} is not Python 3.11 or newer; name one that is: make PYTHON=python3.11"
    )
    assert not (tmp_path / "venv").exists()


def test_help_lists_every_target(repository: Path):
    targets = {"setup", "search", "dashboard", "export", "test", "test-quick", "check", "bench"}
    targets |= {"table1", "table2", "docs"}
    listed = {line.split()[1] for line in make(repository, "help").stdout.splitlines()}
    assert listed == {"help", *targets}
