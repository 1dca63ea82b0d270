import json
from typing import Any

import pytest
from hypothesis import given, settings

from gensynth.genome import (
    Genome,
    GenomeError,
    dumps,
    json_schema,
    load,
    loads,
    save,
)
from tests.strategies import generators, genomes

Written = dict[str, Any]


def written(*nodes: Written, **changes: Any) -> Written:
    listed = [{"id": f"n{at}", "inputs": ["input"], **node} for at, node in enumerate(nodes)]
    return {
        "input": {"channels": 2, "height": 8, "width": 6},
        "nodes": listed,
        "outputs": {"y": listed[-1]["id"]} if listed else {"y": "n0"},
        **changes,
    }


CONV: Written = {"op": "conv", "out_channels": 2, "kernel": 3}
RELU: Written = {"op": "relu"}


def test_a_copy_with_another_width_remembers_nothing_of_the_first():
    genome = Genome.parse(written(CONV, {**RELU, "inputs": ["n0"]}))
    assert genome.shapes["n1"] == (2, 6, 4)
    conv, relu = genome.nodes
    wider = genome.model_copy(update={"nodes": (conv.model_copy(update={"out_channels": 5}), relu)})
    assert wider.shapes["n1"] == (5, 6, 4)
    assert wider.hash != genome.hash
    again = wider.model_copy(update={"nodes": genome.nodes})
    assert again.hash == genome.hash


@given(genomes(nodes=24))
@settings(deadline=None, max_examples=100)
def test_round_trip(genome):
    text = dumps(genome)
    again = loads(text)
    assert again == genome
    assert again.hash == genome.hash
    assert again.shapes == genome.shapes
    assert dumps(again) == text


def test_files(tmp_path):
    genome = Genome.parse(written(CONV, name="é", provenance={"seed": 3, "metrics": {"a": 0.5}}))
    save(genome, tmp_path / "genome.json")
    again = load(tmp_path / "genome.json")
    assert again == genome
    assert again.provenance == {"seed": 3, "metrics": {"a": 0.5}}
    with pytest.raises(GenomeError, match=r"missing\.json: cannot be read \(No such file"):
        load(tmp_path / "missing.json")
    (tmp_path / "image").write_bytes(b"\x89PNG\xff")
    with pytest.raises(GenomeError, match="not a text file"):
        load(tmp_path / "image")
    (tmp_path / "huge.json").write_bytes(b" " * (16 * 2**20 + 1))
    with pytest.raises(GenomeError, match="more than such a file needs"):
        load(tmp_path / "huge.json")


def test_numbers_that_json_lacks_become_null():
    genome = Genome.parse(written(CONV)).described(loss=float("nan"), bound=[float("inf"), 1.0])
    assert loads(dumps(genome)).provenance == {"loss": None, "bound": [None, 1.0]}


def test_described_keeps_the_network_and_what_is_known():
    genome = Genome.parse(written(CONV, provenance={"seed": 3}))
    other = genome.described(name="other", trial=7)
    assert (other.name, other.provenance) == ("other", {"seed": 3, "trial": 7})
    assert other.hash == genome.hash
    assert genome.provenance == {"seed": 3}


@given(genomes(nodes=24), generators())
@settings(deadline=None, max_examples=50)
def test_nodes_in_any_order_become_executable(genome, rng):
    data = genome.model_dump(mode="json")
    rng.shuffle(data["nodes"])
    known = {"input"}
    for node in Genome.parse(data).nodes:
        assert known.issuperset(node.inputs)
        known.add(node.id)
    assert known == set(genome.shapes)


def test_an_executable_order_is_kept():
    nodes = [{"id": "b", **RELU}, {"id": "a", **RELU}, {"id": "c", "op": "add"}]
    nodes[2]["inputs"] = ["a", "b"]
    assert [node.id for node in Genome.parse(written(*nodes)).nodes] == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("node", "shape"),
    [
        ({**CONV}, (2, 6, 4)),
        ({**CONV, "stride": 2, "padding": 1}, (2, 4, 3)),
        ({**CONV, "stride": [3, 2], "padding": "same"}, (2, 3, 3)),
        ({**CONV, "dilation": [2, 1], "padding": [2, 1]}, (2, 8, 6)),
        ({"op": "max_pool", "kernel": 3, "stride": 2, "padding": "same"}, (2, 4, 3)),
        ({"op": "avg_pool", "kernel": [2, 3], "stride": 1}, (2, 7, 4)),
        ({"op": "global_avg_pool"}, (2, 1, 1)),
        ({"op": "flatten"}, (96,)),
        ({"op": "concat", "inputs": ["input", "input", "input"]}, (6, 8, 6)),
        ({"op": "add", "inputs": ["input", "input"]}, (2, 8, 6)),
        ({"op": "squeeze_excite", "channels": 1}, (2, 8, 6)),
    ],
)
def test_shapes(node, shape):
    assert Genome.parse(written(node)).shapes["n0"] == shape


def nested(depth: int) -> str:
    return (
        json.dumps(written(CONV))[:-1] + ', "provenance": {"a": ' + "[" * depth + "]" * depth + "}}"
    )


