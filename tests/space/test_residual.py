"""What the residual space contains, and that everything in it is a network."""

from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gensynth.cost import STATIC_METRICS, cost
from gensynth.errors import UserError
from gensynth.genome import Genome, dumps, loads
from gensynth.network import build
from gensynth.prototype import expand
from gensynth.space import Residual, ResidualConfig, Space, decode, load_space, trace
from tests.space.choosers import Extreme, Seeded
from tests.space.conftest import read

seeds = st.integers(0, 2**32 - 1)
quick = settings(deadline=None, max_examples=60)


def figures(genome: Genome) -> dict[str, float]:
    return cost(genome).metrics()


def ops(genome: Genome) -> set[str]:
    return {node.op for node in genome.nodes}


@pytest.mark.parametrize("prototype", ["phi", "nano_b"])
def test_the_prototypes_are_points(config, request, prototype):
    written = request.getfixturevalue(prototype)
    space = load_space(config, written)
    decoded = decode(space, written["decisions"]["residual"])
    drawn = expand(written)
    assert decoded.hash == drawn.hash
    assert figures(decoded) == figures(drawn)
    assert decode(space, space.start).hash == drawn.hash


def test_published_figures(config, phi, nano_b):
    found = cost(decode(load_space(config, nano_b), nano_b["decisions"]["residual"]))
    assert (found.params, found.macs) == (141_098, 44_209_600)
    found = cost(decode(load_space(config, phi), {}))
    assert (found.params, found.macs) == (271_991, 91_165_120)


def test_nano_b_with_batch_normalisation(space, nano_b):
    decisions = {**nano_b["decisions"]["residual"], "normalisation": "batch_norm"}
    assert cost(decode(space, decisions)).params == 141_701


@pytest.mark.parametrize("classes", [2, 8])
def test_the_number_of_classes_is_the_data_sets(config, nano_b, classes):
    genome = decode(load_space(config, nano_b, classes), nano_b["decisions"]["residual"])
    assert genome.shapes[genome.outputs["logits"]] == (classes,)


def test_heads_end_every_column(config, phi):
    heads = {"affect": 2, "expression": 8}
    space = load_space({**config, "columns": {"low": 1, "high": 2}}, phi, heads)
    genome = decode(space, {"columns": 2})
    assert {name: genome.shapes[node] for name, node in genome.outputs.items()} == {
        "affect": (2,),
        "expression": (8,),
    }
    linear = [node.id for node in genome.nodes if node.op == "linear"]
    assert linear == [f"{column}{head}.linear" for column in ("", "column2.") for head in heads]
    alone = decode(load_space(config, phi, heads), {})
    assert cost(alone).params == cost(decode(load_space(config, phi, 10), {})).params


def test_another_image(config, phi):
    space = load_space(config, {**phi, "input": [3, 65, 80]})
    genome = space(Seeded(1))
    assert genome.input.shape == (3, 65, 80)


@quick
@given(seed=seeds)
def test_every_point_is_a_network(space: Space, seed: int):
    genome = space(Seeded(seed))
    assert loads(dumps(genome)).hash == genome.hash
    assert genome.shapes[genome.outputs["logits"]] == (7,)


@quick
@given(seed=seeds)
def test_node_order_is_the_order_of_the_stages(space: Space, seed: int):
    """Nodes are executable as listed, and no module runs before the one it follows."""
    genome = space(Seeded(seed))
    known = {"input"}
    for node in genome.nodes:
        assert known.issuperset(node.inputs)
        known.add(node.id)
    inner = [node.id for node in genome.nodes if node.id.endswith("inner.conv")]
    assert inner == sorted(inner)


@quick
@given(seed=seeds)
def test_what_is_asked_makes_the_network(space: Space, seed: int):
    chooser = Seeded(seed)
    genome = space(chooser)
    traced = trace(space, chooser.decisions)
    assert traced.decisions == chooser.decisions
    assert list(traced.decisions) == list(chooser.decisions)
    assert traced.genome.hash == genome.hash == decode(space, traced.decisions).hash
    assert traced.distributions.keys() == traced.decisions.keys()
    assert traced.decisions.keys() <= space.distributions.keys() == space.start.keys()


