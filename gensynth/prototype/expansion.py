"""From a prototype to the nodes of a genome."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from gensynth.errors import UserError
from gensynth.genome import INPUT, OPERATIONS, Add, Genome, InputShape, Operation, Shape, ShapeError
from gensynth.genome.graph import MAX_NODES
from gensynth.prototype.document import Classes, EntryId, Prototype, Template
from gensynth.prototype.marks import JOINED, Choose, Mark, Value, read_mark
from gensynth.reading import read_yaml
from gensynth.validation import alternatives, validate

OUTPUT = "logits"
WHOLE_MAP = "map"
FITS = "fits"
CHANNELS = "channels"
REMEMBERED = 10_000

Entry = Mapping[str, Any]
Locate = Callable[[str], str]
Ranges = Callable[[str], Mark | None]

_KINDS = ("op", "use")
_PLACED = ("id", "inputs", "repeat", "when", "then")
_ENTRY_KEYS = (*_KINDS, *_PLACED)


def _in_prototype(key: str) -> str:
    return f"prototype.{key}" if key else "prototype"


def expand(
    config: Mapping[str, Any],
    classes: Classes | None = None,
    *,
    image: Shape | None = None,
    locate: Locate = _in_prototype,
) -> Genome:
    """Writes a prototype out as a genome.

    Args:
        config: The prototype, as read from YAML.
        classes: Value of ``$classes``, or one for each head by its name; the prototype's own when
            None.
        image: Channels, height and width to read; the prototype's own input when None.
        locate: From a dotted key of the prototype to what an error calls the place.

    Returns:
        The genome, named after the prototype. Nodes are named after the entries that they come
        from, ``block2.layer.conv``. A value that varies has its start.

    Raises:
        UserError: One line that names the key: an unknown key, op, template, parameter or id, a
            value out of range, shapes that do not fit, a template that uses itself.
    """
    return Blueprint(config, classes, image=image, locate=locate).expand()


def load(path: str | Path, classes: Classes | None = None, *, image: Shape | None = None) -> Genome:
    """Reads a prototype's YAML file and expands it.

    Args:
        path: The file.
        classes: As in :func:`expand`.
        image: As in :func:`expand`.

    Raises:
        UserError: If it cannot be read, and as in :func:`expand`, naming the file.
    """
    config = read_yaml(path)
    return expand(
        config, classes, image=image, locate=lambda key: f"{path}: {key}" if key else str(path)
    )


class Blueprint:
    """A prototype, read once, to be written out with its own values or with others.

    Args:
        config: As in :func:`expand`.
        classes: As in :func:`expand`.
        image: As in :func:`expand`.
        ranges: What the value at a place can be instead, where the prototype does not say so
            itself; None where it is fixed.
        locate: As in :func:`expand`.

    Attributes:
        prototype: What was read.
        written: Templates that were written out before.

    Raises:
        UserError: If it is no prototype.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        classes: Classes | None = None,
        *,
        image: Shape | None = None,
        ranges: Ranges | None = None,
        locate: Locate = _in_prototype,
    ) -> None:
        prototype = validate(Prototype, config, where=locate)
        given = {"classes": classes, "input": image}
        chosen = {key: value for key, value in given.items() if value is not None}
        if chosen:
            prototype = validate(Prototype, {**config, **chosen}, where=locate)
        self.prototype = prototype
        self.ranges = ranges
        self.locate = locate
        self.written: dict[tuple[Any, ...], _Written] = {}
        self._marks: dict[str, Mark | None] = {}

    def expand(self, choose: Choose | None = None) -> Genome:
        """Writes the prototype out.

        Args:
            choose: Decides on what varies, each place once; None takes the start of each.

        Raises:
            UserError: As :func:`expand`.
        """
        writer, outputs = self._written(choose)
        channels, height, width = self.prototype.input
        image = InputShape(channels=channels, height=height, width=width)
        nodes = tuple(writer.nodes)
        if writer.answers:
            nodes = _leading_to(outputs.values(), nodes)
        name = self.prototype.name
        if choose is None:
            data = {"input": image, "nodes": nodes, "outputs": outputs, "name": name}
            data["provenance"] = {"prototype": name}
            return Genome.parse(data, where=self.locate("network"))
        if not nodes:
            raise UserError("nothing leads to the output", where=self.locate("network"))
        return Genome.constructed(
            input=image, nodes=nodes, outputs=outputs, name=name, provenance={"prototype": name}
        )

    @cached_property
    def marks(self) -> Mapping[str, Mark]:
        """Everything that varies, by place.

        Found by writing out the largest network that the marks allow, then with every other choice
        that decides which entries there are, beside those that led to it.
        """
        self.expand()
        found: dict[str, Mark] = {}
        waiting: list[dict[str, Value]] = [{}]
        while waiting:
            fixed = waiting.pop(0)
            fresh: list[str] = []

            def choose(
                place: str,
                mark: Mark,
                fixed: dict[str, Value] = fixed,
                fresh: list[str] = fresh,
            ) -> Value:
                if place not in found:
                    found[place] = mark
                    fresh.append(place)
                return fixed.get(place, mark.most)

            writer, _ = self._written(choose, lenient=True)
            for place in fresh:
                if place in writer.structural:
                    others = found[place].choices or ()
                    waiting += [{**fixed, place: value} for value in others]
        return found

    def _written(
        self, choose: Choose | None, *, lenient: bool = False
    ) -> tuple[_Writer, dict[str, str]]:
        prototype = self.prototype
        writer = _Writer(self, choose, lenient, {INPUT: prototype.input})
        classes, network = prototype.classes, prototype.network
        heads = classes if isinstance(classes, Mapping) else {}
        cut = next((at for at, entry in enumerate(network) if self._classifies(entry)), None)
        scope = _Scope("network", "", {"classes": classes}, {INPUT: INPUT})
        scope = writer.prototype_scope(prototype.parameters, scope)
        if not heads or cut is None:
            last = writer.chain(network, scope)
            outputs = {
                name: scope.find(entry, self.locate(f"outputs.{name}"))
                for name, entry in prototype.outputs.items()
            }
            return writer, outputs or {OUTPUT: last}
        self._check_heads(cut)
        writer.chain(network[:cut], scope)
        return writer, {name: writer.head(name, size, cut, scope) for name, size in heads.items()}

    def _classifies(self, entry: Any, seen: frozenset[str] = frozenset()) -> bool:
        """Whether an entry, or a template that it uses, reads ``$classes``."""
        if isinstance(entry, str):
            return "classes" in _NAME.findall(entry)
        if isinstance(entry, list | tuple):
            return any(self._classifies(one, seen) for one in entry)
        if not isinstance(entry, Mapping):
            return False
        inside: list[Any] = list(entry.values())
        template = self.prototype.modules.get(str(entry.get("use")))
        if template is not None and entry["use"] not in seen:
            inside += template.network
            seen |= {entry["use"]}
        return any(self._classifies(one, seen) for one in inside)

    def _check_heads(self, cut: int) -> None:
        if self.prototype.outputs:
            raise UserError(
                "has outputs of its own beside several heads",
                where=self.locate("outputs"),
                remedy="leave them out, or write each head's layer and no $classes",
            )
        if cut == 0:
            raise UserError(
                "its first entry reads $classes, so several heads would share nothing",
                where=self.locate("network.0"),
                remedy="put what they share before what reads $classes",
            )

    def mark(
        self, place: str, written: Any, where: str, own: Callable[[], Any] | None = None
    ) -> Mark | None:
        """What the value at a place can be instead; None where it is fixed.

        The first expansion is with the prototype's own values, which are therefore the starts.

        Args:
            place: The place.
            written: What stands there.
            where: What an error calls it.
            own: The value of what stands there, if that is not it.
        """
        if place not in self._marks:
            self._marks[place] = self._read(place, written, where, own)
        return self._marks[place]

    def _read(
        self, place: str, written: Any, where: str, own: Callable[[], Any] | None
    ) -> Mark | None:
        mark = None
        if isinstance(written, Mapping):
            mark = read_mark(written, where=lambda key: f"{where}.{key}" if key else where)
            if mark.start is None:
                raise UserError("has no start", where=where, remedy="give the prototype's value")
        given = self.ranges(place) if self.ranges is not None else None
        if given is None:
            return mark
        start = mark.start if mark is not None else own() if own is not None else written
        return given.starting(start, where=f"search_space: ranges.{place}")


