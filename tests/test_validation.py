from typing import Annotated, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gensynth.errors import UserError
from gensynth.validation import alternatives, validate


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bound(Strict):
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "Bound":
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


class Folder(Strict):
    kind: Literal["folder"]
    root: str
    subject_pattern: str | None = None


class Drawn(Strict):
    kind: Literal["drawn"]
    subjects: int = 118


class Layer(Strict):
    width: int | str


class Study(Strict):
    bounds: dict[str, Bound] = {}
    data: Annotated[Folder | Drawn, Field(discriminator="kind")] = Drawn(kind="drawn")
    layers: tuple[Layer, ...] = ()
    seed: int = 0


def line(mapping: object, where: str = "study.yaml") -> str:
    with pytest.raises(UserError) as caught:
        validate(Study, mapping, where=where)
    return str(caught.value)


def test_a_mapping_that_fits_becomes_the_model():
    study = validate(Study, {"bounds": {"params": {"max": 5}}, "layers": [{"width": 3}]})
    assert (study.bounds["params"].max, study.layers[0].width) == (5.0, 3)


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ({"sed": 1}, "study.yaml: sed: unknown key; did you mean 'seed'?"),
        (
            {"bounds": {"params": {"maximum": 1}}},
            "study.yaml: bounds.params.maximum: unknown key; did you mean 'max'?",
        ),
        (
            {"bounds": {"params": {"upto": 1}}},
            "study.yaml: bounds.params.upto: unknown key; use one of max, min",
        ),
        (
            {"data": {"kind": "folder", "rot": "x"}},
            "study.yaml: data.rot: unknown key (and 1 more); did you mean 'root'?",
        ),
        (
            {"data": {"kind": "drawn", "subject": 3}},
            "study.yaml: data.subject: unknown key; did you mean 'subjects'?",
        ),
        ({"data": {"kind": "folder"}}, "study.yaml: data.root: missing; give it a value"),
        (
            {"data": {"kind": "drwan"}},
            "study.yaml: data: unknown kind 'drwan'; did you mean 'drawn'?",
        ),
        ({"data": {}}, "study.yaml: data: no kind; say which it is"),
        (
            {"layers": [{"width": 1}, {"with": 2, "width": 2}]},
            "study.yaml: layers.1.with: unknown key; did you mean 'width'?",
        ),
        (
            {"bounds": {"params": {"min": 3, "max": 2}}},
            "study.yaml: bounds.params: min 3 is above max 2",
        ),
    ],
)
def test_the_line_names_file_key_and_remedy(mapping: object, expected: str):
    assert line(mapping) == expected


def test_a_wrong_type_shows_what_was_given():
    told = line({"seed": "seven"})
    assert told.startswith("study.yaml: seed: input should be a valid integer")
    assert told.endswith(", not 'seven'")


def test_a_union_without_a_tag_names_the_written_key_only():
    assert line({"layers": [{"width": [1]}]}).startswith("study.yaml: layers.0.width: ")


def test_something_that_is_not_a_mapping_is_refused_with_the_file():
    assert line([1, 2]).startswith("study.yaml: input should be")


def test_where_may_be_a_function_of_the_key():
    with pytest.raises(UserError, match=r"^<bounds\.params\.maximum>: unknown key"):
        validate(Study, {"bounds": {"params": {"maximum": 1}}}, where=lambda key: f"<{key}>")


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["bounds", "data", "kind", "layers", "width", "root", "max", "?"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_like)
def test_whatever_pydantic_refuses_is_told_in_one_line(mapping: object):
    try:
        Study.model_validate(mapping)
    except ValidationError:
        told = line(mapping)
        assert told.startswith("study.yaml: ")
        assert len(told.splitlines()) == 1


def test_alternatives_prefer_what_is_near():
    assert alternatives("nano_c", ["nano_a", "fast"]) == "did you mean 'nano_a'?"
    assert alternatives("zzz", ["nano_a", "fast"]) == "use one of fast, nano_a"
    assert alternatives("zzz", []) == ""


@pytest.mark.parametrize("text", ["{max: 136,000}", "{min: 1,5}"])
def test_a_number_with_a_comma_is_told_how_to_be_written(text: str):
    with pytest.raises(UserError, match=r"is no name.*without commas: 136000"):
        validate(Bound, yaml.safe_load(text), where="nano.yaml: bounds.params")