@quick
@given(seed=seeds)
def test_a_decision_of_a_width_that_is_asked_changes_the_network(space: Space, seed: int):
    """Only what is read is asked: every inner width belongs to a layer of the network."""
    chooser = Seeded(seed)
    genome = space(chooser)
    for name, value in chooser.decisions.items():
        if name.endswith(".inner"):
            assert genome.shapes[f"{name}.conv"][0] == value
            other = value - 1 if value > 2 else value + 1
            assert figures(decode(space, {**chooser.decisions, name: other})) != figures(genome)


def test_optuna_accepts_every_name_with_one_distribution(config, phi):
    space = load_space({**config, "columns": {"low": 1, "high": 4}, "grid": [1, 3]}, phi)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    seen: dict[str, optuna.distributions.BaseDistribution] = {}
    for _ in range(200):
        trial = study.ask()
        space(trial)
        for name, asked in trial.distributions.items():
            assert space.distributions[name] == seen.setdefault(name, asked) == asked
    rare = {name for name in space.distributions if ".projection.inner" in name}
    assert seen.keys() | rare == space.distributions.keys()


def test_names_read_as_places_in_the_network(space: Space):
    for name in space.distributions:
        assert name.isascii()
        assert len(name) <= 30
        place, _, detail = name.partition(".")
        assert detail or place in {"normalisation", "activation", "merge", "columns", "grid"}
        assert not detail or place == "stem" or place[:-1] == "stage"


def test_node_ids_are_readable(space: Space):
    ids = [node.id for node in decode(space, {}).nodes]
    assert {"stem.conv", "stage1.module2.inner.conv", "stage2.projection.norm", "pool"} <= {*ids}


def test_each_decision_does_what_its_name_says(space: Space):
    shapes = decode(space, {"stem.kernel": 5, "stem.stride": 2, "stage1.width": 12}).shapes
    assert shapes["stem.conv"] == (12, 24, 24)
    assert "batch_norm" not in ops(decode(space, {"normalisation": "none"}))
    assert "hard_swish" in ops(decode(space, {"activation": "hard_swish"}))
    separable = decode(space, {"stage2.module1.convolution": "separable"})
    depthwise = [node.id for node in separable.nodes if node.id.endswith("depthwise")]
    assert depthwise == ["stage2.module1.inner.depthwise", "stage2.module1.outer.depthwise"]
    assert separable.shapes[depthwise[0]] == (16, 24, 24)
    joined = decode(space, {"stage2.projection.inner3": True})
    sums = {node.id: node.inputs for node in joined.nodes if node.op == "add"}
    assert sums["stage2.projection.sum"] == ("stage1.module3.relu", "stage1.module3.inner.relu")


def test_a_module_that_nothing_reads_is_left_out(space: Space):
    point = {"stage1.exit.of3": "stem+o1", "stage2.projection.of3": "o1"}
    traced = trace(space, point)
    assert not [node.id for node in traced.genome.nodes if node.id.startswith("stage1.module2")]
    assert "stage1.module2.inner" not in traced.decisions
    with_more = {**point, "stage1.module2.inner": 99}
    assert decode(space, with_more).hash == traced.genome.hash


def test_the_hand_made_small_network_is_a_point(space: Space):
    """5x5 stride-2 stem, 12/20/40 wide, thin inner layers, two modules a stage."""
    point = {"stem.kernel": 5, "stem.stride": 2}
    for stage, (width, inner) in enumerate([(12, 8), (20, 12), (40, 20)], 1):
        point |= {f"stage{stage}.modules": 2, f"stage{stage}.width": width}
        point |= {f"stage{stage}.module{module}.inner": inner for module in (1, 2)}
    found = cost(decode(space, point))
    assert 20_000 < found.params < 40_000
    assert 2e6 < found.macs < 5e6


