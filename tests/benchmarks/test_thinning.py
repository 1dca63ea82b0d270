"""Uniform thinning, the control of a search."""

from __future__ import annotations

import pytest

from benchmarks.thinning import STEPS, thinned
from gensynth import config, prototype
from gensynth.cost import cost
from gensynth.genome import Conv, Genome


@pytest.fixture(scope="module")
def resnet20() -> Genome:
    file = config.find("prototype", "resnet20")
    assert file is not None
    return prototype.load(file)


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


def test_whole_when_the_bound_allows_it(resnet20: Genome):
    assert thinned(resnet20, 1e9).hash == resnet20.hash


def test_what_cannot_be_made_so_small_is_refused(resnet20: Genome):
    with pytest.raises(ValueError, match="cannot be thinned to 10 parameters"):
        thinned(resnet20, 10)
