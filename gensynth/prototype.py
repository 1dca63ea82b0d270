"""Prototypes: the YAML in which a person writes a network, and its expansion into a genome.

A prototype is a chain. Each entry reads the one before it, unless it says otherwise::

    name: two_blocks
    input: [1, 48, 48]                  # channels, height, width
    classes: 7                          # $classes, unless the data set says otherwise
    modules:                            # templates, written once
      layer:
        parameters: {width, stride: 1}  # without a value: has to be given
        network:
          - {op: conv, out_channels: $width, kernel: 3, stride: $stride, bias: false}
          - {op: batch_norm}
          - {op: relu}
      block:
        parameters: {width}
        network:
          - {use: layer, width: $width}
          - {op: add, inputs: [layer, input]}
    network:
      - {id: stem, use: layer, width: 16}
      - {use: block, width: 16, repeat: 2}
      - {id: tail, use: layer, width: 16, inputs: [stem, block]}
      - {op: global_avg_pool}
      - {op: flatten}
      - {op: linear, out_features: $classes}

* ``op`` names an operation of the genome and takes its attributes; ``use`` names a template and
  takes its parameters. ``$name`` is a parameter's value.
* ``id`` names an entry; without one it is called after its op or template, from the second on with
  a number (``conv``, ``conv2``). ``input`` is what the chain is given. An id is known to the later
  entries of its own chain.
* ``inputs`` is an id, or a list whose sum is read; ``add`` and ``concat`` take the list itself.
  Sums of the same terms are computed once.
* ``repeat`` puts an entry several times in a row; its id then stands for the last.
* A convolution's padding is half its kernel unless it says otherwise; everything else defaults as
  in the genome. ``kernel: map`` is the whole map that is read, without padding: such a convolution
  is a dense layer that a ``batch_norm`` can follow.
* ``outputs`` maps output names to ids; without it the last entry is the output ``logits``.
* ``decisions`` holds, for each search space that contains the prototype, the point that decodes
  to it. Expansion leaves it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from gensynth.errors import UserError
from gensynth.genome import INPUT, OPERATIONS, Add, Genome, Operation, Shape
from gensynth.genome.graph import MAX_NODES
from gensynth.genome.operations import Count, ShapeError
from gensynth.validation import alternatives, validate

OUTPUT = "logits"
WHOLE_MAP = "map"

Entry = Mapping[str, Any]
Locate = Callable[[str], str]

_ENTRY_KEYS = ("op", "use", "id", "inputs", "repeat")
_EntryId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_\-]{0,31}$")]


class Template(BaseModel):
    """A chain with parameters, to be used many times.

    Attributes:
        parameters: Defaults by name; a parameter without one has to be given.
        network: The chain.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameters: dict[str, Any] = Field(default_factory=dict)
    network: Annotated[list[dict[str, Any]], Field(min_length=1)]


