"""The package as a whole: what importing it costs, and what is shipped."""

import configparser
import subprocess
import sys
from pathlib import Path

import gensynth


def test_every_public_name_can_be_imported():
    for name in gensynth.__all__:
        assert getattr(gensynth, name) is not None


def test_importing_gensynth_loads_nothing_heavy():
    heavy = "{'torch', 'ray', 'optuna', 'matplotlib', 'hydra', 'typer'}"
    program = f"import sys, gensynth; print(*sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.returncode, result.stdout.split()) == (0, [])


def test_setup_cfg_lists_every_package(repository: Path):
    setup = configparser.ConfigParser()
    setup.read(repository / "setup.cfg", encoding="utf-8")
    listed = set(setup["options"]["packages"].split())
    mapped = dict(line.split(" = ") for line in setup["options"]["package_dir"].strip().split("\n"))
    folders = {
        file.parent.relative_to(repository).as_posix()
        for pattern in ("*.py", "*.yaml")
        for file in (repository / "gensynth").rglob(pattern)
    } | {file.parent.name for file in repository.glob("*/*.yaml") if file.parent.name[0] != "."}
    assert {mapped.get(name, name.replace(".", "/")) for name in listed} == folders
