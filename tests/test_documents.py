"""The documents that people read first."""

from pathlib import Path

import pytest

DOCUMENTS = ("README.md", "docs/*.md")


@pytest.mark.parametrize("pattern", DOCUMENTS)
def test_no_document_has_a_placeholder_left(repository: Path, pattern: str):
    found = sorted(repository.glob(pattern))
    assert found
    assert [file.name for file in found if "<!--" in file.read_text(encoding="utf-8")] == []
