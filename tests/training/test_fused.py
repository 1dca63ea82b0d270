"""The fused pass against the layers one by one."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from gensynth import prototype
from gensynth.genome import Genome
from gensynth.network import Network, build
from gensynth.training.fused import Fused
from gensynth.training.isolation import isolated
from tests.strategies import random_genome

PATTERNS = (
    "conv",
    "conv relu",
    "conv batch_norm",
    "conv batch_norm relu",
    "conv batch_norm add",
    "conv batch_norm add relu",
    "conv add relu",
    "batch_norm",
    "batch_norm relu",
    "batch_norm add relu",
    "batch_norm leaky_relu",
    "conv leaky_relu",
    "conv batch_norm add leaky_relu",
    "add relu",
    "add leaky_relu",
    "relu add",
    "conv hard_swish",
    "conv elu",
)


def genome_of(
    patterns: list[str], *, channels: int, width: int, side: tuple[int, int], **conv: Any
) -> Genome:
    """Patterns one after the other; what is added is what the pattern began with."""
    first = {"id": "stem", "op": "conv", "inputs": ["input"], "out_channels": width}
    nodes: list[dict[str, Any]] = [{**first, "kernel": 3, "padding": 1}]
    for at, pattern in enumerate(patterns):
        start = nodes[-1]["id"]
        for op in pattern.split():
            inputs = [nodes[-1]["id"]] + [start] * (op == "add")
            node: dict[str, Any] = {"id": f"{op}{at}", "op": op, "inputs": inputs}
            if op == "conv":
                node |= {"out_channels": width, "bias": "batch_norm" not in pattern, **conv}
            nodes.append(node)
    nodes.append({"id": "flat", "op": "flatten", "inputs": [nodes[-1]["id"]]})
    size = {"channels": channels, "height": side[0], "width": side[1]}
    return Genome.parse({"input": size, "nodes": nodes, "outputs": {"y": "flat"}})


@st.composite
def chained(draw: st.DrawFn) -> Genome:
    width = draw(st.integers(1, 40))
    return genome_of(
        draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=4)),
        channels=draw(st.integers(1, 3)),
        width=width,
        side=draw(st.tuples(st.integers(5, 14), st.integers(5, 14))),
        groups=draw(st.sampled_from([1, 1, width])),
        **dict(draw(st.sampled_from(KERNELS))),
    )


KERNELS: tuple[dict[str, Any], ...] = (
    {"kernel": 1},
    {"kernel": 3, "padding": 1},
    {"kernel": 4, "padding": "same"},
)


def pass_over(network: Network, run: nn.Module, images: Tensor, half: bool) -> dict[str, Tensor]:
    """The output, the gradients of a weighted sum of it, and the running statistics."""
    images = images.clone().requires_grad_()
    with isolated(3):
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            output = run(images).float()
        weights = torch.linspace(-1, 2, output.numel()).view_as(output)  # no sum of 0: all cancel
        (output * weights).sum().backward()
    found = {"output": output.detach(), **dict(network.named_buffers())}
    for name, parameter in (*network.named_parameters(), ("images", images)):
        if parameter.grad is not None:
            found[f"gradient of {name}"] = parameter.grad
    return found


def both(
    genome: Genome, *, count: int = 3, half: bool = False
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    plain = build(genome, seed=1).train()
    for module in plain.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5, generator=torch.Generator().manual_seed(1))
            nn.init.uniform_(module.bias, -1, 1, generator=torch.Generator().manual_seed(2))
    fused = copy.deepcopy(plain)
    drawn = np.random.default_rng(5).standard_normal((count, *genome.input.shape))
    images = torch.from_numpy(drawn).float()
    return pass_over(plain, plain, images, half), pass_over(fused, Fused(fused), images, half)


def assert_close(plain: dict[str, Tensor], fused: dict[str, Tensor], tolerance: float) -> None:
    """In units of the largest gradient, since some are sums that cancel."""
    assert list(plain) == list(fused)
    gradients = [float(value.norm()) for name, value in plain.items() if "gradient" in name]
    for name, value in plain.items():
        scale = float(value.float().norm()) + 0.1 * max(gradients)
        assert float((fused[name].float() - value.float()).norm()) <= tolerance * scale, name


@given(chained(), st.integers(2, 5))
@settings(deadline=None, max_examples=60)
def test_chains_give_what_their_layers_give(genome, count):
    assert_close(*both(genome, count=count), 2e-3)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_chain_gives_what_its_layers_give(pattern, half):
    genome = genome_of([pattern], channels=2, width=6, side=(9, 7), kernel=3, padding=1)
    assert_close(*both(genome, count=16, half=half), 0.02 if half else 1e-4)


def test_any_network_is_computed():
    finite = 0
    for seed in range(40):
        genome = random_genome(np.random.default_rng(seed), nodes=14, side=9)
        if len(genome.outputs) > 1:
            continue
        network: Any = build(genome, seed=0)
        network.to(memory_format=torch.channels_last)
        same = copy.deepcopy(network)
        drawn = torch.rand(4, *genome.input.shape, generator=torch.Generator().manual_seed(seed))
        images = drawn.contiguous(memory_format=torch.channels_last)
        plain = pass_over(network, network, images, half=False)
        fused = pass_over(same, Fused(same), images, half=False)
        if all(value.isfinite().all() for value in plain.values()):
            assert_close(plain, fused, 2e-3)
            finite += 1
    assert finite > 10


def test_in_evaluation_mode_it_is_the_network(repository):
    genome = prototype.load(repository / "prototypes" / "resnet14_slim.yaml", classes=7)
    network = build(genome, seed=0)
    images = torch.rand(3, *genome.input.shape)
    Fused(network)(images)
    fused = Fused(network).eval()
    torch.testing.assert_close(fused(images), network(images), rtol=0, atol=0)


def test_what_is_frozen_gets_no_gradient(repository):
    genome = prototype.load(repository / "prototypes" / "resnet14_slim.yaml", classes=7)
    network = build(genome, seed=0)
    frozen = {name for at, (name, _) in enumerate(network.named_parameters()) if at % 2}
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name not in frozen)
    with isolated(0):  # torch 2.13 crashes in a projection's gradient for 3 images and 2 threads
        Fused(network)(torch.rand(3, *genome.input.shape)).sum().backward()
    assert {name for name, one in network.named_parameters() if one.grad is None} == frozen


@pytest.mark.parametrize(
    "images", [torch.zeros(2, 1, 48, 47), torch.zeros(2, 1, 48, 48, dtype=torch.float64)]
)
def test_other_images_are_refused(repository, images):
    genome = prototype.load(repository / "prototypes" / "resnet14_slim.yaml", classes=7)
    with pytest.raises(ValueError, match="reads float32 images of"):
        Fused(build(genome, seed=0))(images)


def test_a_value_that_many_read_gets_the_gradients_of_all():
    def adds(number: int, *inputs: str) -> dict[str, Any]:
        return {"id": f"sum{number}", "op": "add", "inputs": list(inputs)}

    nodes = [
        {"id": "x", "op": "conv", "inputs": ["input"], "out_channels": 5, "kernel": 3},
        {"id": "y", "op": "leaky_relu", "inputs": ["x"]},
        {"id": "z", "op": "relu", "inputs": ["x"]},
        adds(1, "x", "y", "z"),
        adds(2, "y", "sum1"),
        {"id": "w", "op": "conv", "inputs": ["sum2"], "out_channels": 5, "kernel": 1},
        adds(3, "w", "sum1", "y", "x", "x"),
        {"id": "flat", "op": "flatten", "inputs": ["sum3"]},
    ]
    size = {"channels": 2, "height": 7, "width": 6}
    genome = Genome.parse({"input": size, "nodes": nodes, "outputs": {"out": "flat"}})
    assert_close(*both(genome), 1e-5)
    assert_close(*both(genome, half=True), 0.02)


@pytest.mark.parametrize("name", ["resnet14_slim", "emotionnet_nano_b"])
def test_bfloat16_is_as_far_from_float32_as_torch_is(repository, name):
    genome = prototype.load(repository / "prototypes" / f"{name}.yaml", classes=7)
    exact, _ = both(genome, count=8)
    plain, fused = both(genome, count=8, half=True)

    def distance(found: dict[str, Tensor]) -> float:
        wrong = [
            (found[key].float() - value.float()).norm() / (value.float().norm() + 1e-6)
            for key, value in exact.items()
        ]
        return float(torch.stack(wrong).mean())

    assert 0.8 < distance(fused) / distance(plain) < 1.25


def test_running_statistics_follow_either_rule():
    genome = genome_of(["batch_norm relu"], channels=2, width=5, side=(6, 6))
    network = build(genome, seed=0).train()
    norm = next(m for m in network.modules() if isinstance(m, nn.BatchNorm2d))
    twin = copy.deepcopy(network)
    for momentum in (0.3, None):
        for one in (network, twin):
            next(m for m in one.modules() if isinstance(m, nn.BatchNorm2d)).momentum = momentum
        for seed in range(3):
            images = torch.randn(4, 2, 6, 6, generator=torch.Generator().manual_seed(seed))
            network(images)
            Fused(twin)(images)
    other = next(m for m in twin.modules() if isinstance(m, nn.BatchNorm2d))
    torch.testing.assert_close(dict(other.named_buffers()), dict(norm.named_buffers()))


def test_what_is_not_a_number_stays_so():
    genome = genome_of(
        ["conv relu", "conv batch_norm relu"], channels=1, width=4, side=(5, 5), kernel=1
    )
    for half in (False, True):
        fused = Fused(build(genome, seed=0).train())
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            output = fused(torch.full((2, 1, 5, 5), torch.nan))
        assert bool(output.isnan().all())
