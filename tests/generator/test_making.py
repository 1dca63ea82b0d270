"""Networks from a saved generator: admissible, different, and a function of their seed alone."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gensynth.cost import cost
from gensynth.generator import Generator
from gensynth.generator.making import THOUSAND, Made, make, space_of


@pytest.fixture
def generator(repository: Path) -> Generator:
    space, prototype = (
        yaml.safe_load((repository / name).read_text())
        for name in ("search_spaces/residual.yaml", "prototypes/resnet14_slim.yaml")
    )
    plain = Generator(space=space, prototype=prototype, classes=7)
    return plain.model_copy(update={"start": dict(space_of(plain).start)})


def bounded(generator: Generator, params: int) -> Generator:
    bounds = {"params": {"max": params}, "accuracy": {"min": 0.9}}
    return generator.model_copy(update={"constraint": {"name": "some", "bounds": bounds}})


def made(generator: Generator, first: int, end: int, **options: Any) -> list[Made]:
    return list(make(generator, range(first, end), **options))


def test_every_network_is_within_the_static_bounds_and_different(generator: Generator):
    found = made(bounded(generator, 30_000), 0, 200)
    assert all(cost(one.genome).params <= 30_000 for one in found)
    assert len({one.genome.hash for one in found}) == 200
    raw = made(bounded(generator, 30_000), 0, 200, raw=True)
    kept = [one for one in raw if one.feasible]
    assert 0 < len(kept) < 200
    assert sum(one.draw == 0 for one in found) == len({one.genome.hash for one in kept})


def test_what_a_seed_gives_does_not_depend_on_the_other_seeds(generator: Generator):
    across = made(bounded(generator, 30_000), THOUSAND - 4, THOUSAND + 3)
    for index in range(7):
        seed = THOUSAND - 4 + index
        assert made(bounded(generator, 30_000), seed, seed + 1) == [across[index]]


def test_a_seed_differs_from_those_before_it_as_long_as_there_are_others(generator: Generator):
    """A generator that nearly always draws one of two networks."""
    space = space_of(generator)
    sure = generator.meeting(space.distributions)
    theta = {
        name: decision
        if name == "activation"
        else decision.model_copy(
            update={
                "probabilities": tuple(
                    float(cell == decision.cell(space.start[name]))
                    for cell in range(len(decision.probabilities))
                )
            }
        )
        for name, decision in sure.theta.items()
    }
    narrow = sure.model_copy(update={"theta": theta})
    count = len(narrow.theta["activation"].probabilities)
    found = made(narrow, 0, count + 2)
    assert len({one.genome.hash for one in found[:count]}) == count
    assert {one.genome.hash for one in found} == {one.genome.hash for one in found[:count]}
    assert any(one.draw > 0 for one in found[:count])


def test_where_nothing_is_admissible_the_least_violation_is_made(generator: Generator):
    one = made(bounded(generator, 10), 0, 1)[0]
    assert not one.feasible
    assert (
        one.metrics["params"] <= made(bounded(generator, 10), 0, 1, raw=True)[0].metrics["params"]
    )
