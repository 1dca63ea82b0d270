"""An operation that gensynth does not have, registered from outside."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
import torch
from torch import nn

from gensynth import prototype
from gensynth.cost import cost, layer_table
from gensynth.genome import (
    OPERATIONS,
    Count,
    Genome,
    GenomeError,
    Operation,
    Shape,
    Weightless,
    dumps,
    json_schema,
    loads,
)
from gensynth.network import build
from gensynth.report.blocks import blocks
from gensynth.report.drawing import draw
from gensynth.training.fused import Fused
from tests.strategies import random_genome

PLUGIN = '''
from typing import Literal

from torch import nn

from gensynth.genome import OPERATIONS, Count, Weightless


@OPERATIONS.register
class ChannelShuffle(Weightless):
    """Channels of groups, dealt out in turn (ShuffleNet: Zhang, Zhou, Lin, Sun 2018)."""

    op: Literal["channel_shuffle"] = "channel_shuffle"
    groups: Count

    def infer(self, shapes):
        return shapes[0]

    def module(self, shapes):
        return nn.ChannelShuffle(self.groups)
'''


class PReLU(Operation):
    """Leaky, its slope learned for each channel (He, Zhang, Ren, Sun 2015)."""

    op: Literal["prelu"] = "prelu"
    spread: Count = 1

    in_place: ClassVar[bool] = True

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        return shapes[0]

    def parameters(self, shapes: Sequence[Shape]) -> int:
        return shapes[0][0]

    def macs(self, shapes: Sequence[Shape]) -> int:
        return 0

    def module(self, shapes: Sequence[Shape]) -> nn.Module:
        module = nn.PReLU(shapes[0][0])
        nn.init.normal_(module.weight, std=0.1 * self.spread)
        return module


@pytest.fixture
def prelu() -> Iterator[None]:
    OPERATIONS.register(PReLU)
    yield
    OPERATIONS.forget("prelu")


def network(*, spread: int) -> dict[str, Any]:
    return {
        "name": "with_prelu",
        "input": [1, 8, 8],
        "network": [
            {"op": "conv", "out_channels": 4, "kernel": 3},
            {"op": "batch_norm"},
            {"op": "prelu", "spread": spread},
            {"op": "global_avg_pool"},
            {"op": "flatten"},
            {"op": "linear", "out_features": "$classes"},
        ],
    }


@pytest.mark.usefixtures("prelu")
def test_an_operation_from_outside_is_one_like_any_other():
    genome = prototype.expand(network(spread=2), 3)
    again = loads(dumps(genome))
    assert again == genome
    assert again.hash == genome.hash != prototype.expand(network(spread=1), 3).hash
    layer = next(layer for layer in layer_table(genome) if layer.op == "prelu")
    assert (layer.params, layer.macs, layer.shape) == (4, 0, (4, 8, 8))
    built = build(genome, seed=1)
    assert sum(value.numel() for value in built.parameters()) == cost(genome).params
    labels = {block.id: block.label for block in blocks(genome)}
    assert labels["prelu"] == "prel"
    assert ">prel<" in draw(genome).svg()
    assert "prelu" in str(json_schema()["$defs"]["PReLU"])


@pytest.mark.usefixtures("prelu")
def test_its_weights_follow_from_the_seed_and_the_global_generator_is_left_alone():
    genome = prototype.expand(network(spread=2), 3)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = build(genome, seed=1).state_dict()
    assert torch.equal(torch.rand(3), expected)
    second, other = build(genome, seed=1).state_dict(), build(genome, seed=2).state_dict()
    assert torch.equal(first["layers.prelu.weight"], second["layers.prelu.weight"])
    assert not torch.equal(first["layers.prelu.weight"], other["layers.prelu.weight"])


@pytest.mark.usefixtures("prelu")
def test_it_trains_in_the_fused_pass_as_in_the_plain_one():
    plain = build(prototype.expand(network(spread=2), 3), seed=1).train()
    images = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    found = []
    for run in (plain, Fused(plain)):
        loss = run(images).square().sum()
        found.append(torch.autograd.grad(loss, list(plain.parameters())))
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_an_operation_that_forgets_its_count_is_an_error_at_import():
    with pytest.raises(TypeError, match="operation Forgetful has to define macs, parameters"):

        @OPERATIONS.register
        class Forgetful(Operation):
            op: Literal["forgetful"] = "forgetful"

            def infer(self, shapes: Sequence[Shape]) -> Shape:
                return shapes[0]

            def module(self, shapes: Sequence[Shape]) -> nn.Module:
                return nn.Identity()

    with pytest.raises(TypeError, match="has to define infer, module"):

        @OPERATIONS.register
        class Shapeless(Weightless):
            op: Literal["shapeless"] = "shapeless"

    assert not {"forgetful", "shapeless"} & set(OPERATIONS)


def test_a_name_that_is_taken_is_refused():
    with pytest.raises(ValueError, match="operation 'add' is registered already"):

        @OPERATIONS.register
        class Another(Weightless):
            op: Literal["add"] = "add"

            def infer(self, shapes: Sequence[Shape]) -> Shape:
                return shapes[0]

            def module(self, shapes: Sequence[Shape]) -> nn.Module:
                return nn.Identity()


def test_every_operation_counts_what_torch_allocates():
    """Sums over random networks of every operation; a forgotten weight would show."""
    met = set()
    for seed in range(60):
        genome = random_genome(np.random.default_rng(seed), nodes=20, side=7)
        built = build(genome, seed=0, device="meta")
        for node, layer in zip(genome.nodes, built.layers.values(), strict=True):
            met.add(node.op)
            counted = node.parameters(genome.input_shapes(node))
            assert counted == sum(value.numel() for value in layer.parameters()), node
    assert met >= set(OPERATIONS)


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """The environment of a process in which a package with an operation is installed."""
    (tmp_path / "shuffle.py").write_text(PLUGIN)
    metadata = tmp_path / "shuffle-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: shuffle\nVersion: 1.0\n")
    points = "[gensynth.operations]\nchannel_shuffle = shuffle:ChannelShuffle\n"
    points += "broken = shuffle_that_is_not_there:Broken\n"
    (metadata / "entry_points.txt").write_text(points)
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def described(
    op: str, folder: Path, environment: dict[str, str]
) -> "subprocess.CompletedProcess[str]":
    node = {"id": "shuffle", "op": op, "inputs": ["input"], "groups": 2}
    file = folder / "genome.json"
    shape = {"channels": 4, "height": 8, "width": 8}
    file.write_text(json.dumps({"input": shape, "nodes": [node], "outputs": {"y": "shuffle"}}))
    command = [sys.executable, "-m", "gensynth", "describe", str(file), "--json"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_an_installed_package_adds_an_operation_by_an_entry_point(installed, tmp_path):
    result = described("channel_shuffle", tmp_path, installed)
    assert result.returncode == 0, result.stderr
    (layer,) = json.loads(result.stdout)["layers"]
    assert (layer["op"], layer["params"]) == ("channel_shuffle", 0)


def test_a_package_that_cannot_be_imported_is_named(installed, tmp_path):
    result = described("broken", tmp_path, installed)
    assert result.returncode == 2
    assert "operation 'broken' of package shuffle cannot be loaded" in result.stderr
    assert "Traceback" not in result.stderr


def test_without_the_package_its_operation_is_unknown(tmp_path):
    result = described("channel_shuffle", tmp_path, dict(os.environ))
    assert result.returncode == 2
    assert "unknown op 'channel_shuffle'" in result.stderr
    with pytest.raises(GenomeError, match="unknown op 'channel_shuffle'"):
        Genome.parse(
            {
                "input": {"channels": 1, "height": 1, "width": 1},
                "nodes": [{"id": "a", "op": "channel_shuffle", "inputs": ["input"]}],
                "outputs": {"y": "a"},
            }
        )
