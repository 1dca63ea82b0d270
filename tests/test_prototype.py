from typing import Any

import pytest
import yaml

from gensynth import prototype
from gensynth.cost import cost
from gensynth.errors import UserError
from gensynth.genome import Genome

INCEPTION_3A = """
name: inception_3a
input: [192, 28, 28]
modules:
  layer:
    parameters: {width, kernel: 1}
    network:
      - {op: conv, out_channels: $width, kernel: $kernel}
      - {op: relu}
  tower:
    parameters: {reduced, width, kernel}
    network:
      - {use: layer, width: $reduced}
      - {use: layer, width: $width, kernel: $kernel}
  inception:
    parameters: {a, b, c, d}
    network:
      - {id: one, use: layer, width: $a}
      - {id: three, use: tower, reduced: 96, width: $b, kernel: 3, inputs: input}
      - {id: five, use: tower, reduced: 16, width: $c, kernel: 5, inputs: input}
      - {op: max_pool, kernel: 3, padding: 1, inputs: input}
      - {id: pooled, use: layer, width: $d}
      - {op: concat, inputs: [one, three, five, pooled]}
network:
  - {use: inception, a: 64, b: 128, c: 32, d: 32}
"""


def test_an_inception_module_can_be_written():
    """Szegedy et al. 2014, table 1, inception (3a)."""
    assert cost(prototype.expand(yaml.safe_load(INCEPTION_3A))).params == 163_696


def test_inception_concatenates_in_order():
    genome = prototype.expand(yaml.safe_load(INCEPTION_3A))
    last = genome.nodes[-1]
    assert genome.shapes[last.id] == (256, 28, 28)
    assert [genome.shapes[source][0] for source in last.inputs] == [64, 128, 32, 32]


def written(*network: Any, **changes: Any) -> dict[str, Any]:
    modules = {
        "layer": {
            "parameters": {"width": None, "kernel": 3},
            "network": [
                {"op": "conv", "out_channels": "$width", "kernel": "$kernel"},
                {"op": "relu"},
            ],
        },
        "loop": {"network": [{"use": "hoop"}]},
        "hoop": {"network": [{"use": "loop"}]},
        "strange": {"network": [{"op": "conv", "out_channels": "$depth", "kernel": 1}]},
        "blind": {"network": [{"op": "relu", "inputs": ["stem"]}]},
    }
    return {"name": "p", "input": [2, 8, 8], "modules": modules, "network": list(network)} | changes


LAYER = {"use": "layer", "width": 4}


def ids(genome: Genome) -> list[str]:
    return [node.id for node in genome.nodes]


def test_nodes_are_named_after_their_entries():
    genome = prototype.expand(
        written({**LAYER, "id": "stem"}, LAYER, LAYER, {"op": "relu", "inputs": ["stem", "layer2"]})
    )
    layers = [f"{name}.{op}" for name in ("stem", "layer", "layer2") for op in ("conv", "relu")]
    assert ids(genome) == [*layers, "relu.sum", "relu"]


def test_repeat_chains_and_its_id_is_the_last():
    genome = prototype.expand(
        written(
            {**LAYER, "id": "a", "repeat": 3, "inputs": "input"},
            {"op": "sigmoid"},
            {"op": "add", "inputs": ["sigmoid", "a"]},
        )
    )
    by_id = {node.id: node for node in genome.nodes}
    assert by_id["a-2.conv"].inputs == ("a-1.relu",)
    assert by_id["a-3.conv"].inputs == ("a-2.relu",)
    assert by_id["add"].inputs == ("sigmoid", "a-3.relu")


def test_equal_sums_are_computed_once():
    genome = prototype.expand(
        written(
            {**LAYER, "id": "a"},
            {**LAYER, "id": "b"},
            {**LAYER, "id": "c", "inputs": ["a", "b"]},
            {**LAYER, "id": "d", "inputs": ["b", "a"]},
            {"op": "add", "inputs": ["c", "d"]},
        )
    )
    assert [node.id for node in genome.nodes if node.op == "add"] == ["c.sum", "add"]


def test_generated_names_give_way_to_written_ones():
    genome = prototype.expand(
        written({"op": "relu"}, {"op": "relu"}, {"id": "relu2", "op": "relu", "inputs": "relu3"})
    )
    assert ids(genome) == ["relu", "relu3", "relu2"]


@pytest.mark.parametrize(
    ("conv", "padding"),
    [
        ({"kernel": 3}, (1, 1)),
        ({"kernel": 1}, (0, 0)),
        ({"kernel": [5, 3]}, (2, 1)),
        ({"kernel": 3, "dilation": 2}, (2, 2)),
        ({"kernel": 3, "dilation": [1, 2]}, (1, 2)),
        ({"kernel": 3, "padding": 0}, (0, 0)),
        ({"kernel": 4, "padding": "same"}, "same"),
    ],
)
def test_convolutions_keep_the_size_unless_told_otherwise(conv, padding):
    node: Any = prototype.expand(written({"op": "conv", "out_channels": 1, **conv})).nodes[0]
    assert node.padding == padding


