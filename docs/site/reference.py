"""The pages of the reference that are made from the code: ``python -m docs.site.reference``.

Keys come from the pydantic models, their defaults from the composed configuration, their meaning
from the docstrings; commands come from the command line itself; formats from the models that read
them. A test compares what is on disk with what the code says.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import typer.main
from griffe import Docstring, DocstringSectionKind, Parser
from pydantic import BaseModel, TypeAdapter
from typer.cli import get_docs_for_click

from docs.site.roles import markdown
from gensynth import config
from gensynth.cli import app
from gensynth.config.folders import FOLDERS, find
from gensynth.execution import Entry
from gensynth.experiment import Experiment
from gensynth.generator import Generator
from gensynth.genome import OPERATIONS, json_schema
from gensynth.registry import Models
from gensynth.space import SPACES

FOLDER = Path(__file__).parents[1] / "reference"
MADE = "Made from the code by `python -m docs.site.reference`."
DRAFT = "https://json-schema.org/draft/2020-12/schema"

DESCRIBED = (DocstringSectionKind.attributes, DocstringSectionKind.parameters)
WRITTEN = ("prototype", "search_space")
"""Keys of an experiment that a file of their own holds."""


def pages() -> dict[str, str]:
    """Every page that is made, by its path under ``docs/reference``."""
    made = {
        "configuration.md": configuration(),
        "commands.md": commands(),
        "operations.md": operations(),
    }
    for name, schema in schemas().items():
        made[f"schemas/{name}.json"] = json.dumps(schema, indent=2) + "\n"
    return made


@dataclass(frozen=True)
class Key:
    """One key of the configuration.

    Attributes:
        name: Dotted, from the model that the table is about.
        values: What it can be.
        default: What it is when nobody says otherwise; None where it has to be given.
        meaning: One line.
    """

    name: str
    values: str
    default: str | None
    meaning: str

    @property
    def row(self) -> str:
        """Its row in a table."""
        default = "" if self.default is None else f"`{self.default}`"
        cells = (f"`{self.name}`", default, self.values, self.meaning)
        return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def keys(model: type[BaseModel], defaults: Mapping[str, Any], prefix: str = "") -> Iterator[Key]:
    """Every key of a model, nested ones dotted.

    Args:
        model: A part of the experiment.
        defaults: Composed values of it; its own defaults stand for what they leave out.
        prefix: What every name begins with.
    """
    schema = model.model_json_schema()
    known = meanings(model)
    for name, field in model.model_fields.items():
        inner = models(field.annotation)
        if name == "kind" or (not prefix and name in WRITTEN):
            continue
        dotted = f"{prefix}{name}"
        value = defaults.get(name, field.get_default(call_default_factory=True, validated_data={}))
        if field.annotation in inner and inner[0].model_fields.keys() & meanings(inner[0]).keys():
            nested = value if isinstance(value, Mapping) else {}
            yield from keys(inner[0], nested, f"{dotted}.")
            continue
        yield Key(
            dotted,
            values(schema["properties"][name], schema.get("$defs", {})),
            None if field.is_required() and name not in defaults else written(value),
            known.get(name, ""),
        )


def models(annotation: Any) -> list[type[BaseModel]]:
    """The models that a field's annotation names, in their order."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return [annotation]
    return list(dict.fromkeys(model for one in get_args(annotation) for model in models(one)))


def meanings(described: type) -> dict[str, str]:
    """What the docstrings of a class and its bases say of each attribute, in one line."""
    found: dict[str, str] = {}
    for one in described.__mro__:
        text = one.__dict__.get("__doc__") or ""
        docstring = Docstring(inspect.cleandoc(text), parser=Parser.google)
        for section in docstring.parse(warnings=False):
            if section.kind in DESCRIBED:
                for item in section.value:
                    found.setdefault(item.name, _line(item.description))
    return found


def summary(described: object) -> str:
    """The first paragraph of a docstring."""
    return _line((inspect.getdoc(described) or "").partition("\n\n")[0])


def _line(text: str) -> str:
    """Part of a docstring in one line, for people who write YAML."""
    line = " ".join(markdown(text).split()).replace("``", "`")
    return re.sub(r"\bNone\b", "null", line)


