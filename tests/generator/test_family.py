"""A family of generators covers the front that the search's own generator has left."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import optuna
import pytest

from benchmarks.sampler import towers
from gensynth.generator import (
    GenerativeSynthesisSampler,
    Generator,
    Member,
    assess,
    budgets,
    family,
)
from gensynth.generator.history import Observation, observe
from gensynth.generator.screen import Screen

optuna.logging.set_verbosity(optuna.logging.WARNING)

SCREEN = Screen(
    towers.define, towers.violations, lambda tower: tower, lambda tower: {"params": tower.params}
)


@pytest.fixture(scope="module")
def searched() -> tuple[Generator, list[Observation]]:
    """Where a search on U ended, and what it has trained, with the accuracy for a utility."""
    sampler = GenerativeSynthesisSampler(
        towers.define,
        violations=towers.violations,
        costs=SCREEN.costs,
        start=towers.START,
        performance=lambda trial: trial.user_attrs["performance"],
        seed=0,
    )
    study = optuna.create_study(sampler=sampler, directions=["maximize", "minimize"])
    for _ in range(32):
        trial = study.ask()
        tower = towers.define(trial)
        trial.set_user_attr("performance", towers.performance(tower))
        trial.set_constraint("accuracy.min", towers.missing(tower))
        study.tell(trial, [tower.accuracy, tower.params])
    past = [
        observe(trial, study.directions, SCREEN, lambda trial: trial.values[0])
        for trial in study.get_trials()
    ]
    return sampler.generator(study), past


@pytest.fixture(scope="module")
def members(searched: tuple[Generator, list[Observation]]) -> list[Member]:
    return list(family(*searched, SCREEN))


def made(generator: Generator) -> tuple[float, float]:
    """Median parameters and accuracy of raw samples on held-out seeds."""
    drawn = [generator.sample(seed, towers.define).outcome for seed in range(10_000, 10_100)]
    accuracy = float(np.median([tower.accuracy for tower in drawn]))
    return float(np.median([tower.params for tower in drawn])), accuracy


def test_budgets_lie_between_the_smallest_and_the_largest_good_network(
    searched: tuple[Generator, list[Observation]],
):
    _, past = searched
    sizes = [one.costs["params"] for one in past if one.violation <= 0]
    found = budgets(past, "params", 4)
    assert (found[0], found[-1]) == (min(sizes), max(sizes))
    ratios = np.diff(np.log(found))
    assert ratios == pytest.approx(np.full(3, ratios.mean()), rel=1e-2)
    assert budgets([], "params") == []
    assert budgets([replace(one, fidelity=0.5) for one in past], "params") == []
    hopeless = [one for one in past if one.violation > 0]
    assert len(budgets(hopeless, "params")) == len(set(budgets(hopeless, "params"))) > 0


def test_larger_budgets_make_larger_and_more_accurate_networks(members: Sequence[Member]):
    sizes, accuracies = zip(*(made(member.generator) for member in members), strict=True)
    assert list(sizes) == sorted(sizes)
    assert sizes[-1] > 2 * sizes[0]
    assert accuracies[-1] > accuracies[0] + 0.03
    for member, size in zip(members, sizes, strict=True):
        assert size < 1.3 * member.budget


def test_the_largest_member_is_more_accurate_than_where_the_search_ended(
    members: Sequence[Member], searched: tuple[Generator, list[Observation]]
):
    assert made(members[-1].generator)[1] > made(searched[0])[1] + 0.03


def test_figures_are_of_raw_samples_within_the_budget(members: Sequence[Member]):
    for member in members:

        def violations(tower: towers.Tower, budget: int = member.budget) -> dict[str, float]:
            return {**towers.violations(tower), "budget": tower.params / budget - 1}

        raw = assess(member.generator, towers.define, violations)
        assert member.assessment.static_feasible == raw.static_feasible
        assert member.assessment.mean_performance is not None


def test_the_family_follows_from_its_seed(
    members: Sequence[Member], searched: tuple[Generator, list[Observation]]
):
    assert next(family(*searched, SCREEN)) == members[0]
    assert next(family(*searched, SCREEN, seed=1)) != members[0]
