"""The package as a whole."""

import subprocess
import sys

import gensynth


def test_every_public_name_can_be_imported() -> None:
    for name in gensynth.__all__:
        assert getattr(gensynth, name) is not None


def test_importing_gensynth_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'ray', 'optuna', 'matplotlib', 'hydra', 'typer'}"
    program = f"import sys, gensynth; print(*sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.returncode, result.stdout.split()) == (0, [])