HOSTILE: list[tuple[str, Any, str]] = [
    ("nothing", "", "not JSON"),
    ("a list", [], "valid dictionary"),
    ("null", None, "valid dictionary"),
    ("a million brackets", "[" * 1_000_000, "not JSON"),
    ("deep objects", '{"a":' * 100_000, "not JSON"),
    ("deep provenance", nested(900), "deeper than"),
    ("a number of 5000 digits", '{"version": ' + "9" * 5000 + "}", "not JSON"),
    ("a key twice", '{"name": "a", "name": "b"}', "a key twice"),
    ("infinity", '{"version": Infinity}', "Infinity"),
    ("half a character", '{"name": "\\ud800"}', "surrogates"),
    ("another format", written(CONV, format="onnx"), "format"),
    ("a later version", written(CONV, version=2), "version"),
    ("an unknown key", written(CONV, layers=[]), "layers: unknown key"),
    ("a terminal's control codes", {"\x1b[31m\n": 1}, "unknown key"),
    ("an endless key", {"x" * 1_000_000: 1}, "xxx"),
    ("no nodes", written(), "at least one node"),
    ("too many nodes", written(*[RELU] * 10_001), "at most 10000"),
    ("no outputs", written(CONV, outputs={}), "outputs"),
    ("an unknown output", written(CONV, outputs={"y": "n9"}), '"n9", which does not exist'),
    ("an output with a strange name", written(CONV, outputs={"\x1b": "n0"}), "outputs"),
    ("the image as output", written(CONV, outputs={"y": "input"}), '"input"'),
    ("an unknown op", written({"op": "cnv"}), "did you mean 'conv'"),
    ("no op", written({}), "no op"),
    ("an unknown attribute", written({**CONV, "strid": 2}), "did you mean 'stride'"),
    ("a missing attribute", written({"op": "conv", "kernel": 3}), "out_channels: missing"),
    ("a bool for a kernel", written({**CONV, "kernel": True}), "kernel"),
    ("bools in a kernel", written({**CONV, "kernel": [True, 3]}), "kernel"),
    ("a bool for a width", written({**CONV, "out_channels": True}), "out_channels"),
    ("a float for a width", written({**CONV, "out_channels": 2.0}), "out_channels"),
    ("a string for a width", written({**CONV, "out_channels": "2"}), "out_channels"),
    ("a huge width", written({**CONV, "out_channels": 10**30}), "out_channels"),
    ("no width", written({**CONV, "out_channels": 0}), "out_channels"),
    ("a kernel of three", written({**CONV, "kernel": [3, 3, 3]}), "kernel"),
    ("a kernel of none", written({**CONV, "kernel": 0}), "kernel"),
    ("negative padding", written({**CONV, "padding": -1}), "padding"),
    ("unknown padding", written({**CONV, "padding": "valid"}), "padding"),
    ("groups that do not divide", written({**CONV, "groups": 3}), "groups"),
    ("a window larger than the map", written({**CONV, "kernel": 9}), "larger than"),
    (
        "a pool that sees padding only",
        written({"op": "max_pool", "kernel": 2, "padding": 2}),
        "pad",
    ),
    ("NaN", written({"op": "dropout", "rate": float("nan")}), "NaN"),
    ("a rate of one", written({"op": "dropout", "rate": 1}), "rate"),
    ("a bool for a rate", written({"op": "dropout", "rate": False}), "rate"),
    ("a path as id", written({**CONV, "id": "../../x"}), "id"),
    ("a line break in an id", written({**CONV, "id": "a\n"}), "id"),
    ("the reserved id", written({**CONV, "id": "input"}), "reserved"),
    ("an id twice", written({**RELU, "id": "a"}, {**RELU, "id": "a"}), '"a" is used twice'),
    ("an unknown input", written({**RELU, "inputs": ["x"]}), '"x", which does not exist'),
    ("no input", written({**RELU, "inputs": []}), "inputs"),
    ("two inputs for one", written({**RELU, "inputs": ["input"] * 2}), "takes one input"),
    ("a sum of one", written({"op": "add"}), "at least 2 inputs"),
    ("a node that reads itself", written({**RELU, "inputs": ["n0"]}), "cycle"),
    (
        "a long cycle",
        written(*[{**RELU, "inputs": [f"n{(at + 1) % 9000}"]} for at in range(9000)]),
        "cycle",
    ),
    ("a node that feeds nothing", written(RELU, RELU), '"n0" feeds no output'),
    (
        "a sum of unlike shapes",
        written(CONV, {"op": "add", "inputs": ["input", "n0"]}),
        "one shape",
    ),
    (
        "unlike maps stacked",
        written(CONV, {"op": "concat", "inputs": ["input", "n0"]}),
        "one height and width",
    ),
    ("linear on a map", written({"op": "linear", "out_features": 2}), "flatten"),
    ("conv on a vector", written({"op": "flatten"}, {**CONV, "inputs": ["n0"]}), "feature map"),
    (
        "pool on a vector",
        written(
            {"op": "flatten"},
            {"op": "max_pool", "kernel": 2, "padding": "same", "inputs": ["n0"]},
        ),
        "feature map",
    ),
]


@pytest.mark.parametrize(
    ("data", "reason"), [case[1:] for case in HOSTILE], ids=[c[0] for c in HOSTILE]
)
def test_a_strangers_genome_is_refused_in_one_line(data, reason):
    text = data if isinstance(data, str) else json.dumps(data)
    with pytest.raises(GenomeError) as caught:
        loads(text, where="theirs.json")
    line = str(caught.value)
    assert line.startswith("theirs.json: ")
    assert reason in line
    assert line.isprintable()
    assert len(line) < 1100


def test_nan_from_python_is_refused():
    with pytest.raises(GenomeError, match="rate"):
        Genome.parse(written({"op": "dropout", "rate": float("nan")}))


def test_schema_covers_what_is_written():
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(json_schema())
    data = json.loads(dumps(Genome.parse(written({**CONV, "padding": "same"}))))
    validator.validate(data)
    data["nodes"][0]["kernel"] = 0
    assert not validator.is_valid(data)