def test_the_whole_map_is_a_window():
    genome = prototype.expand(
        written(
            {"op": "max_pool", "kernel": "map"},
            {"op": "conv", "out_channels": 3, "kernel": "map", "inputs": "input"},
            {"op": "add", "inputs": ["conv", "conv"]},
            input=[2, 5, 7],
            outputs={"greatest": "max_pool", "dense": "add"},
        )
    )
    nodes: dict[str, Any] = {node.id: node for node in genome.nodes}
    for name in ("max_pool", "conv"):
        assert (nodes[name].kernel, nodes[name].padding) == ((5, 7), (0, 0))
        assert genome.shapes[name][1:] == (1, 1)


def test_the_image_and_the_classes_can_be_other_ones(tmp_path):
    config = written({"op": "conv", "out_channels": "$classes", "kernel": "map"}, {"op": "flatten"})
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(config))
    for changed in (
        prototype.expand(config, 5, image=(3, 6, 4)),
        prototype.load(tmp_path / "p.yaml", 5, image=(3, 6, 4)),
        prototype.expand({**config, "input": [3, 6, 4], "classes": 5}),
    ):
        assert changed.input.shape == (3, 6, 4)
        assert cost(changed).params == 5 * (3 * 6 * 4 + 1)
    with pytest.raises(UserError, match=r"^prototype\.input\.2: "):
        prototype.expand(config, image=(3, 6, 0))


def test_outputs_can_be_several_and_decisions_are_left_alone():
    genome = prototype.expand(
        written(
            {"id": "a", "op": "relu"},
            {"id": "b", "op": "tanh", "inputs": "input"},
            outputs={"emotion": "a", "affect": "b"},
            decisions={"residual": {"merge": "after", "stage1.width": 11}},
        )
    )
    assert genome.outputs == {"emotion": "a", "affect": "b"}
    assert prototype.expand(written({"op": "relu"})).outputs == {prototype.OUTPUT: "relu"}


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (written({"op": "relu"}, colour=1), "prototype.colour: unknown key"),
        (written({"op": "relu"}, input=[1, 2]), "prototype.input.2: missing"),
        (written(), "prototype.network: list should have at least 1 item"),
        (
            written({"op": "relu"}, modules={"m": {"net": []}}),
            "prototype.modules.m.net: unknown key",
        ),
        (written({"op": "relu"}, decisions=3), "prototype.decisions"),
        (written({"op": "relu"}, classes=True), "prototype.classes"),
        (written("relu"), "prototype.network.0"),
        (written({"kernel": 3}), "prototype.network.0: has neither op nor use"),
        (written({"op": "relu", "use": "layer"}), "prototype.network.0: has both op and use"),
        (
            written({"op": "rleu"}),
            "prototype.network.0.op: unknown operation 'rleu'; did you mean 'relu'",
        ),
        (written({"op": None}), "prototype.network.0.op: unknown operation 'None'"),
        (
            written({"use": "lyer"}),
            "prototype.network.0.use: unknown template 'lyer'; did you mean",
        ),
        (written({**LAYER, "kernl": 3}), "prototype.network.0.kernl: unknown key; did you mean"),
        (written({"use": "layer"}), "prototype.network.0: template 'layer' needs a value for 'wid"),
        (written({"op": "relu", "slope": 3}), "prototype.network.0.slope: unknown key"),
        (written({"op": "conv", "kernel": 3}), "prototype.network.0.out_channels: missing"),
        (
            written({**LAYER, "width": "wide"}),
            "prototype.modules.layer.network.0.out_channels: input should be a valid integer",
        ),
        (
            written({**LAYER, "kernel": 0}),
            "prototype.modules.layer.network.0.kernel",
        ),
        (
            written({"op": "conv", "out_channels": "$clases", "kernel": 1}),
            "prototype.network.0.out_channels: unknown parameter $clases; did you mean 'classes'",
        ),
        (
            written({"use": "strange"}),
            "prototype.modules.strange.network.0.out_channels: unknown parameter $depth",
        ),
        (
            written({"use": "loop"}),
            "prototype.modules.hoop.network.0.use: template 'loop' uses its",
        ),
        (
            written({**LAYER, "id": "stem"}, {"use": "blind"}),
            "prototype.modules.blind.network.0.inputs: reads 'stem', which is no earlier entry",
        ),
        (written({"op": "relu", "inputs": "stem"}), "prototype.network.0.inputs: reads 'stem'"),
        (written({"op": "relu", "inputs": []}), "prototype.network.0.inputs: inputs is neither"),
        (written({"op": "relu", "inputs": 3}), "prototype.network.0.inputs: inputs is neither"),
        (written({"op": "relu", "inputs": [["input"]]}), "prototype.network.0.inputs: reads"),
        (
            written({"id": "a", "op": "relu"}, {"id": "a", "op": "relu"}),
            "prototype.network.1.id: id 'a' is used twice",
        ),
        (written({"id": "a.b", "op": "relu"}), "prototype.network.0.id: string should match"),
        (
            written({"id": "input", "op": "relu"}),
            "prototype.network.0.id: id 'input' is used twice",
        ),
        (written({"id": ["a"], "op": "relu"}), "prototype.network.0.id: input should be a valid"),
        (written({"op": "relu", "repeat": 0}), "prototype.network.0.repeat: repeat is 0"),
        (written({"op": "relu", "repeat": True}), "prototype.network.0.repeat: repeat is True"),
        (
            written({"op": "relu", "repeat": 10**9}),
            "prototype.network.0: the network has more than",
        ),
        (
            written({"op": "flatten"}, {"op": "conv", "out_channels": 1, "kernel": "map"}),
            "prototype.network.1: conv reads a feature map",
        ),
        (written({"op": "add"}), "prototype.network.0: takes a list of at least 2 inputs"),
        (
            written(LAYER, {"op": "add", "inputs": ["layer", "input"]}),
            "prototype.network.1: add needs inputs of one shape",
        ),
        (
            written(LAYER, {"op": "relu", "inputs": ["layer", "input"]}),
            "prototype.network.1: add needs inputs of one shape",
        ),
        (written({"op": "linear", "out_features": 3}), "prototype.network.0: linear reads a flat"),
        (
            written({**LAYER, "id": "a"}, {"op": "relu", "inputs": "input"}),
            'prototype.network: node "a.relu" feeds no output',
        ),
        (written({"op": "relu"}, outputs={"y": "z"}), "prototype.outputs.y: reads 'z'"),
        (None, "prototype: input should be a valid dictionary"),
    ],
)
def test_mistakes_are_one_line_that_names_the_key(config, line):
    with pytest.raises(UserError) as caught:
        prototype.expand(config)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_a_files_mistakes_name_the_file(tmp_path):
    file = tmp_path / "mine.yaml"
    with pytest.raises(UserError, match=r"mine\.yaml: cannot be read"):
        prototype.load(file)
    file.write_text("name: [")
    with pytest.raises(UserError, match=r"mine\.yaml:\d: not YAML"):
        prototype.load(file)
    file.write_bytes(b"\xff\x00")
    with pytest.raises(UserError, match=r"mine\.yaml: cannot be read \(not a text"):
        prototype.load(file)
    file.write_text(yaml.safe_dump(written({"op": "rleu"})))
    with pytest.raises(UserError, match=r"mine\.yaml: network\.0\.op: unknown op"):
        prototype.load(file)


