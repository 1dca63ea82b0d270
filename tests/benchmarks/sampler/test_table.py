"""The table of trained networks and its sub-space."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.sampler import table as tables
from benchmarks.sampler.table import SPECIFICATION, Table, build, load
from gensynth import prototype
from gensynth.cost import cost
from gensynth.generator import Generator
from gensynth.generator.tracing import trace
from gensynth.space import Value

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def table() -> Table:
    return load()


@pytest.fixture(scope="module")
def points(table: Table) -> list[dict[str, Value]]:
    return list(table.space.points())


@pytest.fixture
def small(tmp_path: Path) -> dict[str, Any]:
    """A specification of four networks that train in a moment."""
    written = yaml.safe_load(SPECIFICATION.read_text())
    written |= {"image": 16, "train": [3], "test": [4], "epochs": 1}
    written["free"] = {
        "stage3.modules": {"low": 1, "high": 2},
        "stage3.exit.of2": ["o2", "p+o2", "p+o1+o2"],
    }
    written["follow"] = {}
    specification = tmp_path / "table.yaml"
    specification.write_text(yaml.safe_dump(written))
    return {"specification": specification, "rows": tmp_path / "table.csv"}


def test_points_are_all_different_networks(table, points) -> None:
    assert len({frozenset(point.items()) for point in points}) == len(points)
    some = points[::9]
    assert len({table.space.genome(point).hash for point in some}) == len(some)


def test_every_network_is_trained_once(table, points) -> None:
    assert len({entry.hash for entry in table.entries}) == len(points)
    for point in points:
        assert table.entry(point).decisions == point


@given(seed=st.integers(0, 2**32))
def test_whatever_is_drawn_is_one_of_the_points(table, points, seed: int) -> None:
    generator = Generator(start=table.start)
    plan = generator.sample(seed, table.space.ask)
    assert plan.decisions == plan.outcome
    assert plan.outcome in points


def test_a_follower_does_as_its_leader(table) -> None:
    free = {**table.start, "stage1.module1.inner.kernel": 5, "stage2.module1.convolution": "full"}
    kernels = Counter(
        node.kernel
        for node in table.space.genome(free).nodes
        if node.id.startswith("stage1.mod") and node.op == "conv"
    )
    assert kernels == {(5, 5): 4}


def test_start_is_the_prototype(table) -> None:
    drawn = prototype.expand(
        yaml.safe_load((ROOT / "prototypes/resnet14_slim.yaml").read_text())
        | {"input": [1, table.specification.image, table.specification.image]}
    )
    assert table.space.genome(table.start).same_network(drawn)


def test_rows_tell_what_their_networks_cost(table) -> None:
    assert table.entries
    for entry in table.entries[::50]:
        genome = table.genome(entry)
        assert genome.hash == table.key(entry)
        metrics = table.metrics(entry)
        found = cost(genome).metrics()
        assert {name: metrics[name] for name in tables.COSTS} == {
            name: found[name] for name in tables.COSTS
        }
        assert 0 < metrics["accuracy"] < 1
        assert metrics["seconds"] > 0


def test_define_finds_the_row_of_a_trial(table) -> None:
    wanted = table.entries[0]
    study = optuna.create_study()
    study.enqueue_trial(dict(wanted.decisions))
    trial = study.ask()
    assert table.define(trial) is wanted
    assert trial.params == wanted.decisions


def test_what_is_not_trained_is_said(table) -> None:
    empty = Table(table.specification, ())
    with pytest.raises(LookupError, match="--build"):
        trace(empty.define, lambda name, _: table.start[name])


def test_repeatability_is_the_share_of_the_networks(table) -> None:
    model = table.entries[0]

    def of(*pairs: tuple[float, float]) -> float:
        rows = [replace(model, accuracies=pair) for pair in pairs]
        return Table(table.specification, rows).repeatability

    assert of((0.1, 0.1), (0.5, 0.5), (0.9, 0.9)) == pytest.approx(1)
    assert of((0.1, 0.9), (0.9, 0.1)) < 0
    # Mean squares by hand: 2 * 0.125 between networks, (0.02 + 0) / 2 within.
    assert of((0.1, 0.3), (0.7, 0.7)) == pytest.approx((0.25 - 0.01) / (0.25 + 0.01))


def test_build_goes_on_where_it_was(small: dict[str, Any]) -> None:
    assert build(**small, processes=1, limit=1) == 1
    first = small["rows"].read_text()
    assert build(**small, processes=1) == 3
    assert small["rows"].read_text().startswith(first)
    assert build(**small, processes=1) == 0
    found = load(**small)
    assert len({entry.hash for entry in found.entries}) == 4
    again = tables.Trainer(found.specification)(found.entries[0].decisions)
    assert again.accuracies == pytest.approx(found.entries[0].accuracies, abs=1e-5)


def test_rows_of_another_specification_are_refused(small: dict[str, Any]) -> None:
    build(**small, processes=1, limit=1)
    written = yaml.safe_load(small["specification"].read_text())
    small["specification"].write_text(yaml.safe_dump(written | {"epochs": 2}))
    with pytest.raises(ValueError, match="another specification"):
        load(**small)
