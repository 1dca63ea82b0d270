"""The documents that people read first."""

import re
from pathlib import Path

import pytest

DOCUMENTS = ("README.md", "docs/**/*.md", "genomes/*.md")
PLACEHOLDER = re.compile(r"<!--|@\w+@")


@pytest.mark.parametrize("pattern", DOCUMENTS)
def test_no_document_has_a_placeholder_left(repository: Path, pattern: str):
    found = sorted(repository.glob(pattern))
    assert found
    left = [file.name for file in found if PLACEHOLDER.search(file.read_text(encoding="utf-8"))]
    assert left == []
