"""What a person writes after the command: ``constraint=nano_b budget.minutes=5``."""

from dataclasses import dataclass

from hydra.errors import HydraException

from gensynth.config.folders import GROUPS, find, is_path, options
from gensynth.errors import UserError
from gensynth.seams.hydra import Override as HydraOverride
from gensynth.seams.hydra import OverridesParser, Quote, QuotedString
from gensynth.validation import alternatives

LITERAL_KEYS = frozenset({"name", "storage", "data.root", "warm_start"})


@dataclass(frozen=True)
class Override:
    """One override.

    Attributes:
        text: As the person wrote it.
        key: The dotted key or the group that it changes.
        hydra: As Hydra is told it, in this order.
    """

    text: str
    key: str
    hydra: tuple[str, ...]


def parse(text: str) -> Override:
    """Reads one override.

    It is more lenient than Hydra's grammar: a value that is not in the grammar (a path with
    brackets, say) is taken as a string, as are names, paths and URLs in any case; and a key needs
    no ``+`` in front to be added, since the experiment's model knows which keys there are. A
    mapping replaces what was there, as a number does, where Hydra would add to it.

    Args:
        text: ``key=value``, or ``~key`` to remove it.

    Returns:
        The override.

    Raises:
        UserError: It is no override, it sweeps over several values, or it chooses a file that does
            not exist.
    """
    key, separator, value = text.partition("=")
    key = key.strip().lstrip("+")
    if key in LITERAL_KEYS and value[:1] not in {"'", '"'} and value != "null":
        value = _quoted(value)
    parsed = _parsed(f"{key}{separator}{value}")
    if parsed is None and separator:
        value = _quoted(value)
        parsed = _parsed(f"{key}{separator}{value}")
    if parsed is None:
        raise UserError("not an override", where=text, remedy="write key=value")
    if parsed.is_sweep_override():
        raise UserError("several values", where=text, remedy="give one, or quote it: key='a,b'")
    if parsed.is_delete():
        return Override(text, parsed.key_or_group, (text,))
    if key in GROUPS:
        choice = parsed.value()
        _check_choice(text, key, choice)
        return Override(text, key, () if choice is None else (f"{key}={value}",))
    emptied = (f"++{key}=null",) if isinstance(parsed.value(), dict) else ()
    return Override(text, key, (*emptied, f"++{key}={value}"))


def _check_choice(text: str, group: str, choice: object) -> None:
    if choice is None and group == "experiment":
        return
    if choice is None:
        remedy = f"choose one of {', '.join(options(group))} (or the path of a YAML file)"
        raise UserError("not a choice", where=text, remedy=remedy)
    if find(group, str(choice)) is not None:
        return
    if is_path(str(choice)):
        raise UserError("no such file", where=text)
    known = alternatives(str(choice), options(group)) or "there is none by name yet"
    remedy = f"{known} (or the path of a YAML file)"
    raise UserError(f"no such {group.replace('_', ' ')}", where=text, remedy=remedy)


def _parsed(text: str) -> HydraOverride | None:
    try:
        return OverridesParser.create().parse_override(text)
    except HydraException:
        return None


def _quoted(value: str) -> str:
    return QuotedString(value, Quote.single).with_quotes()
