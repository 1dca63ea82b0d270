"""What a training asks of its process."""

import ctypes
import subprocess
import sys

import pytest

FAULTS = """
import resource, torch
from gensynth.training.isolation import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        maps = [torch.zeros(1_000_000) for _ in range(8)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given_back = faults()
keep_freed_memory()
print(given_back, min(faults() for _ in range(5)))
"""


@pytest.mark.skipif(
    sys.platform == "win32" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="needs mallopt"
)
def test_memory_that_was_freed_is_not_asked_for_again():
    found = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True
    )
    given_back, kept = map(int, found.stdout.split())
    assert given_back > 1000
    assert kept < given_back / 20
