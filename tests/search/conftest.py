from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Puts something else in the place of Ray."""

    def put(execute: Callable[..., None] = lambda *ignored, **also: None) -> None:
        monkeypatch.setattr(
            "gensynth.search.run.cluster", lambda *ignored, **also: nullcontext(tmp_path)
        )
        monkeypatch.setattr("gensynth.search.run.execute", execute)

    return put
