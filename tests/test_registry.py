from typing import Annotated, Literal

import pytest
from pydantic import BaseModel

from gensynth.errors import UserError
from gensynth.registry import Models, Registry
from gensynth.validation import validate


class Shape(BaseModel):
    pass


def shapes() -> Models[Shape]:
    registry: Models[Shape] = Models("shape", "gensynth.tests.shapes", tag="kind")

    @registry.register
    class Circle(Shape):
        kind: Literal["circle", "disc"]
        radius: int

    @registry.register
    class Square(Shape):
        kind: Literal["square"] = "square"
        side: int

    return registry


def drawing(registry: Models[Shape]) -> type[BaseModel]:
    class Drawing(BaseModel):
        shapes: tuple[Annotated[Shape, registry], ...]

    return Drawing


def test_a_name_stands_for_one_thing():
    registry: Registry[object] = Registry("animal", "gensynth.tests.animals")
    registry.add("cat", int)
    registry.add("cat", int)
    with pytest.raises(ValueError, match=r"animal 'cat' is registered already, by builtins\.int"):
        registry.add("cat", float)
    assert dict(registry) == {"cat": int}


def test_an_unknown_name_is_answered_with_what_is_near():
    registry: Registry[object] = Registry("animal", "gensynth.tests.animals")
    registry.add("elephant", int)
    assert registry.find("elephant", where="zoo") is int
    with pytest.raises(UserError, match="zoo: unknown animal 'elefant'; did you mean 'elephant'"):
        registry.find("elefant", where="zoo")


def test_data_are_read_by_the_model_that_they_name_and_written_whole():
    model = drawing(shapes())
    data = {"shapes": [{"kind": "disc", "radius": 2}, {"kind": "square", "side": 3}]}
    read = model.model_validate(data)
    assert [type(shape).__name__ for shape in read.shapes] == ["Circle", "Square"]  # type: ignore[attr-defined]
    assert read.model_dump(mode="json") == data
    assert model.model_validate(read.model_dump()) == read


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        (
            {"kind": "squar", "side": 1},
            "shapes.0.kind: unknown kind 'squar'; did you mean 'square'?",
        ),
        ({"side": 1}, "shapes.0: no kind; say which it is"),
        ({"kind": 3}, "shapes.0.kind: unknown kind '3'"),
        ({"kind": "square", "side": "a"}, "shapes.0.side: input should be a valid integer"),
        (7, "shapes.0: input should be a valid dictionary"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(shape, line):
    with pytest.raises(UserError) as caught:
        validate(drawing(shapes()), {"shapes": [shape]})
    assert str(caught.value).startswith(line)


def test_the_json_schema_lists_every_model():
    registry = shapes()
    schema = drawing(registry).model_json_schema()
    items = schema["properties"]["shapes"]["items"]
    assert items["discriminator"]["mapping"] == {
        "circle": "#/$defs/Circle",
        "disc": "#/$defs/Circle",
        "square": "#/$defs/Square",
    }


def test_a_model_registered_later_is_read_too():
    registry = shapes()
    model = drawing(registry)

    @registry.register
    class Line(Shape):
        kind: Literal["line"] = "line"
        length: int

    read = model.model_validate({"shapes": [{"kind": "line", "length": 1}]})
    assert read.shapes == (Line(length=1),)  # type: ignore[attr-defined]


def test_a_model_without_a_literal_name_is_refused():
    with pytest.raises(TypeError, match=r"Nameless is no shape: it needs a field kind: Literal"):

        @shapes().register
        class Nameless(Shape):
            kind: str = "nameless"
