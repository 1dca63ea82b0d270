"""Uniform thinning, the control of a search."""

from __future__ import annotations

import pytest

from benchmarks.paper.thinning import STEPS, control, thinned
from gensynth import config, prototype
from gensynth.cost import cost
from gensynth.experiment import Experiment
from gensynth.genome import Conv, Genome
from gensynth.space import Space, decode, load_space
from gensynth.training.columns import columns


@pytest.fixture(scope="module")
def resnet20() -> Genome:
    file = config.find("prototype", "resnet20")
    assert file is not None
    return prototype.load(file)


@pytest.fixture(scope="module")
def side_by_side() -> Space:
    experiment = config.load(Experiment, ["experiment=ck48_accurate"])
    return load_space(experiment.search_space, experiment.prototype, 7)


def widths(genome: Genome) -> list[int]:
    return [node.out_channels for node in genome.nodes if isinstance(node, Conv)]


@pytest.mark.parametrize("params", [1_000, 20_000, 60_000, 116_000])
def test_every_width_has_the_same_share_and_the_bound_is_used(resnet20: Genome, params: int):
    found = thinned(resnet20, params)
    factor = found.provenance["thinned"]
    assert isinstance(factor, float)
    assert widths(found) == [max(1, round(factor * width)) for width in widths(resnet20)]
    assert cost(found).params <= params
    wider = [max(1, round((factor + 1 / STEPS) * width)) for width in widths(resnet20)]
    assert widths(found) != wider
    assert found.shapes[found.outputs["logits"]] == (7,)


@pytest.mark.parametrize("macs", [2_000_000, 20_000_000])
def test_any_cost_can_be_the_bound(resnet20: Genome, macs: int):
    found = thinned(resnet20, macs, "macs")
    assert 0.9 * macs < cost(found).macs <= macs
    assert thinned(resnet20, cost(found).macs, "macs").hash == found.hash
    assert cost(thinned(resnet20, cost(found).macs - 1, "macs")).macs < cost(found).macs


@pytest.mark.parametrize("columns_wanted", [1, 2, 5])
@pytest.mark.parametrize("cells", [1, 2, 3, 4])
def test_a_control_has_the_columns_and_the_cells_of_the_network(
    side_by_side: Space, columns_wanted: int, cells: int
):
    space = side_by_side
    decided = {**space.start, "grid": cells, "columns": max(columns_wanted, 2)}
    found = decode(space, decided)
    if columns_wanted == 1:
        (found,) = columns(found)[:1]
    phi = decode(space, space.start)
    made = control(phi, found, "params")
    assert len(columns(made)) == columns_wanted
    assert len({one.hash for one in columns(made)}) == 1
    last = columns(made)[-1]
    places = [shape for shape in last.shapes.values() if len(shape) == 3][-1]
    assert places[1:] == (cells, cells)
    assert cost(made).params <= cost(found).params


def test_whole_when_the_bound_allows_it(resnet20: Genome):
    assert thinned(resnet20, 1e9).hash == resnet20.hash


def test_what_cannot_be_made_so_small_is_refused(resnet20: Genome):
    with pytest.raises(ValueError, match="cannot be thinned to params 10"):
        thinned(resnet20, 10)