HEADED: dict[str, Any] = {
    "name": "headed",
    "input": [3, 8, 8],
    "modules": {
        "answer": {
            "parameters": {"hidden": None},
            "network": [
                {"op": "linear", "out_features": "$hidden"},
                {"op": "relu"},
                {"op": "linear", "out_features": "$classes"},
            ],
        }
    },
    "network": [
        {"op": "conv", "out_channels": 4, "kernel": 3},
        {"op": "global_avg_pool"},
        {"op": "flatten"},
        {"op": "dropout", "rate": 0.1},
        {"use": "answer", "hidden": 5},
    ],
}


def test_what_reads_the_classes_is_there_for_each_head():
    alone = prototype.expand(HEADED, 3)
    assert list(alone.outputs) == ["logits"]
    both = prototype.expand({**HEADED, "classes": {"what": 3, "where": 2}})
    assert both.hash == prototype.expand(HEADED, {"what": 3, "where": 2}).hash
    assert {name: both.shapes[node] for name, node in both.outputs.items()} == {
        "what": (3,),
        "where": (2,),
    }
    assert [node.id for node in both.nodes][4:] == [
        *("what.answer.linear", "what.answer.relu", "what.answer.linear2"),
        *("where.answer.linear", "where.answer.relu", "where.answer.linear2"),
    ]
    assert {node.inputs for node in both.nodes if node.id.endswith("answer.linear")} == {
        ("dropout",)
    }
    assert cost(both).params - cost(alone).params == 4 * 5 + 5 + 5 * 2 + 2


def test_one_head_may_have_a_name():
    assert list(prototype.expand(HEADED, {"what": 3}).outputs) == ["what"]


def test_heads_vary_by_themselves():
    varying = {"start": 5, "low": 4, "high": 9}
    network = [*HEADED["network"][:-1], {"use": "answer", "hidden": varying}]
    blueprint = prototype.Blueprint({**HEADED, "network": network}, {"what": 3, "where": 2})
    assert list(blueprint.marks) == ["what.answer.hidden", "where.answer.hidden"]
    drawn = blueprint.expand(lambda place, mark: 9 if place.startswith("what") else 4)
    assert drawn.shapes["what.answer.linear"] == (9,)
    assert drawn.shapes["where.answer.linear"] == (4,)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"network": HEADED["network"][-1:]}, "several heads would share nothing"),
        ({"outputs": {"what": "flatten"}}, "has outputs of its own"),
        ({"classes": {}}, "classes"),
        ({"classes": {"what": 0}}, "classes"),
    ],
)
def test_heads_that_cannot_be_are_one_line(change, problem):
    classes = {} if "classes" in change else {"classes": {"what": 3, "where": 2}}
    with pytest.raises(UserError, match=problem) as caught:
        prototype.expand({**HEADED, **classes, **change})
    assert "\n" not in str(caught.value)
