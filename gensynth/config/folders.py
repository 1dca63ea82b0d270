"""Where the YAML files of the config groups lie, and how Hydra is shown them."""

from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import DictConfig, OmegaConf

from gensynth.errors import UserError
from gensynth.reading import MOST_YAML, check_yaml, parsed, read_text
from gensynth.seams.hydra import ObjectType

ROOT = Path(__file__).parents[1] / "conf"
FOLDERS = {
    "prototype": "prototypes",
    "search_space": "search_spaces",
    "constraint": "constraints",
    "experiment": "experiments",
}
MACHINE_KEYS = frozenset({"ray_address", "runs", "storage", "warm_start"})
"""What belongs to a machine and its owner; only the command line says it."""
GROUPS = (*FOLDERS, "data", "task", "training")


def folders(group: str) -> tuple[Path, ...]:
    """The existing folders of a group, in the order in which they are searched.

    Args:
        group: One of :data:`GROUPS`.

    Returns:
        For the groups that people write, the working directory's folder of the plural name and
        then the one that gensynth ships, which lies beside the package in a checkout and inside it
        when installed. For the others the one that gensynth ships.
    """
    name = FOLDERS.get(group)
    if name is None:
        return (ROOT / group,)
    shipped = ROOT / name
    if not shipped.is_dir():
        shipped = ROOT.parents[1] / name
    found = dict.fromkeys((Path.cwd() / name, shipped))
    return tuple(folder for folder in found if folder.is_dir())


def options(group: str) -> list[str]:
    """The names that can be chosen in a group, sorted.

    Args:
        group: One of :data:`GROUPS`.

    Returns:
        The names of its files without their ending.
    """
    return sorted({file.stem for folder in folders(group) for file in folder.glob("*.yaml")})


def find(group: str, choice: str) -> Path | None:
    """The file that a choice stands for.

    Args:
        group: One of :data:`GROUPS`.
        choice: A name from :func:`options`, or the path of a YAML file.

    Returns:
        Its absolute path, or None when there is no such file.
    """
    candidates = [folder / f"{choice}.yaml" for folder in folders(group)]
    if is_path(choice):
        candidates.append(Path(choice).expanduser().absolute())
    return next((file for file in candidates if file.is_file()), None)


def is_path(choice: str) -> bool:
    """Whether a choice is meant as the path of a file."""
    return choice.endswith((".yaml", ".yml"))


def shown(file: Path) -> str:
    """A path as a person would write it: relative where it lies under the working directory."""
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)


def read(file: Path) -> DictConfig:
    """Reads one YAML file.

    Args:
        file: Its path.

    Returns:
        Its mapping, empty for an empty file.

    Raises:
        UserError: It cannot be read, is not YAML, or is not a mapping.
    """
    where = shown(file)
    theirs = not file.is_relative_to(ROOT)
    text = read_text(file, most=MOST_YAML, where=where)
    check_yaml(text, where=where)
    config = parsed("YAML", where, lambda: OmegaConf.load(StringIO(text)))
    if not isinstance(config, DictConfig):
        raise UserError("not a mapping", where=shown(file), remedy="write key: value lines")
    if theirs:
        check_plain(OmegaConf.to_container(config, resolve=False), where=where)
    return config


def check_plain(value: object, *, where: str, key: str = "") -> None:
    """Refuses interpolations: a file that people exchange says what it says on every machine.

    Args:
        value: What was read.
        where: The file, for errors.
        key: Its dotted key.

    Raises:
        UserError: Some key or text in it has ``${``, by which Hydra would put an environment
            variable or another key's value there.
    """
    if isinstance(value, str) and "${" in value:
        raise UserError(
            "holds an interpolation, ${...}",
            where=f"{where}: {key}" if key else where,
            remedy="write the value itself",
        )
    pairs: Iterable[tuple[object, object]] = ()
    if isinstance(value, Mapping):
        pairs = value.items()
    elif isinstance(value, list | tuple):
        pairs = enumerate(value)
    for name, inner in pairs:
        check_plain(name, where=where, key=key)
        check_plain(inner, where=where, key=f"{key}.{name}" if key else str(name))


class Folders(ConfigSource):
    """Shows Hydra the groups' files under ``gensynth://folders``.

    A source of its own rather than a search path: folders have plural names and groups singular
    ones, the working directory adds only those folders and never its own ``config.yaml``, and no
    other Hydra application in the same environment is touched.
    """

    @staticmethod
    def scheme() -> str:
        return "gensynth"

    def available(self) -> bool:
        return True

    def is_group(self, config_path: str) -> bool:
        return config_path in GROUPS

    def is_config(self, config_path: str) -> bool:
        return self._find(config_path) is not None

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        return [] if results_filter is ObjectType.GROUP else options(config_path)

    def load_config(self, config_path: str) -> ConfigResult:
        file = self._find(config_path)
        if file is None:
            raise FileNotFoundError(config_path)
        group = config_path.partition("/")[0]
        config = read(file)
        if group == "experiment":
            _check_portable(config, file)
        header: dict[str, Any] = {"package": "_global_" if group == "experiment" else group}
        return ConfigResult(
            provider=self.provider, path=self.full_path(), config=config, header=header
        )

    @staticmethod
    def _find(config_path: str) -> Path | None:
        group, _, choice = config_path.partition("/")
        return find(group, choice) if group in GROUPS and choice else None


def _check_portable(config: DictConfig, file: Path) -> None:
    for key in sorted(MACHINE_KEYS & {str(name) for name in config}):
        if config[key] is not None:
            raise UserError(
                "belongs to a machine and not in an experiment's file",
                where=f"{shown(file)}: {key}",
                remedy=f"write {key}=... on the command line",
            )
