import signal
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

# A shell that starts the tests in the background has Ctrl-C ignored in them and in every process
# that they start; tests of Ctrl-C need it as a terminal gives it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY
