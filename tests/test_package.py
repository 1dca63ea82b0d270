"""The package as a whole: what importing it costs, and what is shipped."""

import ast
import configparser
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import gensynth


def test_every_public_name_can_be_imported():
    for name in gensynth.__all__:
        assert getattr(gensynth, name) is not None


def test_importing_gensynth_loads_nothing_heavy():
    heavy = "{'torch', 'ray', 'optuna', 'matplotlib', 'hydra', 'typer'}"
    program = f"import sys, gensynth; print(*sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.returncode, result.stdout.split()) == (0, [])


def test_a_mistyped_key_is_told_before_anything_heavy_is_loaded():
    heavy = "{'torch', 'ray', 'optuna', 'numba', 'pandas', 'scipy', 'sklearn', 'matplotlib'}"
    program = (
        "import sys\nfrom gensynth.cli import main\ntry:\n    main(sys.argv[1:])\n"
        f"finally:\n    print(*sorted({heavy} & set(sys.modules)))"
    )
    words = ["search", "constraint.bounds.parms.max=1"]
    result = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True)
    assert (result.returncode, result.stdout.split()) == (2, [])
    assert "did you mean 'params'?" in result.stderr


def test_the_name_of_a_class_means_one_thing(repository: Path):
    names: dict[str, list[str]] = {}
    for path in sorted((repository / "gensynth").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                names.setdefault(node.name, []).append(path.name)
    twice = {name: files for name, files in names.items() if len(files) > 1}
    assert len(names) > 100
    assert {name: files for name, files in twice.items() if not name.startswith("_")} == {}


@pytest.fixture
def setup(repository: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(repository / "setup.cfg", encoding="utf-8")
    return parser


def test_every_dependency_is_pinned_within_its_range(
    repository: Path, setup: configparser.ConfigParser
):
    lines = (repository / "requirements.txt").read_text().splitlines()[1:]
    pins = {
        canonicalize_name(name): version for name, version in (pin.split("==") for pin in lines)
    }
    wanted = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    for line in "\n".join(wanted).split("\n"):
        if line and not line.startswith("gensynth["):
            requirement = Requirement(line)
            assert pins[canonicalize_name(requirement.name)] in requirement.specifier


def test_setup_cfg_lists_every_package(repository: Path, setup: configparser.ConfigParser):
    listed = set(setup["options"]["packages"].split())
    mapped = dict(line.split(" = ") for line in setup["options"]["package_dir"].strip().split("\n"))
    folders = {
        file.parent.relative_to(repository).as_posix()
        for pattern in ("*.py", "*.yaml")
        for file in (repository / "gensynth").rglob(pattern)
    } | {file.parent.name for file in repository.glob("*/*.yaml") if file.parent.name[0] != "."}
    assert {mapped.get(name, name.replace(".", "/")) for name in listed} == folders
