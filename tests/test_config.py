from pathlib import Path
from typing import Any

import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from gensynth.config import GROUPS, Base, compose, find, load, options
from gensynth.config.overrides import parse
from gensynth.errors import UserError
from gensynth.experiment import Experiment as WholeExperiment

MINE = "name: mine\nbounds: {params: {max: 5e4}, macs: {max: 1e6}}\n"


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with folders of its own."""
    written = {
        "prototypes/tiny.yaml": "name: tiny\ninput: [1, 48, 48]\n",
        "search_spaces/narrow.yaml": "name: narrow\n",
        "constraints/mine.yaml": MINE,
        "constraints/fast.yaml": "name: my own fast\nbounds: {}\n",
        "experiments/mine.yaml": (
            "# @package _global_\n"
            "defaults:\n  - override /constraint: mine\n"
            "budget: {candidates: 7}\n"
        ),
        "elsewhere/other one.yaml": "name: other\nbounds: {accuracy: {min: 0.5}}\n",
        "data.yaml": "kind: folder\nroot: null\n",
        "training.yaml": "epochs: 2\n",
        "config.yaml": "a run's own file, which is not read\n",
    }
    for name, text in written.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


TINY = ("prototype=tiny", "search_space=narrow", "data=./data.yaml", "training=training.yaml")


def composed(*overrides: str) -> dict[str, Any]:
    return compose([*TINY, *overrides])


def refused(*overrides: str) -> str:
    with pytest.raises(UserError) as caught:
        composed(*overrides)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


def test_files_of_every_group_land_under_the_groups_key():
    config = composed()
    assert config["prototype"] == {"name": "tiny", "input": [1, 48, 48]}
    assert config["search_space"] == {"name": "narrow"}
    assert config["constraint"]["bounds"]["params"] == {"max": 136000}
    assert config["data"] == {"kind": "folder", "root": None}
    assert config["training"] == {"epochs": 2}


def test_every_shipped_file_composes_with_the_defaults():
    for group in GROUPS:
        for choice in options(group):
            assert compose([f"{group}={choice}"])["constraint"]["bounds"] is not None


def test_folders_of_the_working_directory_come_first_and_add_to_the_shipped_ones():
    assert composed("constraint=fast")["constraint"]["name"] == "my own fast"
    assert composed("constraint=nano_a")["constraint"]["name"] == "nano_a"
    assert {"mine", "fast", "nano_a", "nano_b"} <= set(options("constraint"))


@pytest.mark.parametrize(
    "path",
    ["./elsewhere/other one.yaml", "elsewhere/other one.yaml", "{cwd}/elsewhere/other one.yaml"],
)
def test_a_path_chooses_a_file(workplace: Path, path: str):
    path = path.format(cwd=workplace)
    assert composed(f"constraint={path}")["constraint"]["name"] == "other"
    assert find("constraint", path) == workplace / "elsewhere/other one.yaml"


def test_an_experiment_chooses_and_sets_and_the_command_line_has_the_last_word():
    config = composed("experiment=mine")
    assert (config["constraint"]["name"], config["budget"]["candidates"]) == ("mine", 7)
    config = composed("experiment=mine", "budget.candidates=3", "constraint=nano_b")
    assert (config["constraint"]["name"], config["budget"]["candidates"]) == ("nano_b", 3)


def test_a_value_is_set_whether_or_not_the_file_has_it():
    bounds = composed("constraint.bounds.params.max=1e5", "constraint.bounds.macs.max=4.4e6")[
        "constraint"
    ]["bounds"]
    assert bounds == {"accuracy": {"min": 0.92}, "params": {"max": 1e5}, "macs": {"max": 4.4e6}}


def test_a_bound_is_removed_with_a_tilde():
    assert set(composed("~constraint.bounds.params")["constraint"]["bounds"]) == {"accuracy"}


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ("{}", {}),
        ("{macs: {max: 5}}", {"macs": {"max": 5}}),
        ("{params: {min: 3}}", {"params": {"min": 3}}),
    ],
)
def test_a_mapping_replaces_what_was_there(bounds: str, expected: dict[str, Any]):
    assert composed(f"constraint.bounds={bounds}")["constraint"]["bounds"] == expected
    later = composed(f"constraint.bounds={bounds}", "constraint.bounds.accuracy.min=0.5")
    assert later["constraint"]["bounds"] == {**expected, "accuracy": {"min": 0.5}}


@pytest.mark.parametrize("group", [group for group in GROUPS if group != "experiment"])
def test_only_an_experiment_may_be_none(group: str):
    assert refused(f"{group}=null") == (
        f"{group}=null: not a choice; choose one of {', '.join(options(group))} "
        "(or the path of a YAML file)"
    )
    assert composed("experiment=null") == composed()


def test_the_composition_leaves_hydra_as_it_was():
    composed()
    assert not GlobalHydra.instance().is_initialized()


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (
            "constraint=nano_z",
            "constraint=nano_z: no such constraint; "
            "did you mean 'nano_b' or 'nano_a'? (or the path of a YAML file)",
        ),
        ("constraint=./none.yaml", "constraint=./none.yaml: no such file"),
        ("constrant=nano_b", "constrant=nano_b: unknown key; did you mean 'constraint'?"),
        ("budgte.minutes=1", "budgte.minutes=1: unknown key; did you mean 'budget'?"),
        ("nano_b", "nano_b: not an override; write key=value"),
        (
            "constraint=fast,mine",
            "constraint=fast,mine: several values; give one, or quote it: key='a,b'",
        ),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(override: str, expected: str):
    assert refused(override) == expected


def test_settings_of_hydra_itself_are_refused():
    assert refused("hydra.verbose=true").startswith("hydra.verbose=true: unknown key; use one of ")


def test_a_choice_of_an_experiment_that_does_not_exist_is_one_line(workplace: Path):
    (workplace / "experiments/bad.yaml").write_text("defaults: [override /constraint: nano_x]\n")
    assert "constraint=nano_x: no such constraint; did you mean 'nano_" in refused("experiment=bad")


def test_an_unknown_key_in_an_experiment_names_the_file(workplace: Path):
    (workplace / "experiments/bad.yaml").write_text("bugdet: {candidates: 1}\n")
    assert refused("experiment=bad") == (
        "experiments/bad.yaml: bugdet: unknown key; did you mean 'budget'?"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: [1, 2\n", "constraints/bad.yaml:3: not YAML ("),
        ("a: 1\na: 2\n", "constraints/bad.yaml:2: not YAML (found duplicate key a"),
        ("- 1\n", "constraints/bad.yaml: not a mapping; write key: value lines"),
        ("a: ${nowhere}\n", "constraints/bad.yaml: a: holds an interpolation"),
        ("a: [x, '${oc.env:HOME}']\n", "constraints/bad.yaml: a.1: holds an interpolation"),
        ("a: {'${b}': 1}\n", "constraints/bad.yaml: a: holds an interpolation"),
        ("a: &a [1]\nb: !!python/name:os.system x\n", "constraints/bad.yaml: not YAML (the tag"),
    ],
)
def test_a_broken_file_is_one_line(workplace: Path, text: str, expected: str):
    (workplace / "constraints/bad.yaml").write_text(text)
    assert refused("constraint=bad").startswith(expected)


def test_a_file_that_is_not_text_is_one_line(workplace: Path):
    (workplace / "constraints/bad.yaml").write_bytes(b"\xff\xfe\x00\x89PNG")
    assert refused("constraint=bad").startswith("constraints/bad.yaml: cannot be read (not a")


@pytest.mark.parametrize("key", ["storage", "ray_address", "runs", "warm_start"])
def test_what_belongs_to_a_machine_is_not_taken_from_an_experiment(workplace: Path, key: str):
    (workplace / "experiments/bad.yaml").write_text(f"{key}: elsewhere\n")
    assert refused("experiment=bad").startswith(f"experiments/bad.yaml: {key}: belongs to")
    assert compose([f"{key}=elsewhere"])[key] == "elsewhere"


class Budget(BaseModel):
    model_config = ConfigDict(extra="forbid")
    candidates: int | None
    minutes: float | None
    prototype: bool = False


class Constraint(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    bounds: dict[str, dict[str, float]]


class Experiment(BaseModel):
    budget: Budget
    constraint: Constraint
    name: str | None


def test_load_checks_the_whole_experiment():
    experiment = load(Experiment, [*TINY, "constraint=mine", "name=007"])
    assert (experiment.constraint.bounds["macs"], experiment.name) == ({"max": 1e6}, "007")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["budget.candidates=few"], "budget.candidates=few: input should be a valid integer"),
        (["budget=5"], "budget=5: input should be a valid dict"),
        (["budget.minute=1"], "budget.minute=1: unknown key; did you mean 'minutes'?"),
        (["budget={minute: 1}"], "budget={minute: 1}: budget.minute: unknown key (and 2"),
        (["constraint=bad"], "constraints/bad.yaml: bouns: unknown key (and 1 more); did you mean"),
        (["experiment=bad"], "experiments/bad.yaml: budget.candidates: input should be a valid"),
        (["experiment=bad", "constraint=bad"], "constraints/bad.yaml: bouns: unknown key"),
    ],
)
def test_load_names_where_the_refused_value_comes_from(
    workplace: Path, overrides: list[str], expected: str
):
    (workplace / "constraints/bad.yaml").write_text("name: bad\nbouns: {}\n")
    (workplace / "experiments/bad.yaml").write_text("budget: {candidates: all}\n")
    with pytest.raises(UserError) as caught:
        load(Experiment, [*TINY, *overrides])
    assert str(caught.value).startswith(expected)


EARLIER = Base(
    "runs/x/config.yaml",
    {
        "constraint": {"name": "earlier", "bounds": {"macs": {"max": 2.0}, "params": {"min": 1.0}}},
        "budget": {"candidates": 3, "minutes": 4.0},
    },
)


@pytest.mark.parametrize(
    ("overrides", "name", "bounds", "minutes"),
    [
        ([], "earlier", {"macs": {"max": 2}, "params": {"min": 1}}, 4),
        (["constraint=mine"], "mine", {"params": {"max": 5e4}, "macs": {"max": 1e6}}, 4),
        (
            ["constraint.bounds.macs.max=3", "budget.minutes=null"],
            "earlier",
            {"macs": {"max": 3}, "params": {"min": 1}},
            None,
        ),
        (["~constraint.bounds.params"], "earlier", {"macs": {"max": 2}}, 4),
    ],
)
def test_an_earlier_experiment_takes_the_place_of_the_defaults(
    overrides: list[str],
    name: str,
    bounds: dict[str, dict[str, float]],
    minutes: float | None,
):
    experiment = load(Experiment, [*TINY, *overrides], base=EARLIER)
    assert experiment.constraint == Constraint(name=name, bounds=bounds)
    assert experiment.budget == Budget(candidates=3, minutes=minutes)
    assert experiment.name is None


def test_an_experiment_that_is_chosen_leaves_nothing_of_an_earlier_one(workplace: Path):
    (workplace / "experiments/other.yaml").write_text("budget: {candidates: 7}\n")
    chosen = [*TINY, "experiment=other"]
    assert load(Experiment, chosen, base=EARLIER) == load(Experiment, chosen)


def test_a_value_of_an_earlier_experiment_is_refused_with_its_file():
    wrong = Base("runs/x/config.yaml", {"budget": {"candidates": 3, "minutes": "few"}})
    with pytest.raises(UserError, match=r"^runs/x/config\.yaml: budget\.minutes: input should be"):
        load(Experiment, TINY, base=wrong)


@pytest.mark.parametrize(
    ("bounds", "overrides", "expected"),
    [
        ("{acuracy: {min: 0.9}}", [], "constraints/bad.yaml: bounds.acuracy: unknown metric; did"),
        ("{accuracy: {min: 1.2}}", [], "constraints/bad.yaml: bounds.accuracy.min: no network can"),
        ("{accuracy: {mim: 0.9}}", [], "constraints/bad.yaml: bounds.accuracy.mim: unknown key; "),
        ("{recall.fear: {min: 3}}", [], "constraints/bad.yaml: bounds.recall.fear.min: no network"),
        (
            "{params: {max: 9}}",
            ["constraint.bounds.acuracy.min=0.9"],
            "constraint.bounds.acuracy.min=0.9: constraint.bounds.acuracy: unknown metric; did",
        ),
        (
            "{params: {max: 9}}",
            ["constraint.bounds.recall.fear.min=3"],
            "constraint.bounds.recall.fear.min=3: no network can meet 3: ",
        ),
        (
            "{params: {max: 9}}",
            ["constraint.bounds.params.min=10"],
            "constraint.bounds.params.min=10: constraint.bounds.params: min 10 is greater than",
        ),
    ],
)
def test_a_wrong_bound_is_refused_with_its_file_before_any_data_are_read(
    workplace: Path, bounds: str, overrides: list[str], expected: str
):
    (workplace / "constraints/bad.yaml").write_text(f"name: bad\nbounds: {bounds}\n")
    with pytest.raises(UserError) as caught:
        load(WholeExperiment, ["constraint=bad", *overrides])
    assert str(caught.value).startswith(expected)


class Searched(BaseModel):
    prototype: dict[str, Any]
    search_space: dict[str, Any]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["prototype=tiny"], "prototypes/tiny.yaml: network: missing"),
        (["prototype=bad"], "prototypes/bad.yaml: network.0.kernl: unknown key (and"),
        (["prototype.foo=1"], "prototype.foo=1: unknown key; use one of "),
        (["search_space=narrow"], "search_spaces/narrow.yaml: "),
        (["search_space.foo=1"], "search_space.foo=1: unknown key; use one of "),
    ],
)
def test_a_wrong_prototype_or_space_is_refused_with_its_file(
    workplace: Path, overrides: list[str], expected: str
):
    text = "{name: bad, input: [1, 48, 48], network: [{op: conv, out_channels: 3, kernl: 3}]}"
    (workplace / "prototypes/bad.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        load(Searched, overrides)
    assert str(caught.value).startswith(expected)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_folder_name_arrives_as_it_was_written(text: str):
    if text == "null" or text[:1] in {"'", '"'}:
        return
    value = OverridesParser.create().parse_override(parse(f"data.root={text}").hydra[-1]).value()
    assert value == text


@given(st.text(max_size=20))
def test_an_override_is_read_or_refused_in_one_line(text: str):
    line = ""
    try:
        assert parse(text).text == text
    except UserError as error:
        line = str(error)
    assert len(line.splitlines()) <= 1