@dataclass
class _Scope:
    """One chain being written out.

    Attributes:
        path: Dotted key of the chain in the prototype.
        prefix: What the ids of its nodes begin with.
        arguments: Values of the parameters.
        names: From the ids known so far to nodes.
        templates: The templates that are being expanded, outermost first.
        varying: Places on which the value of a parameter depends.
    """

    path: str
    prefix: str
    arguments: Mapping[str, Any]
    names: dict[str, str]
    templates: tuple[str, ...] = ()
    varying: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def find(self, name: str, where: str) -> str:
        """The node that an id stands for."""
        if name not in self.names:
            remedy = alternatives(name, self.names)
            raise UserError(
                f"reads {name!r}, which is no earlier entry", where=where, remedy=remedy
            )
        return self.names[name]


@dataclass
class _Writer:
    """The nodes written so far.

    Attributes:
        blueprint: What is written out.
        choose: Decides; None takes the start.
        lenient: Whether to go on where shapes do not fit, as if the operation were not there.
        shapes: Shape of each node, and of the image.
        nodes: In the order in which they run.
        sums: Node of each sum, by its terms.
        answers: What was decided, by place.
        structural: Places that decide which entries there are.
    """

    blueprint: Blueprint
    choose: Choose | None
    lenient: bool
    shapes: dict[str, Shape]
    nodes: list[Operation] = field(default_factory=list)
    sums: dict[tuple[str, ...], str] = field(default_factory=dict)
    answers: dict[str, Value] = field(default_factory=dict)
    structural: set[str] = field(default_factory=set)

    @property
    def modules(self) -> Mapping[str, Template]:
        return self.blueprint.prototype.modules

    def locate(self, key: str) -> str:
        return self.blueprint.locate(key)

    def prototype_scope(self, parameters: Mapping[str, Any], scope: _Scope) -> _Scope:
        """The outermost scope with the prototype's parameters."""
        arguments, varying = dict(scope.arguments), {}
        for name, written in parameters.items():
            arguments[name] = self.value(written, name, scope, self.locate(f"parameters.{name}"))
            varying[name] = self.depends(written, name, scope)
        return replace(scope, arguments=arguments, varying=varying)

    def head(self, name: str, size: int, start: int, trunk: _Scope) -> str:
        """Writes out what follows the trunk for one head; returns its last node."""
        scope = replace(
            trunk,
            prefix=f"{name}.",
            arguments={**trunk.arguments, "classes": size},
            names=dict(trunk.names),
        )
        return self.chain(self.blueprint.prototype.network, scope, start=start)

    def chain(self, entries: Sequence[Entry], scope: _Scope, *, start: int = 0) -> str:
        """Writes out a chain; returns its last node.

        Args:
            entries: The chain.
            scope: Where it stands; it reads what was written there last.
            start: The first entry to write.
        """
        before, current = next(reversed(scope.names.items()))
        given = {entry["id"] for entry in entries if isinstance(entry.get("id"), str)}
        for position, entry in enumerate(entries[start:], start):
            where = f"{scope.path}.{position}"
            kind = self._kind(entry, where)
            name = self._name(entry, kind, scope, given, where)
            place = f"{scope.prefix}{name}"
            sources, chosen = self._sources(entry, scope, current, before, place, where)
            for number, copy in self._copies(entry, scope, name, place, where):
                then = entry.get("then", {}) if number else {}
                written = {**entry, **then} if isinstance(then, Mapping) else entry
                later = frozenset(then)
                step = _Step(written, later, kind, scope, copy, place, where, sources, chosen)
                current = self._entry(step)
                sources, chosen = [current], False
            scope.names[name], before = current, name
        return current

    def value(
        self, written: Any, place: str, scope: _Scope, where: str, channels: int | None = None
    ) -> Any:
        """A written value with everything decided and the parameters put in."""
        if place:
            mark = self.blueprint.mark(
                place, written, where, lambda: self.value(written, "", scope, where, channels)
            )
            if mark is not None:
                return self.decide(place, mark)
        if isinstance(written, list | tuple):
            return [
                self.value(item, place and f"{place}.{number}", scope, where, channels)
                for number, item in enumerate(written)
            ]
        if not isinstance(written, str) or not written.startswith("$"):
            return written
        if written[1:] in scope.arguments:
            return scope.arguments[written[1:]]
        given = {} if channels is None else {CHANNELS: channels}
        return _calculated(written, {**given, **scope.arguments}, where)

    def decide(self, place: str, mark: Mark) -> Value:
        """What the value at a place is."""
        if place not in self.answers:
            start = mark.start
            assert start is not None
            assert not isinstance(start, tuple)
            self.answers[place] = start if self.choose is None else self.choose(place, mark)
        return self.answers[place]

    def depends(self, written: Any, place: str, scope: _Scope) -> frozenset[str]:
        """The places on which a value depends: its own, or those of its parameters."""
        if place in self.answers:
            return frozenset((place,))
        if not isinstance(written, str):
            return _NOTHING
        if written[1:] in scope.varying:
            return scope.varying[written[1:]]
        return _NOTHING.union(*(scope.varying.get(name, ()) for name in _NAME.findall(written)))

    def _kind(self, entry: Entry, where: str) -> str:
        kinds = [key for key in _KINDS if key in entry]
        if len(kinds) != 1:
            raise UserError(
                "has both op and use" if kinds else "has neither op nor use",
                where=self.locate(where),
                remedy="write {op: an operation, ...} or {use: a template, ...}",
            )
        return kinds[0]

    def _name(self, entry: Entry, kind: str, scope: _Scope, given: set[str], where: str) -> str:
        if "id" in entry:
            name = str(entry["id"])
            validate(_Named, {"id": entry["id"]}, where=self._keys(where))
            if name in scope.names:
                raise UserError(f"id {name!r} is used twice", where=self.locate(f"{where}.id"))
            return name
        taken = given | scope.names.keys()
        written = entry[kind]
        if isinstance(written, Mapping):
            written = written.get("start")
        if isinstance(written, str) and written.startswith("$"):
            # an entry has one name, whatever its operation turns out to be
            varies = bool(scope.varying.get(written[1:]))
            place = self.locate(f"{where}.{kind}")
            written = written[1:] if varies else self.value(written, "", scope, place)
        return _unused(str(written), taken)

    def _sources(
        self, entry: Entry, scope: _Scope, current: str, before: str, place: str, where: str
    ) -> tuple[list[str], bool]:
        """The nodes that an entry reads, and whether they were decided on."""
        written = entry.get("inputs")
        here = self.locate(f"{where}.inputs")
        read = before if written is None else written
        mark = self.blueprint.mark(f"{place}.inputs", read, here)
        if mark is not None:
            chosen = str(self.decide(f"{place}.inputs", mark)).split(JOINED)
            return [scope.find(name, here) for name in chosen], True
        if written is None:
            return [current], False
        names = [written] if isinstance(written, str) else written
        if not isinstance(names, list | tuple) or not names:
            raise UserError("inputs is neither an id nor a list of ids", where=here)
        return [scope.find(str(name), here) for name in names], False

    def _copies(
        self, entry: Entry, scope: _Scope, name: str, place: str, where: str
    ) -> Iterator[tuple[int, str]]:
        if self.blueprint.ranges is None and "repeat" not in entry:
            yield 0, name
            return
        written, here = entry.get("repeat", 1), f"{place}.repeat"
        repeat = self.value(written, here, scope, self.locate(f"{where}.repeat"))
        if not isinstance(repeat, int) or isinstance(repeat, bool) or repeat < 1:
            raise UserError(
                f"repeat is {repeat!r}, not a positive integer",
                where=self.locate(f"{where}.repeat"),
            )
        numbered = repeat > 1 or bool(self.depends(written, here, scope))
        for number in range(repeat):
            yield number, f"{name}-{number + 1}" if numbered else name

    def _entry(self, step: _Step) -> str:
        """Writes one copy of an entry; returns its last node."""
        written, condition = step.entry[step.kind], step.entry.get("when", True)
        kind = self._valued(step, step.kind, written)
        when = self._valued(step, "when", condition)
        if not isinstance(when, bool) and (when != FITS or step.kind != "op"):
            raise UserError(
                f"when is {when!r}",
                where=self.locate(f"{step.where}.when"),
                remedy="write true or false, or for an op fits",
            )
        choice = self._depends(step, step.kind, written)
        self.structural |= choice | self._depends(step, "when", condition)
        if choice:
            step = replace(step, alternative=f"{kind}.")
        if step.kind == "op":
            return self._op(step, kind, when)
        return self._use(step, kind, when)

    def _valued(self, step: _Step, key: str, written: Any, inner: str = "") -> Any:
        if self._is_plain(written):
            return written
        here = self.locate(f"{step.where}.{key}")
        place = step.place_of(key, inner)
        return self.value(written, place, step.scope, here, self.shapes[step.sources[0]][0])

    def _is_plain(self, written: Any) -> bool:
        """Whether a value is what is written, wherever that stands."""
        if self.blueprint.ranges is not None:
            return False
        kind = type(written)
        return kind in (int, bool, float) or (kind is str and written[:1] != "$")

    def _depends(self, step: _Step, key: str, written: Any, inner: str = "") -> frozenset[str]:
        if self._is_plain(written):
            return _NOTHING
        return self.depends(written, step.place_of(key, inner), step.scope)

    def _op(self, step: _Step, op: str, when: bool | str) -> str:
        model = OPERATIONS.find(str(op), where=self.locate(f"{step.where}.op"))
        several = model.arity[1] > 1
        sources = self._fitting(step, op) if step.chosen else step.sources
        node = step.scope.prefix + step.name
        if not when:
            return sources[0] if several else self._sum(node, sources, step.where)
        own = step.own
        attributes = {key: self._valued(step, key, item) for key, item in own.items()}
        if self.blueprint.ranges is not None:
            for key, item in _defaults(model, own).items():
                attributes[key] = self._valued(step, key, item, step.alternative)
        fits = when == FITS or (step.chosen and several and len(sources) < model.arity[0])
        return self._operation(op, model, attributes, node, sources, step.where, fits)

    def _use(self, step: _Step, use: Any, when: bool | str) -> str:
        sources = self._fitting(step, "add") if step.chosen else step.sources
        source = self._sum(step.scope.prefix + step.name, sources, step.where)
        if not when:
            return source
        own = step.own
        template = self._template(use, own, step)
        outer = step.scope
        arguments: dict[str, Any] = {"classes": outer.arguments["classes"]}
        varying: dict[str, frozenset[str]] = {}
        for name in self.blueprint.prototype.parameters:
            arguments[name] = outer.arguments[name]
            varying[name] = outer.varying.get(name, frozenset())
        for key, item in {**template.parameters, **own}.items():
            inner = "" if key in own else step.alternative
            arguments[key] = self._valued(step, key, item, inner)
            varying[key] = self._depends(step, key, item, inner)
        scope = _Scope(
            path=f"modules.{use}.network",
            prefix=f"{outer.prefix}{step.name}.{step.alternative}",
            arguments=arguments,
            names={INPUT: source},
            templates=(*outer.templates, str(use)),
            varying=varying,
        )
        return self._remembered(template, scope)

    def _remembered(self, template: Template, scope: _Scope) -> str:
        """Writes out a template, from memory where it was written just so before.

        A search draws thousands of networks, most of whose blocks are those of another one. What a
        template asks inside is not remembered.
        """
        source = scope.names[INPUT]
        given = tuple((name, type(value), value) for name, value in scope.arguments.items())
        key = (scope.path, scope.prefix, source, self.shapes[source], given)
        try:
            known = None if self.lenient else self.blueprint.written.get(key)
        except TypeError:  # an argument is a list
            return self.chain(template.network, scope)
        if known is not None:
            self.nodes += known.nodes
            self.shapes.update(known.shapes)
            return known.last
        first, asked = len(self.nodes), len(self.answers)
        last = self.chain(template.network, scope)
        nodes = self.nodes[first:]
        if len(self.answers) == asked and not self.lenient:
            shapes = {node.id: self.shapes[node.id] for node in nodes}
            if len(self.blueprint.written) >= REMEMBERED:
                self.blueprint.written.clear()
            self.blueprint.written[key] = _Written(nodes, shapes, last)
        return last

    def _fitting(self, step: _Step, op: str) -> list[str]:
        """Of decided inputs those that fit the last."""
        last = self.shapes[step.sources[-1]]
        first_shared = 1 if op == "concat" else 0
        return [
            source
            for source in step.sources
            if len(self.shapes[source]) == len(last)
            and self.shapes[source][first_shared:] == last[first_shared:]
        ]

    def _operation(
        self,
        op: str,
        model: type[Operation],
        attributes: dict[str, Any],
        node: str,
        sources: list[str],
        where: str,
        fits: bool,
    ) -> str:
        if model.arity[1] == 1:
            sources = [self._sum(node, sources, where)]
        if attributes.get("kernel") == WHOLE_MAP:
            sides = self.shapes[sources[0]][1:]
            attributes = {"padding": 0, **attributes, "kernel": sides or 1}
        elif op == "conv":
            attributes = {"padding": _half(attributes), **attributes}
        written = {"id": self._unused_id(node), "op": op, "inputs": sources, **attributes}
        made = validate(model, written, where=self._keys(where))
        try:
            return self._append(made)
        except ShapeError as error:
            if fits or self.lenient:
                return sources[0]
            raise UserError(str(error), where=self.locate(where)) from error

    def _template(self, use: Any, given: Entry, step: _Step) -> Template:
        template = self.modules.get(str(use))
        place = self.locate(f"{step.where}.use")
        if template is None:
            remedy = alternatives(str(use), self.modules)
            raise UserError(f"unknown template {use!r}", where=place, remedy=remedy)
        if use in step.scope.templates:
            raise UserError(f"template {use!r} uses itself", where=place)
        for key in given:
            if key not in template.parameters:
                remedy = alternatives(key, [*template.parameters, *_ENTRY_KEYS])
                where = self.locate(f"{step.where}.{key}")
                raise UserError("unknown key", where=where, remedy=remedy)
        for key, value in {**template.parameters, **given}.items():
            if value is None:
                raise UserError(
                    f"template {use!r} needs a value for {key!r}", where=self.locate(step.where)
                )
        return template

    def _sum(self, reader: str, sources: list[str], where: str) -> str:
        """The node that holds the sum of ``sources``."""
        if len(sources) == 1:
            return sources[0]
        terms = (reader.rpartition(".")[0], *sorted(sources))
        if terms not in self.sums:
            node = Add(id=self._unused_id(f"{reader}.sum"), inputs=tuple(sources))
            try:
                self.sums[terms] = self._append(node)
            except ShapeError as error:
                if self.lenient:
                    return sources[0]
                raise UserError(str(error), where=self.locate(where)) from error
        return self.sums[terms]

    def _append(self, node: Operation) -> str:
        low, _ = node.arity
        if len(node.inputs) < low:
            raise ShapeError(f"takes a list of at least {low} inputs")
        if len(self.nodes) >= MAX_NODES:
            raise ShapeError(f"the network has more than {MAX_NODES} nodes")
        self.shapes[node.id] = node.shape(tuple([self.shapes[source] for source in node.inputs]))
        self.nodes.append(node)
        return node.id

    def _unused_id(self, node: str) -> str:
        return _unused(node, self.shapes)

    def _keys(self, where: str) -> Locate:
        return lambda key: self.locate(f"{where}.{key}" if key else where)


