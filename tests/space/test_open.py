"""The open space: a prototype and its marks, and nothing else."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from gensynth.cost import cost
from gensynth.errors import UserError
from gensynth.genome import Genome, dumps, loads
from gensynth.indicator import Indicator
from gensynth.prototype import expand
from gensynth.space import (
    MISFIT,
    Space,
    check_ranges,
    decode,
    exact_violations,
    load_space,
    trace,
    unmeetable,
)
from tests.space.choosers import Extreme, Seeded
from tests.space.conftest import read

OPEN: dict[str, Any] = {"kind": "open"}
HEAD = [{"op": "global_avg_pool"}, {"op": "flatten"}, {"op": "linear", "out_features": "$classes"}]
WIDTH = {"start": 8, "low": 4, "high": 16, "step": 4}

MODULES: dict[str, Any] = {
    "layer": {
        "parameters": {"width": None, "kernel": {"start": 3, "choices": [1, 3, 5]}, "stride": 1},
        "network": [
            {"op": "conv", "out_channels": "$width", "kernel": "$kernel", "stride": "$stride"},
            {"op": "$activation"},
        ],
    },
    "two": {
        "parameters": {"width": None},
        "network": [
            {
                "id": "first",
                "use": "layer",
                "width": {"start": 2, "low": 1, "high": 9, "log": True},
            },
            {"op": "dropout", "rate": {"start": 0.1, "low": 0.0, "high": 0.5}},
            {"id": "second", "use": "layer", "width": "$width"},
            {"op": "add", "inputs": ["second", "input"], "when": "fits"},
        ],
    },
}
"""Templates with marks in their parameters and in their chains."""


def written(*network: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "name": "marked",
        "input": [1, 12, 12],
        "classes": 3,
        "parameters": {"activation": {"start": "relu", "choices": ["relu", "tanh"]}},
        "modules": MODULES,
        "network": [*network, *HEAD],
        **changes,
    }


EVERYTHING = written(
    {"id": "stem", "use": "layer", "width": WIDTH},
    {
        "id": "body",
        "use": {"start": "layer", "choices": ["layer", "two"]},
        "width": {"start": 8, "choices": [8, 12]},
        "repeat": {"start": 1, "low": 1, "high": 3},
    },
    {
        "op": "squeeze_excite",
        "channels": "$channels / 4",
        "when": {"start": False, "choices": [True, False]},
    },
    {
        "id": "down",
        "op": {"start": "max_pool", "choices": ["max_pool", "avg_pool"]},
        "kernel": 2,
        "stride": {"start": 2, "choices": [1, 2]},
    },
    {
        "id": "tail",
        "use": "two",
        "width": WIDTH,
        "repeat": 2,
        "inputs": {"start": ["down"], "any_of": ["stem", "body", "down"]},
    },
    {
        "id": "joined",
        "op": "concat",
        "inputs": {"start": ["tail", "body"], "any_of": ["stem", "body", "tail"]},
    },
)
"""Every sort of mark, in places of every sort."""


@pytest.fixture(scope="module")
def mobile(repository) -> Space:
    return load_space(OPEN, read(repository / "prototypes" / "mobile_open.yaml"))


@pytest.fixture(scope="module")
def everything() -> Space:
    return load_space(OPEN, EVERYTHING)


def choosers() -> st.SearchStrategy[Seeded]:
    seeds = st.integers(0, 2**32 - 1)
    return st.one_of(seeds.map(Seeded), seeds.map(Extreme))


def check_point(space: Space, chooser: Seeded) -> None:
    genome = space(chooser)
    assert MISFIT not in genome.provenance
    again = Genome.parse(genome.model_dump(mode="json"))
    assert again.same_network(genome)
    assert genome.shapes[genome.outputs["logits"]] == space_output(space)
    assert chooser.decisions.keys() <= space.distributions.keys()
    for name, value in chooser.decisions.items():
        distribution = space.distributions[name]
        assert distribution._contains(distribution.to_internal_repr(value))
    traced = trace(space, chooser.decisions)
    assert traced.decisions == chooser.decisions
    assert traced.genome.same_network(genome)
    assert loads(dumps(genome)).hash == genome.hash
    cost(genome)


def space_output(space: Space) -> tuple[int, ...]:
    phi = decode(space, {})
    return phi.shapes[phi.outputs["logits"]]


@given(choosers())
@settings(deadline=None, max_examples=60)
def test_every_point_of_the_mobile_space_is_a_network_and_decodes_to_itself(mobile, chooser):
    check_point(mobile, chooser)


@given(choosers())
@settings(deadline=None, max_examples=60)
def test_every_point_of_a_space_with_every_mark_is_a_network(everything, chooser):
    check_point(everything, chooser)


@given(st.lists(choosers(), min_size=2, max_size=5))
@settings(deadline=None, max_examples=15)
def test_what_was_drawn_before_changes_nothing(drawn):
    """Blocks are remembered from one draw to the next."""
    used = load_space(OPEN, EVERYTHING)
    for chooser in drawn:
        used(chooser)
    for chooser in drawn:
        fresh = decode(load_space(OPEN, EVERYTHING), chooser.decisions)
        assert dumps(decode(used, chooser.decisions)) == dumps(fresh)


def test_the_start_is_the_prototype_as_it_stands(mobile, everything, repository):
    phi = read(repository / "prototypes" / "mobile_open.yaml")
    assert decode(mobile, mobile.start).same_network(expand(phi))
    assert decode(everything, {}).same_network(expand(EVERYTHING))


def test_decisions_are_called_after_their_places(mobile):
    names = list(mobile.distributions)
    assert names[:5] == ["activation", "stem.width", "stem.stride", "stage1.repeat", "stage1.width"]
    assert {"stage2.expansion", "stage3.kernel", "stage4.squeeze", "last.inputs"} < set(names)
    assert mobile.start["stage2.repeat"] == 2


def test_names_of_a_template_are_those_of_its_use(everything):
    names = set(everything.distributions)
    assert {"stem.kernel", "tail.repeat"} & names == {"stem.kernel"}
    assert {"tail-1.first.width", "tail-2.first.width", "tail-2.dropout.rate"} < names
    assert {"body-1.two.first.width", "body-3.two.second.kernel", "body.layer.kernel"} < names
    assert not any(name.startswith("body-1.layer.") for name in names)


def test_marks_become_distributions(everything):
    expected = {
        "stem.width": IntDistribution(4, 16, step=4),
        "tail-1.first.width": IntDistribution(1, 9, log=True),
        "tail-1.dropout.rate": FloatDistribution(0.0, 0.5),
        "squeeze_excite.when": CategoricalDistribution((True, False)),
        "tail.inputs": CategoricalDistribution(
            ("stem", "body", "down", "stem+body", "stem+down", "body+down", "stem+body+down")
        ),
    }
    found = everything.distributions
    assert {name: found[name] for name in expected} == expected


def test_a_range_of_the_space_is_around_the_prototypes_own_value(repository):
    """Any prototype will do, without a mark in it."""
    phi = read(repository / "prototypes" / "mobilenet_v1.yaml")
    ranges = {
        "separable*.width": {"low": 8, "high": 2048, "log": True},
        "separable2.width": [64, 128],
        "layer.kernel": [3, 5],
        "separable7.repeat": {"low": 1, "high": 6},
        "linear.bias": [True, False],
    }
    space = load_space({"kind": "open", "ranges": ranges}, phi)
    assert space.start["separable7.repeat"] == 5
    assert space.start["separable2.width"] == 128
    assert space.start["linear.bias"] is True
    assert "separable.width" in space.distributions
    assert space.distributions["separable2.width"] == CategoricalDistribution((64, 128))
    assert decode(space, {}).same_network(expand(phi))
    fewer = decode(space, {"separable7.repeat": 1})
    assert len(fewer.nodes) == len(decode(space, {}).nodes) - 4 * 6


def test_a_dot_on_the_command_line_may_have_become_a_mapping():
    nested = {"kind": "open", "ranges": {"stem": {"stride": [1, 2]}}}
    assert "stem.stride" in load_space(nested, EVERYTHING).distributions


def test_an_entry_left_out_hands_on_what_it_would_have_read(everything):
    without = decode(everything, {"squeeze_excite.when": False})
    assert not any(node.op == "squeeze_excite" for node in without.nodes)
    assert any(
        node.op == "squeeze_excite"
        for node in decode(everything, {"squeeze_excite.when": True}).nodes
    )


def test_inputs_that_do_not_fit_the_last_are_left_out(everything):
    genome = decode(
        everything,
        {"tail.inputs": "stem+body+down", "stem.width": 8, "body.width": 8, "down.stride": 2},
    )
    sums = [node for node in genome.nodes if node.id.startswith("tail") and "sum" in node.id]
    assert sums == []
    same = decode(everything, {"tail.inputs": "stem+body"})
    assert [len(node.inputs) for node in same.nodes if node.id == "tail-1.sum"] == [2]


def test_nothing_is_proven_of_the_bounds(mobile):
    impossible = Indicator.model_validate({"name": "no", "bounds": {"params": {"max": 1}}})
    assert unmeetable(impossible, mobile) == []


BROKEN = written({"op": "max_pool", "kernel": {"start": 2, "choices": [2, 13]}})


def test_a_point_at_which_shapes_do_not_fit_is_a_misfit_and_refused():
    space = load_space(OPEN, BROKEN)
    indicator = Indicator.model_validate({"name": "any", "bounds": {}})
    drawn = [(chooser, space(chooser)) for chooser in map(Seeded, range(20))]
    chooser, misfit = next(pair for pair in drawn if MISFIT in pair[1].provenance)
    assert chooser.decisions["max_pool.kernel"] == 13
    assert "larger than 12x12" in str(misfit.provenance[MISFIT])
    assert exact_violations(indicator, misfit, {}) == {"shapes": 1.0}
    assert exact_violations(indicator, decode(space, {}), {}) == {}
    with pytest.raises(UserError, match=r"they make no network: .*larger than 12x12"):
        decode(space, {"max_pool.kernel": 13})


def changed(place: list[Any], value: Any) -> dict[str, Any]:
    config: Any = copy.deepcopy(EVERYTHING)
    inner = config["network"]
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return dict(config)


@pytest.mark.parametrize(
    ("mark", "line"),
    [
        ({"start": 3, "choices": [5, 7]}, "width: its start 3 is not one of 5, 7"),
        ({"start": 5, "low": 4, "high": 8, "step": 2}, "width: its start 5 is not a whole number"),
        ({"start": 4, "low": 4, "high": 9, "step": 2}, "width: steps of 2 from 4 do not meet 9"),
        ({"start": 4, "low": 9, "high": 4}, "width: low 9 is greater than high 4"),
        ({"start": 4, "low": 4, "high": 9, "step": 1, "log": True}, "width: a logarithmic range"),
        ({"start": 4, "low": 0, "high": 9, "log": True}, "width: a logarithmic range starts above"),
        ({"start": 4, "low": 4}, "width: a range has low and high"),
        ({"start": 4, "choices": [4], "low": 4, "high": 9}, "width: write one of choices, any_of"),
        ({"start": 4, "choices": [4, 4]}, "width: a choice is given twice"),
        ({"start": 4, "choices": [4], "step": 1}, "width: step and log belong to a range"),
        ({"start": 4, "choises": [4]}, "width.choises: unknown key; did you mean 'choices'?"),
        ({"choices": [4]}, "width: has no start; give the prototype's value"),
    ],
)
def test_a_wrong_mark_is_one_line_that_names_the_key(mark, line):
    with pytest.raises(UserError) as caught:
        load_space(OPEN, changed([0, "width"], mark))
    assert str(caught.value).startswith(f"prototype.network.0.{line}")


@pytest.mark.parametrize(
    ("ranges", "line"),
    [
        (
            {"stem.widht": [4, 8]},
            "search_space: ranges.stem.widht: the prototype has no such value; "
            "did you mean 'stem.width'",
        ),
        (
            {"stem.width": [4, 12]},
            "search_space: ranges.stem.width: the prototype's 8 is not one of",
        ),
        ({"stem.width": {"low": 4}}, "search_space.ranges.stem.width: a range has low and high"),
        ({"stem.width": 4}, "search_space.ranges.stem.width: input should be a valid dictionary"),
    ],
)
def test_a_wrong_range_is_one_line_that_names_the_place(ranges, line):
    with pytest.raises(UserError) as caught:
        load_space({"kind": "open", "ranges": ranges}, EVERYTHING)
    assert str(caught.value).startswith(line)


def test_a_prototype_without_marks_is_told_how_to_mark():
    phi = written({"op": "relu"}, parameters={})
    with pytest.raises(UserError, match="nothing varies; mark values in the prototype"):
        load_space(OPEN, phi)


def test_an_unknown_kind_is_answered_with_those_there_are():
    with pytest.raises(
        UserError, match=r"search_space.kind: unknown kind 'opne'; did you mean 'open'"
    ):
        check_ranges({"kind": "opne"})
