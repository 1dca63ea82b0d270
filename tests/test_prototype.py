from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from gensynth import prototype
from gensynth.cost import cost
from gensynth.errors import UserError
from gensynth.genome import Genome

RESNET50 = """
name: resnet50
input: [3, 224, 224]
classes: 1000
modules:
  layer:
    parameters: {width, kernel: 1, stride: 1}
    network:
      - {op: conv, out_channels: $width, kernel: $kernel, stride: $stride, bias: false}
      - {op: batch_norm}
  body:
    parameters: {inner, width, stride: 1}
    network:
      - {use: layer, width: $inner}
      - {op: relu}
      - {use: layer, width: $inner, kernel: 3, stride: $stride}
      - {op: relu}
      - {use: layer, width: $width}
  first:
    parameters: {inner, width, stride}
    network:
      - {id: shortcut, use: layer, width: $width, stride: $stride}
      - {use: body, inner: $inner, width: $width, stride: $stride, inputs: input}
      - {op: relu, inputs: [body, shortcut]}
  block:
    parameters: {inner, width}
    network:
      - {use: body, inner: $inner, width: $width}
      - {op: relu, inputs: [body, input]}
  stage:
    parameters: {inner, width, blocks, stride: 2}
    network:
      - {use: first, inner: $inner, width: $width, stride: $stride}
      - {use: block, inner: $inner, width: $width, repeat: $blocks}
network:
  - {use: layer, width: 64, kernel: 7, stride: 2}
  - {op: relu}
  - {op: max_pool, kernel: 3, stride: 2, padding: 1}
  - {use: stage, inner: 64, width: 256, blocks: 2, stride: 1}
  - {use: stage, inner: 128, width: 512, blocks: 3}
  - {use: stage, inner: 256, width: 1024, blocks: 5}
  - {use: stage, inner: 512, width: 2048, blocks: 2}
  - {op: global_avg_pool}
  - {op: flatten}
  - {op: linear, out_features: $classes}
"""

MOBILENET_V1 = """
name: mobilenet_v1
input: [3, 48, 48]
modules:
  layer:
    parameters: {width, kernel: 1, stride: 1, groups: 1}
    network:
      - {op: conv, out_channels: $width, kernel: $kernel, stride: $stride, groups: $groups,
         bias: false}
      - {op: batch_norm}
      - {op: relu}
  separable:
    parameters: {before, width, stride: 1}
    network:
      - {use: layer, width: $before, kernel: 3, stride: $stride, groups: $before}
      - {use: layer, width: $width}
network:
  - {use: layer, width: 32, kernel: 3, stride: 2}
  - {use: separable, before: 32, width: 64}
  - {use: separable, before: 64, width: 128, stride: 2}
  - {use: separable, before: 128, width: 128}
  - {use: separable, before: 128, width: 256, stride: 2}
  - {use: separable, before: 256, width: 256}
  - {use: separable, before: 256, width: 512, stride: 2}
  - {use: separable, before: 512, width: 512, repeat: 5}
  - {use: separable, before: 512, width: 1024, stride: 2}
  - {use: separable, before: 1024, width: 1024}
  - {op: global_avg_pool}
  - {op: flatten}
  - {op: linear, out_features: $classes}
"""

EFFICIENTNET_B0 = """
name: efficientnet_b0
input: [3, 224, 224]
classes: 1000
modules:
  layer:
    parameters: {width, kernel: 1, stride: 1, groups: 1}
    network:
      - {op: conv, out_channels: $width, kernel: $kernel, stride: $stride, groups: $groups,
         bias: false}
      - {op: batch_norm}
  inverted:     # depthwise, squeeze-excite, linear projection
    parameters: {inner, squeezed, width, kernel, stride: 1}
    network:
      - {use: layer, width: $inner, kernel: $kernel, stride: $stride, groups: $inner}
      - {op: silu}
      - {op: squeeze_excite, channels: $squeezed, activation: silu}
      - {use: layer, width: $width}
  expanded:
    parameters: {inner, squeezed, width, kernel, stride: 1}
    network:
      - {use: layer, width: $inner}
      - {op: silu}
      - {use: inverted, inner: $inner, squeezed: $squeezed, width: $width, kernel: $kernel,
         stride: $stride}
  residual:
    parameters: {inner, squeezed, width, kernel}
    network:
      - {use: expanded, inner: $inner, squeezed: $squeezed, width: $width, kernel: $kernel}
      - {op: add, inputs: [expanded, input]}
network:
  - {use: layer, width: 32, kernel: 3, stride: 2}
  - {op: silu}
  - {use: inverted, inner: 32, squeezed: 8, width: 16, kernel: 3}
  - {use: expanded, inner: 96, squeezed: 4, width: 24, kernel: 3, stride: 2}
  - {use: residual, inner: 144, squeezed: 6, width: 24, kernel: 3}
  - {use: expanded, inner: 144, squeezed: 6, width: 40, kernel: 5, stride: 2}
  - {use: residual, inner: 240, squeezed: 10, width: 40, kernel: 5}
  - {use: expanded, inner: 240, squeezed: 10, width: 80, kernel: 3, stride: 2}
  - {use: residual, inner: 480, squeezed: 20, width: 80, kernel: 3, repeat: 2}
  - {use: expanded, inner: 480, squeezed: 20, width: 112, kernel: 5}
  - {use: residual, inner: 672, squeezed: 28, width: 112, kernel: 5, repeat: 2}
  - {use: expanded, inner: 672, squeezed: 28, width: 192, kernel: 5, stride: 2}
  - {use: residual, inner: 1152, squeezed: 48, width: 192, kernel: 5, repeat: 3}
  - {use: expanded, inner: 1152, squeezed: 48, width: 320, kernel: 3}
  - {use: layer, width: 1280}
  - {op: silu}
  - {op: global_avg_pool}
  - {op: flatten}
  - {op: dropout, rate: 0.2}
  - {op: linear, out_features: $classes}
"""

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