def values(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """What a JSON Schema allows, in words."""
    if "$ref" in schema:
        return values(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            told = dict.fromkeys(values(one, definitions) for one in schema[key])
            return " or ".join(told)
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{written(one)}`" for one in schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {values(schema.get('items', {}), definitions)}"
    if kind == "object":
        fields = schema.get("properties", {})
        return f"{{{', '.join(fields)}}}" if fields else "mapping"
    return f"{kind}{_limits(schema)}"


def _limits(schema: Mapping[str, Any]) -> str:
    signs = {
        "minimum": "≥",
        "exclusiveMinimum": ">",
        "maximum": "≤",
        "exclusiveMaximum": "<",
    }
    told = [f"{sign} {schema[key]:g}" for key, sign in signs.items() if key in schema]
    return f" {', '.join(told)}" if told else ""


def written(value: Any) -> str:
    """A value as one writes it after ``key=``."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    return json.dumps(value, ensure_ascii=False, default=str).strip('"')


def table(rows: Iterator[Key]) -> list[str]:
    """Keys as a Markdown table."""
    return ["| key | default | values | meaning |", "|---|---|---|---|", *(key.row for key in rows)]


def configuration() -> str:
    """The page of all keys."""
    composed = config.compose()
    sections = [
        "# Configuration",
        "",
        "Every key of an experiment: `key=value` on the command line, or YAML in a file.",
        f"{MADE}",
        "",
        "## What can be chosen",
        "",
        *choices(),
        "",
        "## Top level",
        "",
    ]
    top = [name for name, field in Experiment.model_fields.items() if not models(field.annotation)]
    every = list(keys(Experiment, composed))
    sections += table(key for key in every if key.name in top)
    for name, field in Experiment.model_fields.items():
        registered = [kind for entry in field.metadata for kind in _registered(entry)]
        kinds = registered or models(field.annotation)
        if kinds:
            sections += ["", f"## `{name}`", "", *part(name, kinds, composed[name])]
    sections += ["", "## `search_space`", ""]
    for model in _registered(SPACES):
        kind = get_args(model.model_fields["kind"].annotation)[0]
        found = composed["search_space"] if composed["search_space"]["kind"] == kind else {}
        sections += [f"### `search_space.kind={kind}`", "", summary(model), ""]
        sections += table(keys(model, found, "search_space."))
    sections += [
        "",
        "## `prototype`",
        "",
        "A network as a person writes it: [Your network](../guide/network.md).",
    ]
    return "\n".join(sections) + "\n"


def _registered(entry: object) -> list[type[BaseModel]]:
    """The models of a registry, each once; none of anything else."""
    return list(dict.fromkeys(entry.values())) if isinstance(entry, Models) else []


def part(name: str, kinds: list[type[BaseModel]], chosen: Mapping[str, Any]) -> list[str]:
    """The section of a key that holds a model, or one of several kinds."""
    if len(kinds) == 1:
        return [summary(kinds[0]), "", *table(keys(kinds[0], chosen, f"{name}."))]
    lines: list[str] = []
    for kind in kinds:
        word = get_args(kind.model_fields["kind"].annotation)[0]
        file = find(name, word)
        defaults = dict(config.compose([f"{name}={word}"])[name]) if file else {}
        if chosen.get("kind") == word:
            defaults = dict(chosen)
        lines += [f"### `{name}.kind={word}`", "", summary(kind), ""]
        rows = list(keys(kind, defaults, f"{name}."))
        lines += [*table(iter(rows)), ""] if rows else []
    return lines[:-1]


def choices() -> list[str]:
    """Tables of the files that can be chosen by name, with the sentence at their head."""
    lines = []
    for group in (*FOLDERS, "data", "training"):
        lines += [f"### `{group}=`", "", "| name | |", "|---|---|"]
        for name in config.options(group):
            file = find(group, name)
            assert file is not None
            lines.append(f"| `{name}` | {head(file.read_text(encoding='utf-8'))} |")
        lines.append("")
    return lines[:-1]


def head(text: str) -> str:
    """The first sentence of the comment that a file begins with."""
    comment = []
    for line in text.splitlines():
        if line.startswith("# @package"):
            continue
        if not line.startswith("#"):
            break
        comment.append(line.lstrip("# "))
    sentence = re.split(r"(?<=[a-z0-9)])(?<!et al)\. ", f"{' '.join(comment)} ", maxsplit=1)[0]
    return sentence.strip().rstrip(".").replace("|", "&#124;")


def commands() -> str:
    """The page of the command line."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="gensynth")
    text = get_docs_for_click(obj=command, ctx=context, name="gensynth", title="Commands")
    text = re.sub(r"^\$ ", "", text, flags=re.MULTILINE)
    text = re.sub(r"^\* `(-h, )?--help`.*\n", "", text, flags=re.MULTILINE)
    return f"{text.strip()}\n\n{MADE}\n"


def operations() -> str:
    """The page of the operations that a genome is made of."""
    lines = [
        "# Operations",
        "",
        "What a node of a genome, or an entry of a prototype, can be. Beside these attributes a",
        f"node has an `id` and `inputs`. {MADE}",
        "",
    ]
    together: dict[type[BaseModel], list[str]] = {}
    for op, model in OPERATIONS.items():
        together.setdefault(model, []).append(op)
    for operation, ops in together.items():
        schema = operation.model_json_schema()
        known = meanings(operation)
        lines += [f"## {', '.join(f'`{op}`' for op in ops)}", "", summary(operation), ""]
        rows = [
            Key(
                name,
                values(schema["properties"][name], schema.get("$defs", {})),
                None if field.is_required() else written(field.default),
                known.get(name, ""),
            )
            for name, field in operation.model_fields.items()
            if name not in ("id", "op", "inputs")
        ]
        if rows:
            lines += ["| attribute | default | values | meaning |", "|---|---|---|---|"]
            lines += [*(key.row for key in rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def schemas() -> dict[str, dict[str, Any]]:
    """JSON Schemas of the files that people exchange, by name."""
    return {
        "genome": json_schema(),
        "generator": {
            "$schema": DRAFT,
            "title": "gensynth generator",
            **Generator.model_json_schema(),
        },
        "journal-line": {"$schema": DRAFT, **TypeAdapter(Entry).json_schema()},
    }


def main() -> None:
    """Writes the pages."""
    for name, text in pages().items():
        file = FOLDER / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
