"""The networks in ``prototypes/``, against what is published of them."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from gensynth import prototype
from gensynth.cost import cost, params_with_statistics
from gensynth.genome import Genome, Shape
from gensynth.network import build

FOLDER = Path(__file__).parents[1] / "prototypes"
NAMES = sorted(file.stem for file in FOLDER.glob("*.yaml"))
EMBEDDED = ("emotionnet_nano_b", "micro_expnet", "resnet14_slim", "resnet20")
TABLE_1 = ("efficientnet_b0", "lenet5_improved", "mobilenet_v1", "resnet50")
AFFECT = ("affect_alexnet", "affect_vgg", "affect_mobilenet")
HEADS = {"affect": 2, "expression": 8}


def shipped(
    name: str, classes: prototype.Classes | None = None, image: Shape | None = None
) -> Genome:
    return prototype.load(FOLDER / f"{name}.yaml", classes, image=image)


def running_statistics(genome: Genome) -> int:
    """Mean and variance of every normalised channel, which Keras counts as parameters."""
    normalised = [node for node in genome.nodes if node.op == "batch_norm"]
    return sum(2 * genome.shapes[node.id][0] for node in normalised)


def test_all_are_here():
    assert {*EMBEDDED, *TABLE_1, *AFFECT} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_for_hydra_and_names_its_source(name):
    file = FOLDER / f"{name}.yaml"
    text = file.read_text(encoding="utf-8")
    head = text[: text.index("name:")]
    assert head.startswith("# @package prototype\n")
    assert " 20" in head
    assert "${" not in text
    assert shipped(name).name == name
    composed = OmegaConf.to_container(OmegaConf.load(file), resolve=True)
    assert isinstance(composed, dict)
    plain = {str(key): value for key, value in composed.items()}
    assert prototype.expand(plain).hash == shipped(name).hash


@pytest.mark.parametrize("name", NAMES)
def test_each_states_its_count(name):
    head, _, _ = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").partition("name:")
    words = " ".join(head.replace("#", " ").split())
    assert f"{cost(shipped(name)).params:,}".replace(",", " ") in words


@pytest.mark.parametrize("name", NAMES)
def test_each_runs_on_small_gray_faces(name):
    genome = shipped(name, 7, (1, 48, 48))
    network = build(genome, seed=0)
    assert cost(genome).params == sum(value.numel() for value in network.parameters())
    with torch.no_grad():
        logits = network(torch.randn(2, 1, 48, 48, generator=torch.Generator().manual_seed(1)))
    assert logits.shape == (2, 7)
    assert 1e-3 < logits.std() < 30


@pytest.mark.parametrize("name", TABLE_1)
def test_the_networks_of_table_1_read_small_gray_faces_as_written(name):
    assert shipped(name).same_network(shipped(name, 7, (1, 48, 48)))


@pytest.mark.parametrize(
    ("name", "classes", "params", "statistics"),
    [
        # torchvision's counts (its ResNet-50 lacks the 26 560 biases of Keras') and Keras'.
        ("mobilenet_v1", 1000, 4_231_976, 21_888),
        ("efficientnet_b0", 1000, 5_288_548, 42_016),
        ("resnet50", 1000, 25_557_032 + 26_560, 53_120),
    ],
)
def test_well_known_counts(name, classes, params, statistics):
    genome = shipped(name, classes, (3, 128, 128))
    assert cost(genome).params == params
    assert running_statistics(genome) == statistics


@pytest.mark.parametrize(
    ("name", "published"), list(zip(AFFECT, (3_464_952, 3_753_016, 3_237_064), strict=True))
)
def test_the_variants_of_2018_have_the_published_sizes(name, published):
    """Hewitt, Gunes 2018: their counts are of eight classes, running statistics included."""
    alone, both = shipped(name), shipped(name, HEADS)
    assert alone.input.shape == (3, 128, 128)
    assert params_with_statistics(alone) == published
    assert running_statistics(alone) == published - cost(alone).params
    assert list(both.outputs) == ["affect", "expression"]
    assert params_with_statistics(both) == published + 2 * 1024 + 2


@pytest.mark.parametrize("name", ["inception_mobile", "mobile_open", *AFFECT])
def test_heads_share_the_trunk(name):
    alone, both = shipped(name, 8, (1, 64, 64)), shipped(name, HEADS, (1, 64, 64))
    assert [node.id for node in both.nodes[-2:]] == ["affect.linear", "expression.linear"]
    assert [node.id for node in both.nodes[:-2]] == [node.id for node in alone.nodes[:-1]]
    assert {both.shapes[node] for node in both.outputs.values()} == {(2,), (8,)}


@pytest.mark.parametrize(
    ("name", "width", "last_layer", "scaling", "millions"),
    [
        ("mobilenet_v1", 1024, False, 0, 3.23),
        ("efficientnet_b0", 1280, True, 7, 4.06),
        ("resnet50", 2048, True, 0, 23.60),
        ("resnet50", 2048, False, 0, 23.59),
    ],
)
def test_published_sizes_of_table_1_are_the_totals_of_keras(
    name, width, last_layer, scaling, millions
):
    """Lee, Wang, Wong 2021, table 1 (23.6 for ResNet50), reading three channels.

    Keras' total is parameters, running statistics and what its EfficientNet scales the image with.
    """
    genome = shipped(name, 7, (3, 48, 48))
    without = 0 if last_layer else 7 * width + 7
    total = cost(genome).params + running_statistics(genome) + scaling - without
    assert round(total / 1e6, 2) == millions


@pytest.mark.parametrize(
    ("name", "published"),
    [
        # Howard et al. 2017, table 4; Tan, Le 2019, table 2; He et al. 2016, table 1.
        ("mobilenet_v1", 569e6),
        ("efficientnet_b0", 0.39e9),
        ("resnet50", 3.8e9),
    ],
)
def test_published_multiply_accumulates_on_imagenet(name, published):
    assert cost(shipped(name, 1000, (3, 224, 224))).macs == pytest.approx(published, rel=0.02)


def test_the_size_of_the_improved_lenet_is_as_published():
    assert round(cost(shipped("lenet5_improved")).params / 1e6, 1) == 5.4


def test_dropout_is_where_efficientnet_has_it():
    genome = shipped("efficientnet_b0")
    assert [node.inputs for node in genome.nodes if node.op == "dropout"] == [("flatten",)]


def test_normalised_nano_b_normalises_each_convolution_of_nano_b():
    plain, normalised = (shipped(f"emotionnet_nano_b{suffix}") for suffix in ("", "_normalised"))

    def convolutions(genome: Genome) -> list[tuple[Any, ...]]:
        nodes: list[Any] = [node for node in genome.nodes if node.op == "conv"]
        return [(node.out_channels, node.kernel, node.stride) for node in nodes]

    operations = [node.op for node in normalised.nodes]
    assert [op for op in operations if op != "batch_norm"] == [node.op for node in plain.nodes]
    after = [following for op, following in itertools.pairwise(operations) if op == "conv"]
    assert after == ["batch_norm"] * len(convolutions(plain))
    assert convolutions(normalised) == convolutions(plain)


def test_published_nano_b_layer_by_layer():
    genome = shipped("emotionnet_nano_b")
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


def test_micro_expnet_maps():
    genome = shipped("micro_expnet")
    sides = [shape[1] for shape in genome.shapes.values() if len(shape) == 3]
    assert list(dict.fromkeys(sides)) == [84, 42, 21, 11, 6]


def test_classes_set_the_last_width():
    assert shipped("resnet20").shapes["linear"] == (7,)
    assert shipped("resnet20", 8).shapes["linear"] == (8,)