@dataclass(frozen=True)
class _Written:
    """The nodes of a template, as they were written for certain arguments and inputs."""

    nodes: list[Operation]
    shapes: dict[str, Shape]
    last: str


@dataclass(frozen=True)
class _Step:
    """One copy of an entry.

    Attributes:
        entry: As written, for this copy.
        later: Keys that stand under ``then`` for it.
        kind: ``op`` or ``use``.
        scope: The chain that it is in.
        name: Its name there.
        place: What the places of its values begin with.
        where: Its dotted key in the prototype.
        sources: What it reads.
        chosen: Whether that was decided on.
        alternative: Its op or template and a dot, where another one could stand there.
    """

    entry: Entry
    later: frozenset[str]
    kind: str
    scope: _Scope
    name: str
    place: str
    where: str
    sources: list[str]
    chosen: bool
    alternative: str = ""

    @property
    def own(self) -> dict[str, Any]:
        """Attributes or arguments that are written."""
        return {key: item for key, item in self.entry.items() if key not in _ENTRY_KEYS}

    def place_of(self, key: str, inner: str = "") -> str:
        """The place of a value; ``inner`` comes before the key."""
        return f"{self.place}.{'then.' if key in self.later else ''}{inner}{key}"


class _Named(BaseModel):
    id: EntryId