@pytest.mark.parametrize(
    ("text", "params"),
    [
        # torchvision's counts; FACTS.md's for MobileNetV1; Szegedy et al. 2014, table 1, for 3a.
        (RESNET50, 25_557_032),
        (MOBILENET_V1, 3_214_151),
        (EFFICIENTNET_B0, 5_288_548),
        (INCEPTION_3A, 163_696),
    ],
    ids=["resnet50", "mobilenet_v1", "efficientnet_b0", "inception"],
)
def test_well_known_networks_can_be_written(text, params):
    assert cost(prototype.expand(yaml.safe_load(text))).params == params


def test_inception_concatenates_in_order():
    genome = prototype.expand(yaml.safe_load(INCEPTION_3A))
    last = genome.nodes[-1]
    assert genome.shapes[last.id] == (256, 28, 28)
    assert [genome.shapes[source][0] for source in last.inputs] == [64, 128, 32, 32]


def prototypes(repository: Path) -> list[Path]:
    return sorted((repository / "prototypes").glob("*.yaml"))


def test_every_shipped_prototype_is_for_hydra_and_names_its_source(repository):
    assert {"resnet20", "emotionnet_nano_b", "micro_expnet"} <= {
        file.stem for file in prototypes(repository)
    }
    for file in prototypes(repository):
        text = file.read_text(encoding="utf-8")
        head = text[: text.index("name:")]
        assert head.startswith("# @package prototype\n"), file
        assert " 20" in head, f"{file} cites no source"
        assert "${" not in text
        assert prototype.load(file).name == file.stem


def test_omegaconf_reads_a_prototype_as_it_is(repository):
    for file in prototypes(repository):
        composed = OmegaConf.to_container(OmegaConf.load(file), resolve=True)
        assert isinstance(composed, dict)
        plain = {str(key): value for key, value in composed.items()}
        assert prototype.expand(plain).hash == prototype.load(file).hash


def test_published_nano_b_layer_by_layer(repository):
    genome = prototype.load(repository / "prototypes" / "emotionnet_nano_b.yaml")
    by_id: dict[str, Any] = {node.id: node for node in genome.nodes}
    convs = {name.removesuffix(".conv"): node for name, node in by_id.items() if node.op == "conv"}
    widths = {
        "x": [11, 9, 11, 8, 11, 7, 11, 27],
        "c": [27, 19, 27, 26, 27, 36],
        "d": [64, 39, 64, 24, 64],
    }
    for stage, listed in widths.items():
        for number, width in enumerate(listed, 1):
            conv = convs[f"{stage}{number}"]
            assert (conv.out_channels, conv.kernel, conv.bias) == (width, (3, 3), True)
            assert conv.stride == ((2, 2) if f"{stage}{number}" in ("x8", "c6") else (1, 1))
    for name, width in (("p", 27), ("q", 64)):
        assert (convs[name].out_channels, convs[name].kernel) == (width, (1, 1))
        assert (convs[name].stride, convs[name].bias) == ((2, 2), True)
    assert {node.op for node in genome.nodes} == {
        "conv",
        "relu",
        "add",
        "global_avg_pool",
        "flatten",
        "linear",
    }

    def terms(node_id: str) -> set[str]:
        source = by_id[by_id[node_id].inputs[0]]
        sources = source.inputs if source.op == "add" else (source.id,)
        return {name.removesuffix(".relu") for name in sources}

    sums = {
        "x4": "x1 x3",
        "x6": "x1 x3 x5",
        "x8": "x1 x5 x7",
        "p": "x1 x3 x5",
        "c1": "x8",
        "c2": "c1 p",
        "c4": "c1 c3",
        "c6": "c1 c3 c5 p",
        "q": "c3 c5 p x8",
        "d1": "c6",
        "d2": "d1 q",
        "d4": "d1 d3 q",
    }
    for name, sources in sums.items():
        assert terms(convs[name].id) == set(sources.split()), name
    assert terms("global_avg_pool") == {"d1", "d3", "d5", "q"}


def test_micro_expnet_maps(repository):
    genome = prototype.load(repository / "prototypes" / "micro_expnet.yaml")
    sides = [shape[1] for shape in genome.shapes.values() if len(shape) == 3]
    assert list(dict.fromkeys(sides)) == [84, 42, 21, 11, 6]


def test_classes_set_the_last_width(repository):
    file = repository / "prototypes" / "resnet20.yaml"
    assert prototype.load(file).shapes["linear"] == (7,)
    assert prototype.load(file, classes=8).shapes["linear"] == (8,)


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
        (written({"op": "rleu"}), "prototype.network.0.op: unknown op 'rleu'; did you mean 'relu'"),
        (written({"op": None}), "prototype.network.0.op: unknown op None"),
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
    with pytest.raises(UserError, match=r"mine\.yaml: not YAML"):
        prototype.load(file)
    file.write_bytes(b"\xff\x00")
    with pytest.raises(UserError, match=r"mine\.yaml: cannot be read \(not a text"):
        prototype.load(file)
    file.write_text(yaml.safe_dump(written({"op": "rleu"})))
    with pytest.raises(UserError, match=r"mine\.yaml: network\.0\.op: unknown op"):
        prototype.load(file)
