import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gensynth.config import load
from tests.small_search import SMALL

if TYPE_CHECKING:
    from gensynth.experiment import Experiment
    from gensynth.search import Setting

REPOSITORY = Path(__file__).parents[1]

# A shell that starts the tests in the background has Ctrl-C ignored in them and in every process
# that they start; tests of Ctrl-C need it as a terminal gives it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture
def small(tmp_path: Path) -> "Callable[..., Experiment]":
    """A search of four networks with a few thousand parameters on a hundred images."""
    from gensynth.experiment import Experiment

    def make(*overrides: str) -> Experiment:
        return load(Experiment, [*SMALL, f"runs={tmp_path / 'runs'}", *overrides])

    return make


@pytest.fixture(scope="session")
def setting() -> "Setting":
    """The small experiment, prepared."""
    from gensynth.experiment import Experiment
    from gensynth.search import prepare

    return prepare(load(Experiment, SMALL))
