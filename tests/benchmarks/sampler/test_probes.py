"""Looks inside networks, and what is made of them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.sampler.looks import jacob_cov, look, naswot, synflow, zero_cost
from benchmarks.sampler.prober import columns, moves, read, taken_away
from benchmarks.sampler.probes import Learner, Probed, banded, rank
from benchmarks.sampler.table import Table, load
from gensynth.cost import cost
from gensynth.genome import (
    Activation,
    Add,
    BatchNorm,
    Conv,
    Flatten,
    Genome,
    GlobalAvgPool,
    InputShape,
    Linear,
)
from gensynth.network import build
from gensynth.training import Fitted, Normalisation, Recipe

IMAGE = InputShape(channels=2, height=6, width=6)


def conv(name: str, source: str) -> Conv:
    return Conv(
        id=name, inputs=(source,), out_channels=3, kernel=(3, 3), padding="same", bias=False
    )


def ended(*nodes: Any, last: str) -> Genome:
    return Genome(
        name="small",
        input=IMAGE,
        nodes=(
            *nodes,
            GlobalAvgPool(id="pool", inputs=(last,)),
            Flatten(id="flat", inputs=("pool",)),
            Linear(id="end", inputs=("flat",), out_features=4, bias=False),
        ),
        outputs={"logits": "end"},
    )


@pytest.fixture(scope="module")
def table() -> Table:
    return load()


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(8, 2, 6, 6, generator=generator), torch.arange(8) % 4


@pytest.fixture
def chain() -> Genome:
    relu = Activation(id="on", op="relu", inputs=("first",))
    return ended(conv("first", "input"), relu, conv("second", "on"), last="second")


def test_gradient_and_snip_of_a_linear_network_are_those_of_the_formula(batch) -> None:
    images, labels = batch
    genome = ended(Activation(id="on", op="relu", inputs=("input",)), last="on")
    features = images.relu().mean((2, 3))
    weight = build(genome, seed=3).get_parameter("layers.end.weight").detach()
    error = (features @ weight.T).softmax(1) - torch.eye(4)[labels]
    gradient = error.T @ features / len(images)
    found = zero_cost(genome, images, labels, seed=3)
    assert found["grad_norm"] == pytest.approx(float(gradient.norm()), rel=1e-5)
    assert found["snip"] == pytest.approx(float((gradient * weight).abs().sum()), rel=1e-5)


def test_synaptic_flow_is_the_same_through_every_layer_of_a_chain(chain) -> None:
    """Conservation (Tanaka et al. 2020, theorem 1): each of three layers has the flow R."""
    network = build(chain, seed=5).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
        output = network(torch.ones(1, 2, 6, 6, dtype=torch.float64)).sum()
    assert synflow(chain, seed=5) == pytest.approx(math.log(3 * float(output)))


@given(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=2, max_size=5))
def test_naswot_is_the_determinant_of_agreements(codes: list[list[bool]]) -> None:
    layers = [torch.tensor(codes)[:, :2], torch.tensor(codes)[:, 2:]]
    agreements = [[sum(a == b for a, b in zip(x, y, strict=True)) for y in codes] for x in codes]
    determinant = float(np.linalg.det(np.asarray(agreements, dtype=float)))
    if determinant > 1e-6:
        assert naswot(layers) == pytest.approx(math.log(determinant), abs=1e-6)


def test_jacob_cov_prefers_gradients_that_differ(chain, batch) -> None:
    network = build(chain, seed=1)
    images, _ = batch
    alike = images[:1].expand_as(images)
    assert jacob_cov(network, images) > jacob_cov(network, alike)


def fitted(genome: Genome) -> Fitted:
    normalisation = Normalisation(torch.zeros(1, 2, 1, 1), torch.ones(1, 2, 1, 1))
    network = build(genome, seed=2).eval()
    return Fitted(network=network, normalisation=normalisation, recipe=Recipe(), loss=1.0)


def test_a_dead_branch_is_seen_as_dead_and_without_importance() -> None:
    genome = ended(
        conv("stem", "input"),
        conv("left", "stem"),
        BatchNorm(id="norm", inputs=("left",)),
        Activation(id="dead", op="relu", inputs=("norm",)),
        conv("right", "stem"),
        Activation(id="alive", op="relu", inputs=("right",)),
        Add(id="sum", inputs=("dead", "alive")),
        Activation(id="after", op="relu", inputs=("sum",)),
        last="after",
    )
    trained = fitted(genome)
    with torch.no_grad():
        trained.network.get_parameter("layers.norm.weight").fill_(0.5)
        trained.network.get_parameter("layers.norm.bias").fill_(-1e6)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 9, (8, 2, 6, 6), generator=generator, dtype=torch.uint8)
    seen = look(trained, images, torch.arange(8) % 4)
    assert seen.dead["dead"] == 1
    assert seen.dead["alive"] < 1
    assert seen.scale == {"norm": 0.5}
    assert seen.importance["left"] == seen.importance["norm"] == 0
    assert seen.importance["right"] > 0
    assert seen.edges["sum", "dead"] == 0
    assert seen.edges["sum", "alive"] > 0
    assert seen.params == {"stem": 54, "left": 81, "norm": 6, "right": 81, "end": 12}
    assert seen.summary()["dead.worst"] == 1

    without = ended(
        conv("stem", "input"),
        conv("right", "stem"),
        Activation(id="alive", op="relu", inputs=("right",)),
        Activation(id="after", op="relu", inputs=("alive",)),
        last="after",
    )
    assert taken_away(seen, genome, genome) == 0
    assert taken_away(seen, genome, without) == 0
    headless = ended(conv("stem", "input"), last="stem")
    assert taken_away(seen, genome, headless) == pytest.approx(seen.importance["right"])


@given(data=st.data())
@settings(max_examples=30)
def test_a_move_is_a_network_of_the_table_that_costs_no_more(table, data) -> None:
    entry = data.draw(st.sampled_from(table.entries))
    for name, cheaper in moves(table, entry):
        assert table.entry(cheaper).decisions == cheaper
        assert cheaper.get(name) != entry.decisions[name]
        before, after = table.genome(entry), table.space.genome(cheaper)
        assert before.hash != after.hash
        assert cost(after).params <= cost(before).params
        assert cost(after).macs <= cost(before).macs


def test_looks_are_of_the_tables_networks(table) -> None:
    looks = read()
    assert looks.keys() <= {entry.hash for entry in table.entries}
    for found in looks.values():
        assert found.keys() <= set(columns(table))
        assert all(np.isfinite(value) for value in found.values())


def test_rank_correlation_of_what_does_not_vary_is_none() -> None:
    rising = np.arange(6.0)
    assert rank(rising, np.ones(6)) == 0
    assert rank(rising, rising**3) == pytest.approx(1)
    bands = [np.arange(3), np.arange(3, 6)]
    assert banded(rising, np.asarray([5.0, 6, 7, 3, 2, 1]), bands) == pytest.approx(0)


def test_the_inquisitor_learns_from_a_look(table) -> None:
    """Told the accuracy itself, it ranks networks that it has not seen as they are."""
    rng = np.random.default_rng(0)
    entries = [replace(e, accuracies=(float(rng.uniform()),) * 2) for e in table.entries[:120]]
    known = Table(table.specification, entries)
    names = [name for name in columns(table) if not name.startswith("move.")]
    looks = {entry.hash: dict.fromkeys(names, entry.accuracies[0]) for entry in entries}
    probed = Probed(known, looks)
    trained, others = range(60), range(60, 120)
    truth = probed.accuracy[60:]
    found = {
        told: rank(
            Learner(probed, told).predicted(trained, [probed.entries[i] for i in others]), truth
        )
        for told in ((), (names[0],))
    }
    assert found[names[0],] > 0.9
    assert abs(found[()]) < 0.5
