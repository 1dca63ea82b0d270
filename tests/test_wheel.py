"""The installed package, away from the checkout."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

FOLDERS = ("constraints", "experiments", "prototypes", "search_spaces")

PROGRAM = """
import json, sys
import gensynth.config
print(json.dumps({
    "package": gensynth.config.__file__,
    "options": {group: gensynth.config.options(group) for group in gensynth.config.GROUPS},
    "bounds": gensynth.config.compose(sys.argv[1:])["constraint"]["bounds"],
}))
"""


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy, so that the checkout gets no build folder."""
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(repository / name, source)
    for name in ("gensynth", *FOLDERS):
        if (repository / name).is_dir():
            shutil.copytree(
                repository / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
            )
    target = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(target), str(source))
    return next(target.glob("gensynth-*.whl"))


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", *arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package_and_of_the_folders(
    repository: Path, wheel: Path
):
    package = {
        file.relative_to(repository).as_posix()
        for pattern in ("*.py", "*.pyi", "*.yaml", "py.typed")
        for file in (repository / "gensynth").rglob(pattern)
    }
    written = {
        f"gensynth/conf/{folder}/{file.name}"
        for folder in FOLDERS
        for file in (repository / folder).glob("*.yaml")
    }
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == package | written


@pytest.mark.slow
def test_the_wheel_composes_in_another_folder(repository: Path, wheel: Path, tmp_path: Path):
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    _pip("install", "--no-deps", "--target", str(site), str(wheel))
    (elsewhere / "constraints").mkdir(parents=True)
    (elsewhere / "constraints/mine.yaml").write_text("name: mine\nbounds: {params: {max: 5}}\n")
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, "constraint=mine"],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["package"] == str(site / "gensynth/config/__init__.py")
    assert told["bounds"] == {"params": {"max": 5}}
    shipped = {file.stem for file in (repository / "constraints").glob("*.yaml")}
    assert set(told["options"]["constraint"]) == {"mine", *shipped}