class Prototype(BaseModel):
    """A prototype as written; the module's documentation says what its keys mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=256)]
    input: tuple[Count, Count, Count]
    classes: Count = 7
    modules: dict[_EntryId, Template] = Field(default_factory=dict)
    network: Annotated[list[dict[str, Any]], Field(min_length=1)]
    outputs: dict[str, str] = Field(default_factory=dict)
    decisions: dict[str, dict[str, Any]] = Field(default_factory=dict)


def _in_prototype(key: str) -> str:
    return f"prototype.{key}" if key else "prototype"


def expand(
    config: Mapping[str, Any],
    classes: int | None = None,
    *,
    image: Shape | None = None,
    locate: Locate = _in_prototype,
) -> Genome:
    """Writes a prototype out as a genome.

    Args:
        config: The prototype, as read from YAML.
        classes: Value of ``$classes``; the prototype's own number when None.
        image: Channels, height and width to read; the prototype's own input when None.
        locate: From a dotted key of the prototype to what an error calls the place.

    Returns:
        The genome, named after the prototype. Nodes are named after the entries that they come
        from, ``block2.layer.conv``.

    Raises:
        UserError: One line that names the key: an unknown key, op, template, parameter or id, a
            value out of range, shapes that do not fit, a template that uses itself.
    """
    prototype = validate(Prototype, config, where=locate)
    given = {"classes": classes, "input": image}
    chosen = {key: value for key, value in given.items() if value is not None}
    if chosen:
        prototype = validate(Prototype, {**config, **chosen}, where=locate)
    channels, height, width = prototype.input
    expansion = _Expansion(prototype.modules, locate, {INPUT: (channels, height, width)})
    scope = _Scope("network", "", {"classes": prototype.classes}, {INPUT: INPUT})
    last = expansion.chain(prototype.network, scope)
    outputs = {
        name: scope.find(entry, locate(f"outputs.{name}"))
        for name, entry in prototype.outputs.items()
    }
    return Genome.parse(
        {
            "name": prototype.name,
            "input": {"channels": channels, "height": height, "width": width},
            "nodes": expansion.nodes,
            "outputs": outputs or {OUTPUT: last},
            "provenance": {"prototype": prototype.name},
        },
        where=locate("network"),
    )


def load(path: str | Path, classes: int | None = None, *, image: Shape | None = None) -> Genome:
    """Reads a prototype's YAML file and expands it.

    Args:
        path: The file.
        classes: As in :func:`expand`.
        image: As in :func:`expand`.

    Raises:
        UserError: If it cannot be read, and as in :func:`expand`, naming the file.
    """
    try:
        config = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise UserError(f"cannot be read ({reason})", where=str(path)) from error
    except yaml.YAMLError as error:
        raise UserError(f"not YAML ({error})", where=str(path)) from error
    return expand(
        config, classes, image=image, locate=lambda key: f"{path}: {key}" if key else str(path)
    )


@dataclass
class _Scope:
    """One chain being written out.

    Attributes:
        path: Dotted key of the chain in the prototype.
        prefix: What the ids of its nodes begin with.
        arguments: Values of the parameters.
        names: From the ids known so far to nodes.
        templates: The templates that are being expanded, outermost first.
    """

    path: str
    prefix: str
    arguments: Mapping[str, Any]
    names: dict[str, str]
    templates: tuple[str, ...] = ()

    def find(self, name: str, where: str) -> str:
        """The node that an id stands for."""
        if name not in self.names:
            remedy = alternatives(name, self.names)
            raise UserError(
                f"reads {name!r}, which is no earlier entry", where=where, remedy=remedy
            )
        return self.names[name]

    def value(self, written: Any, where: str) -> Any:
        """A written value with the parameters put in."""
        if isinstance(written, list | tuple):
            return [self.value(item, where) for item in written]
        if not isinstance(written, str) or not written.startswith("$"):
            return written
        name = written[1:]
        if name not in self.arguments:
            known = alternatives(name, self.arguments)
            raise UserError(f"unknown parameter {written}", where=where, remedy=known)
        return self.arguments[name]


@dataclass
class _Expansion:
    """The nodes written so far."""

    modules: Mapping[str, Template]
    locate: Locate
    shapes: dict[str, Shape]
    nodes: list[Operation] = field(default_factory=list)
    sums: dict[tuple[str, ...], str] = field(default_factory=dict)

    def chain(self, entries: list[dict[str, Any]], scope: _Scope) -> str:
        """Writes out a chain; returns its last node."""
        current = scope.names[INPUT]
        given = {entry["id"] for entry in entries if isinstance(entry.get("id"), str)}
        for position, written in enumerate(entries):
            where = f"{scope.path}.{position}"
            entry = {
                key: value
                if key in ("id", "inputs")
                else scope.value(value, self.locate(f"{where}.{key}"))
                for key, value in written.items()
            }
            name = self._name(entry, scope, given, where)
            sources = self._sources(entry, scope, current, where)
            for round_name in self._rounds(entry, name, where):
                current = self._entry(entry, scope, round_name, sources, where)
                sources = [current]
            scope.names[name] = current
        return current

    def _name(self, entry: Entry, scope: _Scope, given: set[str], where: str) -> str:
        kinds = [key for key in ("op", "use") if key in entry]
        if len(kinds) != 1:
            raise UserError(
                "has both op and use" if kinds else "has neither op nor use",
                where=self.locate(where),
                remedy="write {op: an operation, ...} or {use: a template, ...}",
            )
        if "id" in entry:
            name = str(entry["id"])
            validate(_Named, {"id": entry["id"]}, where=self._keys(where))
            if name in scope.names:
                raise UserError(f"id {name!r} is used twice", where=self.locate(f"{where}.id"))
            return name
        taken = given | scope.names.keys()
        return _unused(str(entry[kinds[0]]), taken)

    def _sources(self, entry: Entry, scope: _Scope, current: str, where: str) -> list[str]:
        written = entry.get("inputs", None)
        if written is None:
            return [current]
        place = self.locate(f"{where}.inputs")
        names = [written] if isinstance(written, str) else written
        if not isinstance(names, list | tuple) or not names:
            raise UserError("inputs is neither an id nor a list of ids", where=place)
        return [scope.find(str(name), place) for name in names]

    def _rounds(self, entry: Entry, name: str, where: str) -> Iterator[str]:
        repeat = entry.get("repeat", 1)
        if not isinstance(repeat, int) or isinstance(repeat, bool) or repeat < 1:
            raise UserError(
                f"repeat is {repeat!r}, not a positive integer",
                where=self.locate(f"{where}.repeat"),
            )
        return (name if repeat == 1 else f"{name}-{round + 1}" for round in range(repeat))

    def _entry(self, entry: Entry, scope: _Scope, name: str, sources: list[str], where: str) -> str:
        attributes = {key: value for key, value in entry.items() if key not in _ENTRY_KEYS}
        if "op" in entry:
            return self._operation(entry["op"], attributes, scope.prefix + name, sources, where)
        source = self._sum(scope.prefix + name, sources, where)
        return self._template(entry["use"], attributes, scope, name, source, where)

    def _operation(
        self, op: Any, attributes: dict[str, Any], node: str, sources: list[str], where: str
    ) -> str:
        model = OPERATIONS.get(str(op))
        if model is None:
            remedy = alternatives(str(op), OPERATIONS)
            raise UserError(f"unknown op {op!r}", where=self.locate(f"{where}.op"), remedy=remedy)
        if model.arity[1] == 1:
            sources = [self._sum(node, sources, where)]
        if attributes.get("kernel") == WHOLE_MAP:
            sides = self.shapes[sources[0]][1:]
            attributes = {"padding": 0, **attributes, "kernel": sides or 1}
        elif op == "conv":
            attributes = {"padding": _half(attributes), **attributes}
        written = {"id": self._unused_id(node), "op": op, "inputs": sources, **attributes}
        return self._append(validate(model, written, where=self._keys(where)), where)

    def _template(
        self, use: Any, given: dict[str, Any], scope: _Scope, name: str, source: str, where: str
    ) -> str:
        template = self.modules.get(str(use))
        place = self.locate(f"{where}.use")
        if template is None:
            remedy = alternatives(str(use), self.modules)
            raise UserError(f"unknown template {use!r}", where=place, remedy=remedy)
        if use in scope.templates:
            raise UserError(f"template {use!r} uses itself", where=place)
        for key in given:
            if key not in template.parameters:
                remedy = alternatives(key, [*template.parameters, *_ENTRY_KEYS])
                raise UserError("unknown key", where=self.locate(f"{where}.{key}"), remedy=remedy)
        arguments = {**template.parameters, **given}
        for key, value in arguments.items():
            if value is None:
                raise UserError(
                    f"template {use!r} needs a value for {key!r}", where=self.locate(where)
                )
        inner = _Scope(
            path=f"modules.{use}.network",
            prefix=f"{scope.prefix}{name}.",
            arguments={"classes": scope.arguments["classes"], **arguments},
            names={INPUT: source},
            templates=(*scope.templates, str(use)),
        )
        return self.chain(template.network, inner)

    def _sum(self, reader: str, sources: list[str], where: str) -> str:
        """The node that holds the sum of ``sources``."""
        if len(sources) == 1:
            return sources[0]
        terms = tuple(sorted(sources))
        if terms not in self.sums:
            node = Add(id=self._unused_id(f"{reader}.sum"), inputs=tuple(sources))
            self.sums[terms] = self._append(node, where)
        return self.sums[terms]

    def _append(self, node: Operation, where: str) -> str:
        low, _ = node.arity
        try:
            if len(node.inputs) < low:
                raise ShapeError(f"takes a list of at least {low} inputs")
            if len(self.nodes) >= MAX_NODES:
                raise ShapeError(f"the network has more than {MAX_NODES} nodes")
            shape = node.infer([self.shapes[source] for source in node.inputs])
        except ShapeError as error:
            raise UserError(str(error), where=self.locate(where)) from error
        self.shapes[node.id] = shape
        self.nodes.append(node)
        return node.id

    def _unused_id(self, node: str) -> str:
        return _unused(node, self.shapes)

    def _keys(self, where: str) -> Locate:
        return lambda key: self.locate(f"{where}.{key}" if key else where)


class _Named(BaseModel):
    id: _EntryId


def _unused(name: str, taken: Mapping[str, Any] | set[str]) -> str:
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}{number}"
    return candidate


def _half(attributes: Entry) -> Any:
    """The padding that keeps a map's size at stride 1, for an odd kernel."""
    kernel, dilation = attributes.get("kernel"), attributes.get("dilation", 1)
    pairs = [value if isinstance(value, list) else [value, value] for value in (kernel, dilation)]
    if not all(isinstance(number, int) for pair in pairs for number in pair):
        return 0
    return [tall // 2 * spread for tall, spread in zip(*pairs, strict=False)]