@pytest.mark.parametrize(
    ("side", "stride", "grid", "cells"),
    [(48, 1, 1, 1), (48, 1, 3, 3), (48, 2, 4, 3), (44, 1, 3, 3), (44, 1, 5, 4), (48, 2, 16, 6)],
)
def test_the_last_maps_are_averaged_over_the_cells_of_a_grid(
    config, phi, side: int, stride: int, grid: int, cells: int
):
    """At most so many as are asked for: cells are whole pixels, the last ones may be smaller."""
    at_size = {**phi, "input": [1, side, side]}
    space = load_space({**config, "grid": [1, 3, 4, 5, 16]}, at_size)
    genome = decode(space, {"grid": grid, "stem.stride": stride})
    assert genome.shapes["pool"][1:] == (cells, cells)
    (source,) = next(node.inputs for node in genome.nodes if node.id == "pool")
    with torch.no_grad():
        last, pooled = build_up_to(genome, source), build_up_to(genome, "pool")
        images = torch.randn(2, 1, side, side, generator=torch.Generator().manual_seed(0))
        maps, means = last(images), pooled(images)
    window = -(-maps.shape[-1] // grid)
    for row in range(cells):
        for column in range(cells):
            cell = maps[:, :, row * window :, column * window :][:, :, :window, :window]
            torch.testing.assert_close(means[:, :, row, column], cell.mean((2, 3)))


def build_up_to(genome, node: str):
    """The network whose output is a node's, with weights from seed 0."""
    upto = [one.id for one in genome.nodes].index(node) + 1
    nodes = genome.nodes[:upto]
    return build(genome.model_copy(update={"nodes": nodes, "outputs": {"y": node}}), seed=0).eval()


def test_columns_are_alike_and_added(config, phi):
    ranges = ResidualConfig.model_validate({**config, "columns": {"low": 1, "high": 4}})
    space = Residual(ranges, expand(phi), {})
    chooser = Seeded(5)
    space(chooser)
    assert 1 <= chooser.decisions["columns"] <= 4
    alone, three = (decode(space, {**chooser.decisions, "columns": n}) for n in (1, 3))
    assert cost(three).params == 3 * cost(alone).params
    assert len(three.nodes) == 3 * len(alone.nodes) + 1
    last = three.nodes[-1]
    assert (last.op, len(set(last.inputs))) == ("add", 3)
    assert loads(dumps(three)).hash == three.hash
    with torch.no_grad():
        network = build(three, seed=0).eval()
        images = torch.randn(2, *three.input.shape, generator=torch.Generator().manual_seed(0))
        answers = []
        for number, prefix in enumerate(("", "column2.", "column3.")):
            column = build(alone, seed=number).eval()
            own = {
                name: network.state_dict()[f"layers.{prefix.replace('.', '/')}{name[7:]}"]
                for name in column.state_dict()
            }
            column.load_state_dict(own)
            answers.append(column(images))
        assert not torch.allclose(answers[0], answers[1])
        torch.testing.assert_close(network(images), sum(answers))


@pytest.mark.parametrize("terms", [["input", "conv"], ["conv", "input"]])
def test_a_sum_of_maps_is_no_sum_of_class_scores(config, terms):
    conv = {"id": "conv", "op": "conv", "inputs": ["input"], "out_channels": 1, "kernel": 1}
    last = {"id": "sum", "op": "add", "inputs": terms}
    image = {"channels": 1, "height": 8, "width": 8}
    phi = Genome.parse({"input": image, "nodes": [conv, last], "outputs": {"y": "sum"}})
    with pytest.raises(UserError, match="linear layers or sums of some"):
        Residual(ResidualConfig.model_validate(config), phi, {})


@pytest.mark.parametrize("chooser", [Seeded, Extreme])
def test_no_network_is_beyond_the_extremes(space: Space, chooser):
    ends = {
        metric: tuple(figures(genome)[metric] for genome in space.extremes()[metric])
        for metric in STATIC_METRICS
    }
    for seed in range(300):
        found = figures(space(chooser(seed)))
        for metric, (least, greatest) in ends.items():
            assert least <= found[metric] <= greatest, (metric, seed)


RANGES = [
    {},
    {"inner": {"low": 2, "high": 40}, "width": {"low": 4, "high": 16}},
    {"inner": {"low": 1, "high": 16}, "width": {"low": 8, "high": 40}},
    {"inner": {"low": 9, "high": 9}, "width": {"low": 9, "high": 9}, "kernel": [1]},
    {"modules": {"low": 2, "high": 3}, "merge": ["after"], "convolution": ["separable"]},
    {"modules": {"low": 1, "high": 1}, "stages": 2, "normalisation": ["none"]},
    {"modules": {"low": 1, "high": 2}, "stages": 2, "columns": {"low": 1, "high": 3}},
    {"modules": {"low": 1, "high": 1}, "stages": 2, "grid": [1, 2, 3, 16]},
]


@pytest.mark.parametrize("ranges", RANGES, ids=range(len(RANGES)))
def test_climbing_does_not_get_beyond_the_extremes(config, phi, ranges):
    assert_no_way_out(config, phi, ranges, steps=60, starts=1)


@pytest.mark.slow
@pytest.mark.parametrize("ranges", RANGES, ids=range(len(RANGES)))
def test_climbing_long_does_not_get_beyond_the_extremes(config, phi, ranges):
    assert_no_way_out(config, phi, ranges, steps=300, starts=1)


def assert_no_way_out(config, phi, ranges, *, steps: int, starts: int):
    """Moves of one decision that try to leave what :meth:`Space.extremes` says."""
    changed = ResidualConfig.model_validate({**config, **ranges})
    space = Residual(changed, expand(phi), {})
    for metric, ends in space.extremes().items():
        for sign, end in zip((-1, 1), ends, strict=True):
            limit = sign * figures(end)[metric]
            for seed in range(starts):
                chooser = Extreme(seed)
                space(chooser)
                for start in (chooser.decisions, everything(space)):
                    reached = climb(space, metric, sign, seed, steps, start)
                    assert reached <= limit, (metric, sign, seed)


def everything(space: Space):
    """The point that reads and keeps the most: near the greatest peak, which climbs rarely find."""
    point: dict[str, Any] = dict(space.start)
    for name, distribution in space.distributions.items():
        if isinstance(distribution, optuna.distributions.IntDistribution):
            point[name] = distribution.high
        elif isinstance(distribution, optuna.distributions.CategoricalDistribution):
            point[name] = distribution.choices[-1 if "stage" in name else 0]
    return point


def climb(space: Space, metric: str, sign: int, seed: int, steps: int, start) -> float:
    rng = np.random.default_rng(seed)
    traced = trace(space, start)
    best = sign * figures(traced.genome)[metric]
    point = dict(traced.decisions)
    for _ in range(steps):
        names = rng.choice(list(point), size=rng.integers(1, 4))
        moved = trace(space, {**point, **{name: another(space, name, rng) for name in names}})
        found = sign * figures(moved.genome)[metric]
        if found >= best:
            best, point = found, dict(moved.decisions)
    return best


def another(space: Space, name: str, rng: np.random.Generator):
    distribution = space.distributions[name]
    if isinstance(distribution, optuna.distributions.IntDistribution):
        return (distribution.low, distribution.high)[rng.integers(2)]
    assert isinstance(distribution, optuna.distributions.CategoricalDistribution)
    return distribution.choices[rng.integers(len(distribution.choices))]


def test_every_shipped_prototype_with_decisions_is_a_point_of_the_space(repository: Path, config):
    written = [read(file) for file in sorted((repository / "prototypes").glob("*.yaml"))]
    points = [one for one in written if "residual" in one.get("decisions", {})]
    assert len(points) >= 3
    for one in points:
        space = load_space({**config, "columns": {"low": 1, "high": 4}, "grid": [1, 3]}, one)
        assert decode(space, space.start).same_network(expand(one)), one["name"]
