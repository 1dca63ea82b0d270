import copy
import math
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from gensynth import prototype
from gensynth.genome import Genome, dumps, loads
from gensynth.network import Network, build
from tests.strategies import genomes, random_genome

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def images(genome: Genome, count: int = 3) -> Tensor:
    drawn = np.random.default_rng(5).standard_normal((count, *genome.input.shape))
    return torch.from_numpy(drawn).float()


def outputs(network: Network, batch: Tensor) -> list[Tensor]:
    result = network(batch)
    return list(result.values()) if isinstance(result, dict) else [result]


def layer_of(network: Network, name: str) -> Any:
    return network.layers[name]


def network_of(*nodes: dict[str, Any], outputs: dict[str, str] | None = None) -> Genome:
    listed = [{"id": f"n{at}", "inputs": ["input"], **node} for at, node in enumerate(nodes)]
    return Genome.parse(
        {
            "input": {"channels": 2, "height": 7, "width": 6},
            "nodes": listed,
            "outputs": outputs or {"y": listed[-1]["id"]},
        }
    )


class Reference:
    """Runs a genome with torch's functions alone: nothing in place, nothing released."""

    def __init__(self, network: Network, *, training: bool) -> None:
        self.network, self.training = network, training

    def __call__(self, batch: Tensor) -> list[Tensor]:
        genome = self.network.genome
        values = {"input": batch}
        for node, layer in zip(genome.nodes, self.network.layers.values(), strict=True):
            inputs = [values[source] for source in node.inputs]
            values[node.id] = self.step(node, layer, inputs, genome.input_shapes(node)[0])
        return [values[source] for source in genome.outputs.values()]

    def step(self, node: Any, layer: Any, inputs: list[Tensor], shape: tuple[int, ...]) -> Tensor:
        first = inputs[0]
        match node.op:
            case "conv":
                top, bottom, left, right = node.pads(shape)
                padded = functional.pad(first, (left, right, top, bottom))
                return functional.conv2d(
                    padded, layer.weight, layer.bias, node.stride, 0, node.dilation, node.groups
                )
            case "max_pool" | "avg_pool":
                return self.pool(node, first, node.pads(shape))
            case "batch_norm":
                mean, variance = layer.running_mean, layer.running_var
                if self.training:
                    mean = first.mean((0, 2, 3))
                    variance = first.var((0, 2, 3), correction=0)
                scale = layer.weight / (variance + 1e-5).sqrt()
                centred = first.movedim(1, -1) - mean
                return cast(Tensor, (centred * scale + layer.bias).movedim(-1, 1))
            case "global_avg_pool":
                return first.mean((2, 3), keepdim=True)
            case "squeeze_excite":
                hidden = layer.reduce(first.mean((2, 3), keepdim=True))
                gates = activate(node.gate, layer.expand(activate(node.activation, hidden)))
                return first * gates
            case "add":
                return torch.stack(inputs).sum(0)
            case "concat":
                return torch.cat(inputs, 1)
            case "flatten":
                return first.reshape(len(first), -1)
            case "linear":
                product: Tensor = first @ layer.weight.T
                return product if layer.bias is None else product + layer.bias
            case "dropout":
                return first
        return activate(node.op, first)

    def pool(self, node: Any, value: Tensor, pads: tuple[int, int, int, int]) -> Tensor:
        """Every window by itself, cut to what is inside the map."""
        (tall, wide), (down, across) = node.kernel, node.stride
        height, width = value.shape[2:]
        reduce = torch.amax if node.op == "max_pool" else torch.mean
        rows = []
        for top in range(-pads[0], height + pads[1] - tall + 1, down):
            row = []
            for left in range(-pads[2], width + pads[3] - wide + 1, across):
                inside = value[:, :, max(top, 0) : top + tall, max(left, 0) : left + wide]
                row.append(reduce(inside, dim=(2, 3)))
            rows.append(torch.stack(row, -1))
        return torch.stack(rows, -2)


