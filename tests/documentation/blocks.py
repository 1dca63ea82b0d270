"""The code blocks of the guide, and what is done with them.

The language of a block says what a test does with it. Blocks of one page run in order, in one
folder.

=========== ===================================================================================
``yaml``    written to the file that its first line names (``# prototypes/little.yaml``), if any
``sh``      run; has to succeed
``python``  run, all of a page as one program
``bash``    run among the slow tests, in a folder with what the first page left
``py``      the same for Python
``console`` ``$ command`` and every line that it prints
``shell``   not run: it needs somebody's data, or hours
``python3`` not run
=========== ===================================================================================
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (?P<path>[\w./]+\.(?:yaml|py))\n")


@dataclass(frozen=True)
class Block:
    """One block of code on a page."""

    language: str
    text: str


def blocks(page: Path, *languages: str) -> list[Block]:
    """The blocks of a page that are in any of some languages, in their order."""
    found = FENCE.finditer(page.read_text(encoding="utf-8"))
    return [Block(one["language"], one["text"]) for one in found if one["language"] in languages]


def run(block: Block, folder: Path) -> str:
    """Does with a block what its language says; what it printed."""
    if block.language == "yaml":
        named = FILE.match(block.text)
        if named is not None:
            file = folder / named["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        return ""
    if block.language == "console":
        first, _, expected = block.text.partition("\n")
        result = _bash(first.removeprefix("$ "), folder)
        assert result.stdout + result.stderr == expected
        return result.stdout
    if block.language in ("python", "py"):
        result = subprocess.run(
            [sys.executable, "-c", block.text], cwd=folder, capture_output=True, text=True
        )
    else:
        result = _bash(block.text, folder)
    assert result.returncode == 0, f"{block.text}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def _bash(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
