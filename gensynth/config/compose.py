"""Composition: defaults, chosen files and overrides into one checked experiment."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel

from gensynth.config.folders import GROUPS, ROOT, Folders, check_plain, find, read, shown
from gensynth.config.overrides import Override, parse
from gensynth.errors import UserError
from gensynth.seams.hydra import Plugins
from gensynth.validation import alternatives, validate

ModelT = TypeVar("ModelT", bound=BaseModel)


def compose(overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Composes one experiment.

    Args:
        overrides: Hydra overrides. ``constraint=nano_a`` and ``constraint=./mine.yaml`` choose the
            file of a group, ``constraint.bounds.macs.max=4.4e6`` sets a value, also one that the
            chosen file does not have.

    Returns:
        The composed experiment as plain dictionaries, lists, numbers and strings.

    Raises:
        UserError: An override that cannot be read, an unknown group or choice, a file that is not
            YAML.
    """
    return _compose(overrides).mapping


@dataclass(frozen=True)
class Base:
    """Values of an earlier experiment that take the place of the defaults.

    Attributes:
        file: Where they come from, for errors.
        values: By top-level key; the others keep their defaults.
    """

    file: str
    values: Mapping[str, Any]


def load(model: type[ModelT], overrides: Sequence[str] = (), *, base: Base | None = None) -> ModelT:
    """Composes one experiment and checks all of it.

    Args:
        model: The pydantic model of the whole experiment.
        overrides: As for :func:`compose`.
        base: What stands where no override says otherwise. A choice of ``experiment`` leaves
            nothing of it.

    Returns:
        The experiment.

    Raises:
        UserError: As from :func:`compose`, and for a key or value that the model refuses, naming
            the file or the override that it comes from.
    """
    composed = _compose(overrides)
    if base is not None:
        composed = composed.over(base)
    loaded = validate(model, composed.mapping, where=composed.locate)
    if model.model_fields.keys() >= {"prototype", "search_space"}:
        _check_parts(composed)
    return loaded


@dataclass(frozen=True)
class _Composed:
    mapping: dict[str, Any]
    choices: Mapping[str, str]
    overrides: Sequence[Override]
    base: Base | None = None

    def over(self, base: Base) -> "_Composed":
        """What the overrides choose and set, and of the rest what the base holds."""
        chosen = {override.key for override in self.overrides}
        if "experiment" in chosen:
            return self
        kept = {key: value for key, value in base.values.items() if key not in chosen}
        check_plain(kept, where=base.file)
        config, wanted = OmegaConf.create({**self.mapping, **kept}), OmegaConf.create(self.mapping)
        for key in (key for key in chosen if "." in key):
            outer, _, last = key.rpartition(".")
            holder = OmegaConf.select(wanted, outer)
            if holder is not None and last in holder:
                OmegaConf.update(config, key, holder[last], merge=False, force_add=True)
            elif OmegaConf.select(config, key) is not None:
                del OmegaConf.select(config, outer)[last]
        return replace(self, mapping=_plain(config), base=Base(base.file, kept))

    def locate(self, key: str) -> str:
        """Where the value of a dotted key comes from."""
        for override in reversed(self.overrides):
            if override.key not in GROUPS and f"{key}.".startswith(f"{override.key}."):
                return override.text if override.key == key else f"{override.text}: {key}"
        if self.base is not None and key.partition(".")[0] in self.base.values:
            return f"{self.base.file}: {key}"
        experiment = find("experiment", self.choices.get("experiment", ""))
        if experiment and OmegaConf.select(read(experiment), key) is not None:
            return f"{shown(experiment)}: {key}"
        group, _, rest = key.partition(".")
        file = find(group, self.choices.get(group, "")) if group in GROUPS else None
        if file and not rest:
            return shown(file)
        for override in reversed(self.overrides):
            if override.key.startswith(f"{key}."):
                return f"{override.text}: {key}"
        return f"{shown(file)}: {rest}" if file else key


def _check_parts(composed: _Composed) -> None:
    """Reads the prototype and the space here too, where it is known who wrote which key."""
    from gensynth.prototype import expand
    from gensynth.space import check_ranges

    expand(
        composed.mapping["prototype"],
        locate=lambda key: composed.locate(f"prototype.{key}" if key else "prototype"),
    )
    check_ranges(composed.mapping["search_space"], locate=composed.locate)


def _compose(texts: Sequence[str]) -> _Composed:
    overrides = [parse(text) for text in texts]
    known = {*read(ROOT / "config.yaml"), *GROUPS} - {"defaults", "hydra"}
    for override in overrides:
        _check_key(override.key.partition(".")[0], known, override.text)
    Plugins.instance().register(Folders)
    try:
        with initialize_config_dir(str(ROOT), version_base="1.3"):
            told = [line for override in overrides for line in override.hydra]
            config = hydra_compose("config", told, return_hydra_config=True)
        choices = {str(group): choice for group, choice in config.hydra.runtime.choices.items()}
        OmegaConf.set_readonly(config, False)
        with open_dict(config):
            del config["hydra"]
        mapping = _plain(config)
    except MissingConfigException as error:
        raise _no_such_choice(error) from error
    except (HydraException, OmegaConfBaseException) as error:
        raise _in_one_line(error) from error
    composed = _Composed(
        mapping, {group: name for group, name in choices.items() if name is not None}, overrides
    )
    for key in sorted(mapping.keys() - known):
        _check_key(key, known, composed.locate(key))
    return composed


def _check_key(key: str, known: Collection[str], where: str) -> None:
    if key not in known:
        raise UserError("unknown key", where=where, remedy=alternatives(key, known))


def _plain(config: DictConfig) -> dict[str, Any]:
    mapping = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(mapping, dict)
    return {str(key): value for key, value in mapping.items()}


def _no_such_choice(error: MissingConfigException) -> UserError:
    group, _, choice = (error.missing_cfg_file or "").partition("/")
    return UserError(
        f"no such {group.replace('_', ' ')}",
        where=f"{group}={choice}",
        remedy=alternatives(choice, error.options or ()),
    )


def _in_one_line(error: BaseException) -> UserError:
    """The innermost cause is the one that says what is wrong."""
    while error.__cause__ is not None:
        error = error.__cause__
    problem = str(error).partition("\n")[0].strip() or type(error).__name__
    key = getattr(error, "full_key", None)
    return UserError(problem, where=str(key) if key else "")
