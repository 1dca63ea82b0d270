"""From pydantic's report on a mapping to the one line that a person needs."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema

from gensynth.errors import UserError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

ModelT = TypeVar("ModelT", bound=BaseModel)
Location = str | Callable[[str], str]
HOLDERS = frozenset({"properties", "patternProperties", "additionalProperties", "items"})


def validate(model: type[ModelT], mapping: object, *, where: Location = "") -> ModelT:
    """Checks a mapping that a person wrote against a model.

    Args:
        model: The pydantic model that it should be.
        mapping: What was read, usually from YAML or JSON.
        where: The file that it comes from, put before the offending key; or a function from the
            dotted key to the whole location, for a mapping that comes from several places.

    Returns:
        The model.

    Raises:
        UserError: The mapping does not fit. The line names the location, the dotted key, what is
            wrong with it, and the keys or values that would be right.
    """
    try:
        return model.model_validate(mapping)
    except ValidationError as error:
        errors = sorted(error.errors(include_url=False), key=_rank)
        raise _explain(model, mapping, errors, where) from None


def alternatives(name: str, known: Iterable[str]) -> str:
    """Words a remedy for an unknown name.

    Args:
        name: What was written.
        known: What could have been written.

    Returns:
        ``did you mean 'max'?``, or ``use one of max, min`` when nothing known is near; empty when
        nothing is known.
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=2, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(repr(match) for match in near)}?"
    return f"use one of {', '.join(names)}" if names else ""


def _rank(error: "ErrorDetails") -> bool:
    """Unknown keys first: they often explain the missing ones."""
    return error["type"] != "extra_forbidden"


def _explain(
    model: type[BaseModel], mapping: object, errors: list["ErrorDetails"], where: Location
) -> UserError:
    first = errors[0]
    keys = tuple(_written_keys(mapping, first["loc"]))
    key = ".".join(keys)
    problem, remedy = _describe(model, mapping, first, keys)
    if len(errors) > 1:
        problem = f"{problem} (and {len(errors) - 1} more)"
    location = where(key) if callable(where) else ": ".join(filter(None, (where, key)))
    return UserError(problem, where=location, remedy=remedy)


def _written_keys(mapping: object, location: tuple[int | str, ...]) -> Iterator[str]:
    """Yields the keys of a location as written, without the union tags that pydantic puts in.

    A key with a dot may have been written as one mapping in another.
    """
    value = mapping
    for position, part in enumerate(location):
        if isinstance(part, str) and isinstance(value, Mapping) and part not in value:
            *outer, last = part.split(".")
            inner: object = value
            for name in outer:
                inner = _child(inner, name)
            if outer and isinstance(inner, Mapping) and last in inner:
                value = inner[last]
                yield from (*outer, last)
                continue
        if isinstance(part, int) or (isinstance(value, Mapping) and part in value):
            value = _child(value, part)
        elif position < len(location) - 1 or not isinstance(value, Mapping):
            continue
        yield str(part)


def _describe(
    model: type[BaseModel], mapping: object, error: "ErrorDetails", keys: tuple[str, ...]
) -> tuple[str, str]:
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            return "unknown key", alternatives(keys[-1], _known_keys(model, mapping, keys[:-1]))
        case "missing":
            return "missing", "give it a value"
        case "union_tag_invalid":
            tags = [_bare(tag) for tag in context["expected_tags"].split(",")]
            tag = str(context["tag"])
            return f"unknown {_bare(context['discriminator'])} {tag!r}", alternatives(tag, tags)
        case "union_tag_not_found":
            return f"no {_bare(context['discriminator'])}", "say which it is"
        case "invalid_key":
            return f"{error['input']!r} is no name", "write a number without commas: 136000"
        case "value_error" | "assertion_error":
            cause = context["error"]
            known = isinstance(cause, UserError)
            return (cause.problem, cause.remedy) if known else (str(cause), "")
    message = error["msg"][:1].lower() + error["msg"][1:]
    return f"{message}, not {_shorten(error['input'])}", ""


def _bare(quoted: str) -> str:
    return quoted.strip(" '")


def _shorten(value: object, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _known_keys(model: type[BaseModel], mapping: object, keys: tuple[str, ...]) -> set[str]:
    """The keys that the model knows at a place, by walking its JSON Schema."""
    try:
        schema = model.model_json_schema()
    except PydanticInvalidForJsonSchema:
        return set()
    value = mapping
    nodes = list(_objects(schema, schema, value))
    for key in keys:
        value = _child(value, key)
        nodes = [
            found
            for node in nodes
            for step in _step(node, key)
            for found in _objects(schema, step, value)
        ]
    return {name for node in nodes for name in node.get("properties", {})}


def _child(value: object, key: int | str) -> object:
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, list | tuple) and str(key).isdigit() and int(key) < len(value):
        return value[int(key)]
    return None


def _step(node: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    if key in node.get("properties", {}):
        yield node["properties"][key]
    for pattern, step in node.get("patternProperties", {}).items():
        if re.search(pattern, key):
            yield step
    for name in ("additionalProperties", "items"):
        if isinstance(node.get(name), dict):
            yield node[name]


def _objects(
    schema: Mapping[str, Any], node: Mapping[str, Any], value: object
) -> Iterator[Mapping[str, Any]]:
    """Yields the schemas that a node stands for, of a tagged union only the one that is meant."""
    if "$ref" in node:
        yield from _objects(schema, schema["$defs"][node["$ref"].rpartition("/")[2]], value)
        return
    if "discriminator" in node and isinstance(value, Mapping):
        tags = node["discriminator"]["mapping"]
        tag = value.get(node["discriminator"]["propertyName"])
        if tag in tags:
            yield from _objects(schema, {"$ref": tags[tag]}, value)
            return
    for name in ("anyOf", "oneOf", "allOf"):
        for option in node.get(name, ()):
            yield from _objects(schema, option, value)
    if not HOLDERS.isdisjoint(node):
        yield node