def _defaults(model: type[Operation], given: Entry) -> dict[str, Any]:
    """Attributes that are not written, as a person would write them; a search may vary them."""
    found = {}
    for name, attribute in model.model_fields.items():
        if name in given or name in ("id", "op", "inputs", "padding") or attribute.is_required():
            continue
        value = attribute.default
        same = isinstance(value, tuple) and len(set(value)) == 1
        found[name] = value[0] if same else value
    return found


_NOTHING: frozenset[str] = frozenset()
_NAME = re.compile(r"\$([A-Za-z0-9_\-]+)")
_TERM = re.compile(r"\s*([*/])\s*")


def _calculated(written: str, known: Mapping[str, Any], where: str) -> Any:
    """A parameter's value, or a product or quotient of some as a whole number, at least 1."""
    first, *rest = _TERM.split(written.strip())
    if not rest:
        return _operand(first, known, where)
    result = _number(first, known, where)
    for sign, term in zip(rest[::2], rest[1::2], strict=True):
        value = _number(term, known, where)
        if sign == "/" and not value:
            raise UserError(f"{written} divides by zero", where=where)
        result = result * value if sign == "*" else result / value
    if not math.isfinite(result):
        raise UserError(f"{written} is {result}", where=where)
    return max(1, math.floor(result + 0.5))


def _operand(term: str, known: Mapping[str, Any], where: str) -> Any:
    if term[:1] != "$":
        return term
    if term[1:] not in known:
        remedy = alternatives(term[1:], known)
        raise UserError(f"unknown parameter {term}", where=where, remedy=remedy)
    return known[term[1:]]


def _number(term: str, known: Mapping[str, Any], where: str) -> int | float:
    value = _operand(term, known, where)
    try:
        return value if isinstance(value, int | float) else float(value)
    except (TypeError, ValueError):
        raise UserError(f"{term} is {value!r}, not a number", where=where) from None


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


def _leading_to(outputs: Any, nodes: Sequence[Operation]) -> tuple[Operation, ...]:
    """The nodes that an output needs, in their order."""
    needed = set(outputs)
    kept = []
    for node in reversed(nodes):
        if node.id in needed:
            needed.update(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))
