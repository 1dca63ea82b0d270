import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.utils.flop_counter import FlopCounterMode

from gensynth import prototype
from gensynth.cost import (
    DEFAULT_LIMITS,
    STATIC_METRICS,
    Cost,
    Limits,
    check_limits,
    cost,
    layer_table,
)
from gensynth.genome import Genome, GenomeError, Operation
from gensynth.network import Network, build
from tests.strategies import ACTIVATIONS, genomes, random_genome

pytestmark = pytest.mark.usefixtures("one_thread")

IN_PLACE = {"batch_norm", "dropout", "flatten", *ACTIVATIONS}


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def layer_of(network: Network, node: Operation) -> Any:
    return list(network.layers.values())[network.genome.nodes.index(node)]


class Executor:
    """Runs a genome node by node and measures the storages that are alive.

    It knows :mod:`gensynth.cost` only by its documentation.
    """

    def __init__(self, network: Network) -> None:
        self.network = network.eval()
        self.values: dict[str, Tensor] = {}
        self.peak = 0

    def measure(self, *others: Tensor) -> None:
        storages = {
            value.untyped_storage().data_ptr(): value.untyped_storage().nbytes()
            for value in (*self.values.values(), *others)
        }
        self.peak = max(self.peak, sum(storages.values()))

    @torch.no_grad()
    def run(self, image: Tensor) -> dict[str, Tensor]:
        genome = self.network.genome
        waiting = Counter(source for node in genome.nodes for source in node.inputs)
        waiting.update(genome.outputs.values())
        self.values["input"] = image.clone()
        self.measure()
        for node in genome.nodes:
            inputs = [self.values[source] for source in node.inputs]
            waiting.subtract(node.inputs)
            if node.op in IN_PLACE:
                result = self.overwrite(node, inputs[0], waiting[node.inputs[0]] == 0)
            elif node.op == "squeeze_excite":
                result = self.squeeze_excite(node, inputs[0])
            else:
                layer = layer_of(self.network, node)
                result = layer(inputs if len(inputs) > 1 else inputs[0])
            self.measure(result)
            self.values[node.id] = result
            for source in node.inputs:
                if waiting[source] == 0:
                    self.values.pop(source, None)
        return {name: self.values[source] for name, source in genome.outputs.items()}

    def overwrite(self, node: Any, value: Tensor, dying: bool) -> Tensor:
        result = value if dying else value.clone()
        self.measure(result)
        if node.op == "flatten":
            return result.view(1, -1)
        return result.copy_(layer_of(self.network, node)(result))

    def squeeze_excite(self, node: Any, value: Tensor) -> Tensor:
        layer = layer_of(self.network, node)
        pooled = value.mean((2, 3), keepdim=True)
        self.measure(pooled)
        squeezed = layer.reduce(pooled)
        self.measure(pooled, squeezed)
        squeezed.copy_(layer.activation(squeezed))
        gates = layer.expand(squeezed)
        self.measure(squeezed, gates)
        gates.copy_(layer.gate(gates))
        scaled: Tensor = value * gates
        self.measure(gates, scaled)
        return scaled


def stored_bytes(network: Network) -> int:
    """Bytes of parameters once torch has folded normalisation into convolutions."""
    genome = network.genome
    readers = Counter(source for node in genome.nodes for source in node.inputs)
    readers.update(genome.outputs.values())
    by_id: dict[str, Any] = {node.id: node for node in genome.nodes}
    layers = {node.id: layer_of(network, node) for node in genome.nodes}
    for node in genome.nodes:
        source = by_id.get(node.inputs[0])
        if node.op != "batch_norm" or source is None or source.op != "conv":
            continue
        if readers[source.id] == 1:
            layers[source.id] = fuse_conv_bn_eval(layers[source.id], layers[node.id])
            layers[node.id] = nn.Identity()
    values = [value for layer in layers.values() for value in layer.parameters()]
    return sum(value.numel() * value.element_size() for value in values)


