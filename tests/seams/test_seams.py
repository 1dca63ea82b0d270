"""Private names of libraries: which one went, and that none is used anywhere else."""

import ast
import configparser
import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import ray
from packaging.requirements import Requirement
from packaging.version import Version
from ray.tune import constants

from gensynth.seams import dashboard, hydra
from gensynth.seams import optuna as private
from gensynth.seams import ray as quiet

LIBRARIES = {
    "optuna": private,
    "optuna-dashboard": dashboard,
    "hydra-core": hydra,
    "ray": quiet,
}
PRIVATE_PARTS = ("hydra.core", "numba.core")
"""Modules without an underscore that their libraries do not count as public."""
KNOWN = {"optuna", "optuna_dashboard", "hydra", "ray", "numba"}
ATTRIBUTES = {"_storage", "_study_id", "_trial_id", "_backend", "_thread_local", "_app"}


def study() -> optuna.Study:
    made = optuna.create_study()
    made.ask()
    return made


def of(module: str, name: str) -> Callable[[], Any]:
    return lambda: getattr(import_module(module), name)


OVERRIDES = "hydra.core.override_parser"
NAMES: dict[str, Callable[[], Any]] = {
    "optuna: Study._storage": lambda: study()._storage,
    "optuna: Study._study_id": lambda: study()._study_id,
    "optuna: Trial._trial_id": lambda: study().ask()._trial_id,
    "optuna: FrozenTrial._trial_id": lambda: study().trials[0]._trial_id,
    "optuna: _CachedStorage._backend": lambda: vars(
        optuna.create_study(storage="sqlite://")._storage
    )["_backend"],
    "optuna: get_non_dominated_box_bounds": of(
        "optuna._hypervolume.box_decomposition", "get_non_dominated_box_bounds"
    ),
    "optuna-dashboard: _app.get_pareto_front_trials": of(
        "optuna_dashboard._app", "get_pareto_front_trials"
    ),
    "hydra-core: Plugins.instance().register": lambda: (
        import_module("hydra.core.plugins").Plugins.instance().register
    ),
    "hydra-core: ObjectType.GROUP": lambda: (
        import_module("hydra.core.object_type").ObjectType.GROUP
    ),
    "hydra-core: OverridesParser.create": lambda: (
        import_module(f"{OVERRIDES}.overrides_parser").OverridesParser.create
    ),
    **{
        f"hydra-core: {name}": of(f"{OVERRIDES}.types", name)
        for name in ("Override", "Quote", "QuotedString")
    },
    "ray: init(_temp_dir)": lambda: inspect.getsource(inspect.unwrap(ray.init)).index(
        f'"{quiet.FOLDER_ARGUMENT}"'
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_the_name_is_there(name: str):
    library = name.partition(":")[0]
    try:
        NAMES[name]()
    except (AttributeError, ImportError, KeyError, ValueError) as error:
        pytest.fail(
            f"{library} {version(library)} has no {name.partition(': ')[2]} any more: {error}"
        )


@pytest.mark.parametrize("name", [*quiet.QUIET, quiet.PENDING])
def test_ray_reads_the_variable(name: str):
    known = Path(constants.__file__).read_text(encoding="utf-8")
    root = Path(ray.__file__).parent
    folders = [root / "_common", root / "_private", root / "air", root / "tune", root / "train"]
    assert name in known or any(
        name in file.read_text(encoding="utf-8")
        for folder in folders
        for file in folder.rglob("*.py")
    ), f"ray {ray.__version__} reads no {name} any more"


@pytest.mark.parametrize("library", LIBRARIES)
def test_setup_bounds_the_library_above_what_was_seen(library: str, repository: Path):
    setup = configparser.ConfigParser()
    setup.read(repository / "setup.cfg", encoding="utf-8")
    lines = setup["options"]["install_requires"].split()
    wanted = {one.name: one for one in map(Requirement, lines)}[library].specifier
    seen = [Version(one) for one in LIBRARIES[library].SEEN]
    assert all(one in wanted for one in seen)
    assert any(clause.operator in {"<", "<=", "~=", "=="} for clause in wanted)
    assert f"{max(seen).major + 1}.0" not in wanted


def test_no_other_file_uses_a_private_name(repository: Path):
    package = repository / "gensynth"
    found = [
        f"{file.relative_to(repository)}: {name}"
        for file in sorted(package.rglob("*.py"))
        if package / "seams" not in file.parents
        for name in privates(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "from optuna._hypervolume import compute_hypervolume",
        "import ray._private.services",
        "from hydra.core.plugins import Plugins",
        "from optuna_dashboard import _app",
        "study._storage.delete_study(0)",
        "ray.init(_temp_dir='x')",
    ],
)
def test_a_private_name_is_seen(line: str):
    assert list(privates(ast.parse(line)))


def privates(tree: ast.AST) -> Iterator[str]:
    """Private names of the libraries in a file: modules, attributes and arguments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if hidden(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in names if hidden(name))
        elif isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
            if not (isinstance(node.value, ast.Name) and node.value.id == "self"):
                yield node.attr
        elif isinstance(node, ast.keyword) and node.arg == quiet.FOLDER_ARGUMENT:
            yield node.arg


def hidden(name: str) -> bool:
    parts = name.split(".")
    own = parts[0] in KNOWN and any(part.startswith("_") for part in parts)
    return own or name.startswith(PRIVATE_PARTS)


def test_a_note_of_a_trial_is_in_the_storage_before_it_is_told():
    made = study()
    trial = made.ask()
    private.note_trial(made, trial, "plan", {"x": 1})
    private.note_study(made, "all", [2])
    assert made.trials[trial.number].system_attrs["plan"] == {"x": 1}
    assert private.notes_of(made)["all"] == [2]
    assert private.trial_id(trial) == private.trial_id(made.trials[trial.number])


def test_a_closed_study_leaves_no_connection(tmp_path: Path):
    made = optuna.create_study(storage=f"sqlite:///{tmp_path / 'study.db'}")
    backend = vars(private.storage_of(made))["_backend"]
    made.ask()
    private.close(made)
    assert backend.engine.pool.checkedin() == 0


def test_boxes_fill_what_a_front_leaves():
    """Two points and a reference: three boxes, the volume of what is below none of them."""
    losses, reference = np.asarray([[0.0, 1.0], [1.0, 0.0]]), np.asarray([2.0, 2.0])
    lower, upper = private.boxes(losses, reference)
    inside = np.random.default_rng(0).uniform(-1, 2, size=(500, 2))
    held = np.all((inside[:, None] > lower) & (inside[:, None] <= upper), axis=2).sum(axis=1)
    beaten = np.any(np.all(inside[:, None] >= losses, axis=2), axis=1)
    assert (held == ~beaten).all()