def ramp(value: Tensor) -> Tensor:
    """Up to 6, with slope 0 at both corners as torch has it."""
    return torch.where((value > 0) & (value < 6), value, value.detach().clamp(0, 6))


def activate(name: str, value: Tensor) -> Tensor:
    match name:
        case "relu":
            return torch.where(value > 0, value, 0)
        case "relu6":
            return ramp(value)
        case "leaky_relu":
            return torch.where(value > 0, value, 0.01 * value)
        case "elu":
            return torch.where(value > 0, value, value.exp() - 1)
        case "gelu":
            return value * (1 + torch.erf(value / math.sqrt(2))) / 2
        case "silu":
            return value / (1 + (-value).exp())
        case "hard_swish":
            return value * ramp(value + 3) / 6
        case "sigmoid":
            return 1 / (1 + (-value).exp())
        case "hard_sigmoid":
            return ramp(value + 3) / 6
        case "tanh":
            return value.tanh()
    raise AssertionError(name)


def without_dropout(genome: Genome) -> Genome:
    data = genome.model_dump(mode="json")
    for node in data["nodes"]:
        if node["op"] == "dropout":
            node["rate"] = 0.0
    return Genome.parse(data)


@pytest.mark.parametrize("training", [False, True])
def test_values_and_gradients_are_those_of_the_plain_formulas(training):
    for seed in range(150):
        genome = without_dropout(random_genome(np.random.default_rng(seed), nodes=20, side=7))
        network = build(genome, seed=1).double().train(training)
        randomise_normalisation(network)
        batch = images(genome).double()
        found = differentiate(network, batch, partial(outputs, network))
        expected = differentiate(network, batch, Reference(network, training=training))
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6, msg=f"seed {seed}")


def randomise_normalisation(network: nn.Module) -> None:
    generator = torch.Generator().manual_seed(2)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for value in (module.weight, module.bias, module.running_mean, module.running_var):
                assert value is not None
                value.data.uniform_(0.5, 1.5, generator=generator)


def differentiate(network: Network, batch: Tensor, run: Any) -> list[Tensor]:
    """The outputs, and the gradients of a weighted sum of them."""
    image = batch.clone().requires_grad_()
    results = run(image)
    weights = [torch.linspace(-1, 1, value.numel()).view_as(value) for value in results]
    loss = sum((value * weight).sum() for value, weight in zip(results, weights, strict=True))
    wanted = [image, *network.parameters()]
    gradients = torch.autograd.grad(loss, wanted)
    assert torch.equal(image, batch)
    return [value.detach() for value in results] + list(gradients)