def check_against_torch(genome: Genome) -> None:
    network = build(genome, seed=0).eval()
    found = cost(genome)
    image = torch.randn(1, *genome.input.shape, generator=torch.Generator().manual_seed(1))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        given = network(image)
    executor = Executor(network)
    outputs = executor.run(image)
    given = given if isinstance(given, dict) else {next(iter(outputs)): given}
    assert outputs.keys() == given.keys()
    for name, value in outputs.items():
        torch.testing.assert_close(given[name], value)
        assert value.shape[1:] == genome.shapes[genome.outputs[name]]
    assert found == Cost(
        params=sum(value.numel() for value in network.parameters()),
        macs=counter.get_total_flops() // 2,
        peak_memory=executor.peak,
        model_bytes=stored_bytes(network),
    )
    table = layer_table(genome)
    assert sum(layer.params for layer in table) == found.params
    assert sum(layer.macs for layer in table) == found.macs


@pytest.mark.parametrize("start", range(0, 1000, 250))
def test_cost_is_what_torch_counts_on_random_networks(start):
    for seed in range(start, start + 250):
        genome = random_genome(np.random.default_rng(seed), nodes=24, side=9)
        try:
            check_against_torch(genome)
        except AssertionError as error:
            raise AssertionError(f"random_genome of seed {seed}: {error}") from error


def shipped(repository, name: str, classes: int | None = None) -> Genome:
    return prototype.load(repository / "prototypes" / f"{name}.yaml", classes)


def test_cost_is_what_torch_counts_on_every_prototype(repository):
    files = sorted((repository / "prototypes").glob("*.yaml"))
    assert len(files) >= 3
    for file in files:
        check_against_torch(prototype.load(file))


@pytest.mark.parametrize(
    ("name", "params", "macs"),
    [
        ("emotionnet_nano_b", 141_098, 44_209_600),
        ("emotionnet_nano_b_normalised", 141_701, 44_209_600),
        ("resnet20", 271_991, 91_165_120),
        ("resnet14_slim", 31_419, 3_388_312),
        ("resnet20_cells", 18_307, 5_761_008),
        ("micro_expnet", 65_000, 2_853_248),
    ],
)
def test_counts_of_shipped_prototypes(repository, name, params, macs):
    found = cost(shipped(repository, name))
    assert (found.params, found.macs) == (params, macs)


def network_of(*nodes: dict[str, Any], outputs: dict[str, str] | None = None) -> Genome:
    return Genome.parse(
        {
            "input": {"channels": 2, "height": 10, "width": 10},
            "nodes": list(nodes),
            "outputs": outputs or {"y": nodes[-1]["id"]},
        }
    )


def conv(name: str, source: str, **attributes: Any) -> dict[str, Any]:
    shape = {"out_channels": 3, "kernel": 3, "padding": 1}
    return {"id": name, "op": "conv", "inputs": [source], **shape, **attributes}


def node(name: str, op: str, *sources: str, **attributes: Any) -> dict[str, Any]:
    return {"id": name, "op": op, "inputs": list(sources), **attributes}


def test_peak_memory_by_hand():
    chain = network_of(conv("a", "input"), node("b", "batch_norm", "a"), node("c", "relu", "b"))
    assert cost(chain).peak_memory == 4 * (200 + 300)
    kept = network_of(conv("a", "input"), node("b", "relu", "a"), node("c", "add", "a", "b"))
    assert cost(kept).peak_memory == 4 * 3 * 300
    image_kept = network_of(
        conv("a", "input"), conv("b", "a"), conv("c", "input"), outputs={"b": "b", "c": "c"}
    )
    assert cost(image_kept).peak_memory == 4 * (200 + 300 + 300)
    named = network_of(conv("a", "input"), node("b", "relu", "a"), outputs={"a": "a", "b": "b"})
    assert cost(named).peak_memory == 4 * (300 + 300)
    squeezed = network_of(node("a", "squeeze_excite", "input", channels=5))
    assert cost(squeezed).peak_memory == 4 * (200 + 2 + 200)
    vast = network_of(node("a", "squeeze_excite", "input", channels=1000))
    assert cost(vast).peak_memory == 4 * (200 + 2 + 1000)


