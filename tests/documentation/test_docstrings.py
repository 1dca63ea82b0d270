"""Examples in docstrings run."""

import doctest
import importlib
import pkgutil

import gensynth

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(gensynth.__path__, "gensynth.")
    if not module.name.endswith("__main__")
)


def test_examples_in_docstrings_run():
    ran = 0
    for name in MODULES:
        result = doctest.testmod(importlib.import_module(name))
        assert result.failed == 0, name
        ran += result.attempted
    assert ran >= 10