@given(genomes())
@settings(deadline=None, max_examples=40)
def test_channels_last_changes_nothing(genome):
    network = build(genome, seed=0).eval()
    batch = images(genome)
    expected = outputs(network, batch)
    cast(Any, network).to(memory_format=torch.channels_last)
    given_last = outputs(network, batch.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(given_last, expected, rtol=1e-4, atol=1e-4)


@given(genomes())
@settings(deadline=None, max_examples=25)
def test_runs_under_autocast(genome):
    network = build(genome, seed=0).eval()
    with torch.autocast("cpu", torch.bfloat16):
        for value in outputs(network, images(genome)):
            assert value.isfinite().all()


PADDED = st.builds(
    lambda op, kernel, stride, padding: {
        "op": op,
        "kernel": kernel,
        "stride": stride,
        "padding": "same" if padding is None else min(padding, kernel - 1),
    },
    st.sampled_from(["max_pool", "avg_pool"]),
    st.integers(1, 6),
    st.integers(1, 4),
    st.none() | st.integers(0, 5),
)


@given(PADDED, st.floats(-3, 3, width=32))
@settings(deadline=None, max_examples=80)
def test_padding_never_shows_in_a_pool(pool, value):
    network = build(network_of(pool, {"op": "relu", "inputs": ["n0"]}), seed=0)
    pooled = layer_of(network, "n0")(torch.full((1, 2, 7, 6), value))
    torch.testing.assert_close(pooled, torch.full_like(pooled, value))


def test_same_padding_puts_the_odd_row_below_and_right():
    node = {"op": "conv", "out_channels": 1, "kernel": 2, "padding": "same", "bias": False}
    network = build(network_of(node), seed=0)
    with torch.no_grad():
        layer_of(network, "n0").weight.fill_(1)
        summed = network(torch.ones(1, 2, 7, 6))
    assert summed[0, 0, 0, 0] == 8
    assert summed[0, 0, -1, -1] == 2


def state(network: Network) -> dict[str, Tensor]:
    return dict(network.state_dict())


@given(genomes(), st.integers(0, 2**63))
@settings(deadline=None, max_examples=30)
def test_weights_follow_from_the_seed_alone(genome, seed):
    before = torch.random.get_rng_state()
    first = build(genome, seed=seed)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(0)
    torch.testing.assert_close(state(build(genome, seed=seed)), state(first), rtol=0, atol=0)
    rebuilt = build(loads(dumps(genome)), seed=seed)
    torch.testing.assert_close(state(rebuilt), state(first), rtol=0, atol=0)
    other = build(genome, seed=seed ^ 1)
    for ours, theirs in zip(first.modules(), other.modules(), strict=True):
        if isinstance(ours, nn.Conv2d | nn.Linear):
            assert not torch.equal(ours.weight, torch.as_tensor(theirs.weight))


def test_initial_weights_have_the_documented_spread(repository):
    genome = prototype.load(repository / "prototypes" / "micro_expnet.yaml")
    network = build(genome, seed=0)
    convolution, dense = layer_of(network, "layer2/conv"), layer_of(network, "linear")
    assert convolution.weight.std().item() == pytest.approx(math.sqrt(2 / (16 * 16)), rel=0.05)
    bound = 1 / math.sqrt(1152)
    assert bound * 0.99 < dense.weight.abs().max().item() <= bound
    assert not convolution.bias.any()
    assert not dense.bias.any()


@pytest.mark.parametrize("name", ["emotionnet_nano_b", "resnet20"])
def test_activations_neither_vanish_nor_explode_at_the_start(repository, name):
    genome = prototype.load(repository / "prototypes" / f"{name}.yaml")
    with torch.no_grad():
        logits = build(genome, seed=0)(images(genome, 8))
    assert 1e-3 < logits.std().item() < 30


def test_any_id_names_a_layer():
    ids = ["keys", "values", "forward", "training", "a.b", "a", "_modules", "0", "T_destination"]
    ids += ["forward.", "register_buffer", "weight", "_parameters", "__init__", "__class__"]
    nodes = [
        {"id": name, "op": "batch_norm", "inputs": [source]}
        for name, source in zip(ids, ["input", *ids], strict=False)
    ]
    network = build(network_of(*nodes), seed=0)
    assert len(network.layers) == len(ids)
    assert "layers.a/b.weight" in network.state_dict()
    assert network(torch.zeros(2, 2, 7, 6)).shape == (2, 2, 7, 6)


def test_several_outputs_come_by_name():
    conv = {"op": "conv", "out_channels": 3, "kernel": 3}
    relu = {"op": "relu", "inputs": ["n0"]}
    network = build(network_of(conv, relu, outputs={"b": "n1", "a": "n0", "c": "n0"}), seed=0)
    result = network(torch.randn(2, 2, 7, 6))
    assert list(result) == ["b", "a", "c"]
    assert result["a"] is result["c"]
    assert result["a"].min() < 0
    torch.testing.assert_close(result["a"].relu(), result["b"])


@pytest.mark.parametrize("shape", [(1, 2, 6, 7), (1, 7, 6, 2), (2, 7, 6), (1, 1, 7, 6)])
def test_images_of_another_shape_are_refused(shape):
    network = build(network_of({"op": "global_avg_pool"}), seed=0)
    with pytest.raises(ValueError, match=r"reads images of \(2, 7, 6\)"):
        network(torch.zeros(shape))


def test_meta_networks_allocate_nothing_and_count_the_same(repository):
    genome = prototype.load(repository / "prototypes" / "resnet20.yaml")
    network = build(genome, seed=0, device="meta")
    assert {value.device.type for value in network.state_dict().values()} == {"meta"}
    assert sum(value.numel() for value in network.parameters()) == 271_991
    assert network(torch.zeros(1, 1, 48, 48, device="meta")).shape == (1, 7)


def test_a_copy_shares_nothing():
    genome = random_genome(np.random.default_rng(3), nodes=24)
    network = build(genome, seed=0).eval()
    twin = copy.deepcopy(network)
    before = outputs(network, images(genome))
    with torch.no_grad():
        for value in twin.parameters():
            value.add_(1)
    torch.testing.assert_close(outputs(network, images(genome)), before)


def test_exports_to_one_graph():
    genome = network_of(
        {"op": "conv", "out_channels": 4, "kernel": 4, "padding": "same"},
        {"op": "batch_norm", "inputs": ["n0"]},
        {"op": "relu", "inputs": ["n1"]},
        {"op": "squeeze_excite", "channels": 2, "inputs": ["n2"]},
        {"op": "avg_pool", "kernel": 2, "stride": 2, "padding": "same", "inputs": ["n3"]},
        {"op": "max_pool", "kernel": 3, "padding": 2, "inputs": ["n4"]},
        {"op": "concat", "inputs": ["n5", "n5"]},
        {"op": "add", "inputs": ["n6", "n6", "n6"]},
        {"op": "flatten", "inputs": ["n7"]},
        {"op": "linear", "out_features": 3, "inputs": ["n8"]},
    )
    network = build(genome, seed=0).eval()
    batch = images(genome)
    dynamic = ({0: torch.export.Dim("batch")},)
    exported = torch.export.export(network, (batch,), dynamic_shapes=dynamic).module()
    torch.testing.assert_close(exported(batch[:2]), network(batch[:2]))


def test_a_projection_writes_nothing_beyond_its_gradient(repository):
    """As torch 2.13's does, channels last; where it happens, one of these ends the process."""
    code = (
        "import torch\n"
        "from tests.test_network import projection\n"
        "torch.set_num_threads(1)\n"
        "for read, channels in [(4, 8), (8, 16), (3, 16), (5, 7)] * 20:\n"
        "    x = torch.randn(32, read, 48, 48).contiguous(memory_format=torch.channels_last)\n"
        "    projection(read, channels)(x.requires_grad_()).sum().backward()\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=repository, check=True)


def projection(read: int, channels: int) -> nn.Module:
    size = {"channels": read, "height": 48, "width": 48}
    node = {"id": "p", "op": "conv", "inputs": ["input"], "out_channels": channels, "kernel": 1}
    nodes = [{**node, "stride": 2}, {"id": "f", "op": "flatten", "inputs": ["p"]}]
    network = build(Genome.parse({"input": size, "nodes": nodes, "outputs": {"y": "f"}}), seed=0)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("stride", [2, 3, [3, 2]])
def test_a_projection_is_the_same_in_training_as_in_use(padding, stride):
    size = {"channels": 3, "height": 9, "width": 10}
    node = {"id": "p", "op": "conv", "inputs": ["input"], "out_channels": 4, "kernel": 1}
    nodes = [
        {**node, "stride": stride, "padding": padding},
        {"id": "f", "op": "flatten", "inputs": ["p"]},
    ]
    network = build(Genome.parse({"input": size, "nodes": nodes, "outputs": {"y": "f"}}), seed=0)
    images = torch.randn(2, 3, 9, 10, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network.train()(images), network.eval()(images))