def test_peak_memory_depends_on_the_listed_order_and_the_hash_does_not():
    wide = [conv(f"wide{side}", "input", out_channels=8) for side in "ab"]
    narrow = [conv(f"narrow{side}", f"wide{side}", out_channels=1) for side in "ab"]
    total = node("sum", "add", "narrowa", "narrowb")
    early = network_of(wide[0], narrow[0], wide[1], narrow[1], total)
    late = network_of(*wide, *narrow, total)
    assert early.hash == late.hash
    assert cost(early).peak_memory < cost(late).peak_memory


def test_model_bytes_fold_normalisation_into_its_convolution_alone():
    folded = network_of(conv("a", "input", bias=False), node("b", "batch_norm", "a"))
    assert cost(folded).params == 54 + 6
    assert cost(folded).model_bytes == 4 * (54 + 3)
    shared = network_of(
        conv("a", "input", bias=False), node("b", "batch_norm", "a"), node("c", "add", "a", "b")
    )
    assert cost(shared).model_bytes == 4 * (54 + 6)


def test_metrics_are_named():
    found = cost(network_of(conv("a", "input")))
    assert tuple(found.metrics()) == STATIC_METRICS
    assert found.metrics() == {
        "params": 57.0,
        "macs": 5400.0,
        "peak_memory": 2000.0,
        "model_bytes": 228.0,
    }


@given(genomes())
@settings(deadline=None, max_examples=50)
def test_limits_are_inclusive(genome):
    found = cost(genome)
    at = {"params": found.params, "macs": found.macs, "peak_memory": found.peak_memory}
    at["nodes"] = len(genome.nodes)
    check_limits(genome, Limits(**at))
    for name, value in at.items():
        if value:
            with pytest.raises(GenomeError, match=rf"^it\.json: {name} [\d,]+ exceed the limit"):
                check_limits(genome, Limits(**{**at, name: value - 1}), where="it.json")


def vast(**image: int) -> dict[str, Any]:
    return {"channels": 1, "height": 8, "width": 8, **image}


@pytest.mark.parametrize(
    ("image", "nodes", "limit"),
    [
        (
            vast(channels=65_536),
            [conv("a", "input", out_channels=65_536, kernel=255, padding=127)],
            "p",
        ),
        (vast(height=65_536, width=65_536), [node("a", "relu", "input")], "peak_memory"),
        (vast(height=4000, width=4000), [conv("a", "input", out_channels=999)], "macs"),
    ],
)
def test_huge_dimensions_are_refused_before_anything_is_allocated(monkeypatch, image, nodes, limit):
    genome = Genome.parse({"input": image, "nodes": nodes, "outputs": {"y": "a"}})
    monkeypatch.setattr(nn.Module, "__init__", None)
    monkeypatch.setattr(torch, "empty", None)
    with pytest.raises(GenomeError, match=rf"genome: {limit}\w* [\d,]+ exceed"):
        build(genome, seed=0)


def test_no_shipped_prototype_comes_near_the_limits(repository):
    for file in (repository / "prototypes").glob("*.yaml"):
        found = cost(prototype.load(file))
        assert found.params < DEFAULT_LIMITS.params / 2
        assert found.macs < DEFAULT_LIMITS.macs / 2


def test_layer_table_describes_what_differs_from_the_defaults():
    genome = network_of(
        conv("a", "input", stride=(2, 1), bias=False, kernel=(3, 1), padding=(1, 0)),
        node("b", "squeeze_excite", "a", channels=2, gate="hard_sigmoid"),
        node("c", "max_pool", "b", kernel=2, stride=2, padding="same"),
        node("d", "relu", "c"),
    )
    described = {layer.id: layer.description for layer in layer_table(genome)}
    assert described == {
        "a": "kernel 3x1, stride 2x1, padding 1x0, no bias",
        "b": "channels 2, gate hard_sigmoid",
        "c": "kernel 2x2, stride 2x2, padding same",
        "d": "",
    }
    first = layer_table(genome)[0]
    assert (first.op, first.inputs, first.shape) == ("conv", ("input",), (3, 5, 10))
    assert (first.params, first.macs) == (18, 18 * math.prod((5, 10)))
