"""Names that stand for parts of gensynth, and how anybody adds one.

A :class:`Registry` maps names to things of one sort: operations, search spaces, data sets. Who
writes a new one registers it under its name, and it is then valid wherever the name can be written.
An installed package does so by an entry point whose name is that name, in the registry's group. It
is imported when the name is first looked up, in every process::

    [options.entry_points]
    gensynth.operations =
        channel_shuffle = my_package.shuffle:ChannelShuffle

:class:`Models` is a registry of pydantic models that are told apart by one of their fields, and
stands for all of them in the annotation of another model's field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticKnownError, ValidationError, core_schema

from gensynth.errors import UserError
from gensynth.validation import alternatives

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)


class Registry(Mapping[str, T], Generic[T]):
    """Things by name; those of installed packages are there too.

    Args:
        noun: What one of them is called, for errors.
        group: Entry-point group of packages that add to it.
    """

    def __init__(self, noun: str, group: str) -> None:
        self.noun = noun
        self.group = group
        self._known: dict[str, T] = {}

    def add(self, name: str, thing: T) -> None:
        """Registers a thing.

        Raises:
            ValueError: If the name stands for another thing already. The same definition may come
                again, as when its module is reloaded.
        """
        known = self._known.get(name)
        if known is not None and _origin(known) != _origin(thing):
            raise ValueError(f"{self.noun} {name!r} is registered already, by {_origin(known)}")
        self._known[name] = thing

    def forget(self, name: str) -> None:
        """Takes a registered name out again."""
        del self._known[name]

    def find(self, name: str, *, where: str) -> T:
        """What a name stands for.

        Args:
            name: As a person wrote it.
            where: What an error calls the place.

        Raises:
            UserError: If it stands for nothing, or comes from a package that cannot be imported.
        """
        if name not in self:
            remedy = alternatives(name, self)
            raise UserError(f"unknown {self.noun} {name!r}", where=where, remedy=remedy)
        return self[name]

    def __getitem__(self, name: str) -> T:
        if name not in self._known:
            self._import(self._offered[name])
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._known or name in self._offered

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._known, *self._offered]))

    def __len__(self) -> int:
        return len(self._known.keys() | self._offered.keys())

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    @cached_property
    def _offered(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}

    def _import(self, point: EntryPoint) -> None:
        try:
            thing = point.load()
            if point.name not in self._known:
                self.add(point.name, thing)
        except Exception as error:
            package = point.dist.name if point.dist else point.value
            reason = f"{type(error).__name__}: {error}"
            raise UserError(
                f"{self.noun} {point.name!r} of package {package} cannot be loaded ({reason})",
                where=f"entry point {point.value}",
                remedy=f"mend the package, or uninstall it: pip uninstall {package}",
            ) from error


class Models(Registry[type[ModelT]], Generic[ModelT]):
    """Subclasses of one pydantic model, named by the literal values of one of their fields.

    ``Annotated[Base, REGISTRY]`` is the type of a field that takes any of them: data are read by
    the model that they name, and its JSON Schema lists all models.

    Args:
        noun: What one of them is called, for errors.
        group: Entry-point group of packages that add to it.
        tag: The field that names the model.
    """

    def __init__(self, noun: str, group: str, *, tag: str) -> None:
        super().__init__(noun, group)
        self.tag = tag

    def register(self, model: type[ModelT]) -> type[ModelT]:
        """Registers a model, as a decorator.

        Raises:
            TypeError: If it does not say by a literal what it is called, or leaves an abstract
                method of the base undefined.
            ValueError: If a name of its is taken.
        """
        field = model.model_fields.get(self.tag)
        names = get_args(field.annotation) if field else ()
        if not names or not all(isinstance(name, str) for name in names):
            raise TypeError(
                f"{model.__name__} is no {self.noun}: it needs a field "
                f'{self.tag}: Literal["its_name"] = "its_name"'
            )
        if missing := sorted(model.__abstractmethods__):
            raise TypeError(f"{self.noun} {model.__name__} has to define {', '.join(missing)}")
        for name in names:
            self.add(name, model)
        return model

    def read(self, data: Any) -> ModelT:
        """Reads data by the model that they name; what is read already stays as it is.

        Raises:
            ValueError: As pydantic raises it, with the place of what is wrong.
        """
        if isinstance(data, BaseModel) and type(data) in self._known.values():
            return data  # type: ignore[return-value]
        if not isinstance(data, Mapping):
            raise PydanticKnownError("dict_type")
        tag = data.get(self.tag)
        context = {"discriminator": f"'{self.tag}'"}
        if tag is None:
            raise PydanticKnownError("union_tag_not_found", context)
        if not isinstance(tag, str) or tag not in self:
            context["tag"] = str(tag)
            context["expected_tags"] = ", ".join(f"'{name}'" for name in self)
            raise ValidationError.from_exception_data(
                self.noun,
                [{"type": "union_tag_invalid", "loc": (self.tag,), "input": tag, "ctx": context}],
            )
        return self[tag].model_validate(data)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.simple_ser_schema("any"),
            metadata={"pydantic_js_functions": [self._json_schema]},
        )

    def _json_schema(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        choices = {name: self[name].__pydantic_core_schema__ for name in self}
        return handler(core_schema.tagged_union_schema(choices, self.tag))


def _origin(thing: object) -> str:
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{getattr(named, '__module__', '')}.{getattr(named, '__qualname__', '')}"
