"""Rank correlations and the table, on invented results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr

from benchmarks.paper.fidelity_plan import CONFIRMED, Key, Plan, load_experiment, read_specification
from benchmarks.paper.fidelity_table import (
    HEADS,
    interval,
    kendall,
    kept,
    printed,
    reliability,
    spearman,
)
from gensynth.execution import Entry

NETWORKS = 8
IMAGES = 100
COST, COUNT, WHERE, RHO, TAU, KEPT = range(2, 8)

Correct = Callable[[int, int], int]
"""From the numbers of a network and a fold to the images that are right."""

values = st.integers(3, 12).flatmap(
    lambda count: st.tuples(*[st.lists(st.integers(0, 5), min_size=count, max_size=count)] * 2)
)


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.paper.fidelity_table.RESAMPLES", 200)


@pytest.fixture(scope="module")
def plan() -> Plan:
    specification = read_specification()
    return Plan(specification, load_experiment(specification), NETWORKS)


def invented(
    plan: Plan,
    told: Mapping[str, Correct],
    seconds: Mapping[str, float] | None = None,
    starts: Mapping[tuple[str, int], float] | None = None,
    surprise: Mapping[str, Callable[[int, int], float | None]] | None = None,
) -> dict[Key, Entry]:
    return {
        training.key: Entry(
            phase=training.phase,
            trial=None,
            genome=training.genome.hash,
            fold=training.unit.fold,
            epochs=training.unit.epochs,
            seed=training.unit.seed,
            total=IMAGES,
            predictions=(),
            loss=1.0,
            seconds=(seconds or {}).get(name, 1.0),
            pretraining=(starts or {}).get((name, training.unit.fold), 0.0),
            scores={
                "correct": correct(number, training.unit.fold),
                "cross_entropy": (surprise or {}).get(name, nobody_knows)(
                    number, training.unit.fold
                ),
            },
        )
        for name, correct in told.items()
        for number, network in enumerate(plan.networks)
        for training in plan.trainings(name, network)
    }


def nobody_knows(number: int, fold: int) -> None:
    return None


def rising(number: int, fold: int) -> int:
    return 50 + 4 * number + fold % 3


def falling(number: int, fold: int) -> int:
    return 90 - 4 * number + fold % 3


def rows(plan: Plan, known: Mapping[Key, Entry], name: str) -> list[list[str]]:
    lines = [line for line in printed(plan, known, [name]).splitlines() if line[:2] == "| "]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert {len(row) for row in cells} == {len(HEADS)}
    return [row for row in cells if row[0] == name]


@given(values)
def test_rank_correlations_are_those_of_scipy(pair):
    first, second = map(np.asarray, pair)
    assume(np.ptp(first) > 0)
    assume(np.ptp(second) > 0)
    assert spearman(first, second) == pytest.approx(spearmanr(first, second).statistic, abs=1e-9)
    assert kendall(first, second) == pytest.approx(kendalltau(first, second).statistic, abs=1e-9)
    both = np.stack([first, second]), np.stack([second, second])
    assert spearman(*both) == pytest.approx(np.asarray([spearman(first, second), 1]))
    assert kendall(*both) == pytest.approx(np.asarray([kendall(first, second), 1]))


@pytest.mark.parametrize("statistic", [spearman, kendall])
def test_a_constant_tells_nothing(statistic):
    assert statistic(np.ones(5), np.arange(5)) == 0


@pytest.mark.parametrize("statistic", [spearman, kendall])
def test_intervals_grow_with_disorder(statistic):
    order = np.arange(20.0)
    noisy = order + np.random.default_rng(0).normal(0, 6, 20)
    assert interval(statistic, order, 3 * order) == pytest.approx((1, 1))
    low, high = interval(statistic, order, noisy)
    assert -1 < low < statistic(order, noisy) < high < 1
    assert interval(statistic, order, noisy) == (low, high)


def expected_by_lots(score: Sequence[int], truth: Sequence[int]) -> float:
    """The mean over all ways to order equal networks."""

    def orders(values: Sequence[int]) -> list[tuple[int, ...]]:
        return [
            order
            for order in permutations(range(len(values)))
            if all(values[a] >= values[b] for a, b in pairwise(order))
        ]

    count = len(score)
    quarter, half = -(-count // 4), -(-count // 2)
    shares = [
        len({*best[:quarter]} & {*better[:half]}) / quarter
        for best in orders(truth)
        for better in orders(score)
    ]
    return float(np.mean(shares))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=4, max_size=5))
def test_what_halving_keeps_is_the_mean_over_lots(pairs):
    score, truth = zip(*pairs, strict=True)
    assert kept(np.asarray(score), np.asarray(truth)) == pytest.approx(
        expected_by_lots(score, truth)
    )


def test_reliability_is_cronbachs_alpha():
    random = np.random.default_rng(1)
    found = random.normal(0, 1, (30, 1)) + random.normal(0, 2, (30, 10)) + np.arange(10)
    items, total = found.var(axis=0, ddof=1).sum(), found.sum(axis=1).var(ddof=1)
    result = reliability(found)
    assert result.value == pytest.approx(10 / 9 * (1 - items / total))
    assert result.low < result.value < result.high < 1


def test_reliability_is_all_or_nothing_at_its_ends():
    networks = np.arange(6.0)[:, None] + np.asarray([0.0, 3.0, 1.0])
    assert reliability(networks).value == pytest.approx(1)
    assert reliability(np.asarray([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])).value == 0


def test_reliability_intervals_cover_the_truth():
    random = np.random.default_rng(2)
    truth = 10 * 1 / (10 * 1 + 4)
    hits = 0
    for _ in range(400):
        found = reliability(random.normal(0, 1, (24, 1)) + random.normal(0, 2, (24, 10)))
        hits += found.low <= truth <= found.high
    assert 0.92 <= hits / 400 <= 0.98


def test_the_same_order_is_one_and_the_reverse_minus_one(plan):
    known = invented(plan, {CONFIRMED: rising, "rung2": rising, "4x24-synthetic": falling})
    everywhere, elsewhere = rows(plan, known, "rung2")
    assert everywhere[COUNT] == str(NETWORKS)
    assert everywhere[WHERE] == "folds 0 to 9, its own folds 0 to 3 among them"
    assert elsewhere[WHERE] == "folds 4 to 9"
    for row in (everywhere, elsewhere):
        assert row[RHO:] == ["1.00 [1.00, 1.00]", "1.00 [1.00, 1.00]", "100 %"]
    (row,) = rows(plan, known, "4x24-synthetic")
    assert row[WHERE] == "folds 0 to 9"
    assert row[RHO:] == ["-1.00 [-1.00, -1.00]", "-1.00 [-1.00, -1.00]", "0 %"]


def test_other_folds_show_what_was_only_the_same_images(plan):
    def leaking(number: int, fold: int) -> int:
        return 2 + 12 * number if fold < 2 else 60 - number

    known = invented(plan, {CONFIRMED: leaking, "rung1": rising})
    everywhere, elsewhere = rows(plan, known, "rung1")
    assert everywhere[RHO] == "1.00 [1.00, 1.00]"
    assert elsewhere[RHO] == "-1.00 [-1.00, -1.00]"
    assert elsewhere[WHERE] == "folds 2 to 9"


def test_cost_is_a_share_of_what_the_confirmation_took(plan):
    known = invented(plan, {CONFIRMED: rising, "rung2": rising}, {CONFIRMED: 12.0, "rung2": 3.0})
    assert [row[COST] for row in rows(plan, known, "rung2")] == [f"{100 * 12 / 120:.1f}", ""]
    assert rows(plan, known, "params")[0][COST] == "no training"


def test_cross_entropy_has_rows_of_its_own_where_all_of_it_is_known(plan):
    def calmer(number: int, fold: int) -> float:
        return 2 - number / NETWORKS + fold / 10

    told = {CONFIRMED: rising, "rung2": lambda number, fold: 70, "1x12": rising}
    known = invented(plan, told, surprise={"rung2": calmer})
    right, _, sure, elsewhere = rows(plan, known, "rung2")
    assert right[RHO].startswith("0.00 ")
    for row in (sure, elsewhere):
        assert row[RHO] == "1.00 [1.00, 1.00]"
    assert sure[1:3] == ["the same, by cross-entropy", ""]
    assert len(rows(plan, known, "1x12")) == 2


def test_a_pretraining_is_counted_once_for_each_score_whoever_made_it(plan):
    known = invented(
        plan,
        {CONFIRMED: rising, "rung1": rising, "rung2": rising},
        {CONFIRMED: 12.0, "rung2": 3.0},
        {("rung1", 0): 24.0, (CONFIRMED, 0): 20.0, (CONFIRMED, 1): 22.0},
    )
    whole = 10 * 12 + 22
    for name, spent in (("rung1", 2 * 1 + 24), ("rung2", 4 * 3 + 24)):
        assert rows(plan, known, name)[0][COST] == f"{100 * spent / whole:.1f}"


def test_only_whole_networks_count(plan):
    known = invented(plan, {CONFIRMED: rising, "rung2": rising})
    del known[plan.trainings(CONFIRMED, plan.networks[2])[4].key]
    del known[plan.trainings("rung2", plan.networks[5])[1].key]
    assert [row[COUNT] for row in rows(plan, known, "rung2")] == ["6", "6"]
    assert [row[COUNT] for row in rows(plan, known, "rung1")] == ["0", "0"]
    assert rows(plan, known, "rung1")[0][COST:] == [
        "–", "0", "folds 0 to 9, its own folds 0, 1 among them", "–", "–", "–",
    ]  # fmt: skip
    assert rows(plan, known, "macs")[0][COUNT] == "7"
    assert f"7 of {NETWORKS} networks" in printed(plan, known, plan.scores)


def test_the_confirmations_reliability_is_stated_for_every_set_of_folds(plan):
    text = printed(plan, invented(plan, {CONFIRMED: rising}), plan.scores)
    for folds in ("folds 0 to 9", "folds 2 to 9", "folds 4 to 9"):
        assert f"accuracy on {folds}, ICC(3,k): 1.00 [1.00, 1.00]" in text


def test_nothing_trained_is_a_table_without_figures(plan):
    text = printed(plan, {}, plan.scores)
    assert f"0 of {NETWORKS} networks" in text
    assert "ICC" not in text
