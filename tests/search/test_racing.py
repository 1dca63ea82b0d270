import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gensynth.data import Dataset, Fold
from gensynth.indicator import Bound, Indicator
from gensynth.search.outcome import score
from gensynth.search.racing import out_of_reach, promoted, reach
from gensynth.task.classification import chance_of
from gensynth.training import FoldResult, metrics

METRICS = ("accuracy", "accuracy_fold_mean", "accuracy_sequence", "recall.min", "recall.b")
FOLDS = 3


def dataset_of(labels: list[int]) -> Dataset:
    count = len(labels)
    return Dataset(
        name="toy",
        images=np.zeros((count, 1, 2, 2), dtype=np.uint8),
        labels=np.asarray(labels, dtype=np.int64),
        classes=("a", "b"),
        subjects=None,
        sequences=np.asarray([f"s{index // 2}" for index in range(count)]),
    )


def folds_of(count: int) -> tuple[Fold, ...]:
    home = np.arange(count) // 2 % FOLDS
    return tuple(
        Fold(index=i, train=np.flatnonzero(home != i), test=np.flatnonzero(home == i))
        for i in range(FOLDS)
    )


def answered(fold: Fold, dataset: Dataset, answers: tuple[int, ...]) -> FoldResult:
    return FoldResult(
        fold=fold.index,
        epochs=1,
        seed=0,
        predictions=answers,
        total=len(answers),
        seconds=0.0,
        loss=0.1,
    )


@st.composite
def races(draw):
    """Labels of 6 to 10 images, answers for the first fold or two, and a bound."""
    count = draw(st.integers(6, 10))
    labels = draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
    dataset, folds = dataset_of(labels), folds_of(count)
    results = []
    for fold in folds[: draw(st.integers(1, 2))]:
        size = len(fold.test)
        answers = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
        results.append(answered(fold, dataset, tuple(answers)))
    name, end = draw(st.sampled_from(METRICS)), draw(st.sampled_from(("min", "max")))
    bound = Bound(**{end: draw(st.floats(0, 1))})
    return dataset, folds, results, Indicator(name="toy", bounds={name: bound})


@settings(max_examples=60, deadline=None)
@given(races())
def test_exact_stop_is_right_against_every_possible_ending(race):
    """Certainly out of reach means: no answers on the remaining folds meet the bound."""
    dataset, folds, results, indicator = race
    remaining = folds[len(results) :]
    lost = out_of_reach(indicator, results, remaining, dataset, folds)
    sizes = [len(fold.test) for fold in remaining]
    endings = itertools.product(*(itertools.product((0, 1), repeat=size) for size in sizes))
    met = False
    for ending in endings:
        rest = [
            answered(fold, dataset, answers)
            for fold, answers in zip(remaining, ending, strict=True)
        ]
        figures = metrics([*results, *rest], dataset, folds)
        met = met or indicator.total_violation(figures) == 0
    assert (lost is None) == met
    if lost is not None:
        assert lost.bound in indicator.keys
        assert lost.chance == 0


@settings(max_examples=40, deadline=None)
@given(races())
def test_cases_bracket_what_any_ending_gives(race):
    dataset, folds, results, _ = race
    remaining = folds[len(results) :]
    limits = reach([(results, remaining)], dataset, folds)
    rest = [answered(fold, dataset, (1,) * len(fold.test)) for fold in remaining]
    between = metrics([*results, *rest], dataset, folds)
    for name in METRICS:
        if name in between:
            least, greatest = limits[name]
            assert least - 1e-12 <= between[name] <= greatest + 1e-12


@given(st.integers(0, 8), st.integers(0, 8), st.integers(0, 8), st.integers(-2, 10))
def test_chance_is_the_beta_binomial_tail(correct, wrong, remaining, needed):
    """Against the sum over the posterior, by Laplace's rule of succession."""

    def sequence(hits: int) -> float:
        total, share = 1.0, 1.0
        h, w = correct, wrong
        for step in range(remaining):
            hit = step < hits
            share *= (h + 1 if hit else w + 1) / (h + w + 2)
            h, w = h + hit, w + (not hit)
        return total * share

    expected = sum(
        math.comb(remaining, hits) * sequence(hits) for hits in range(max(needed, 0), remaining + 1)
    )
    assert chance_of(correct, correct + wrong, remaining, needed) == pytest.approx(expected)


def test_risk_stops_what_is_unlikely_and_only_then():
    labels = [index // 2 % 2 for index in range(60)]
    dataset, folds = dataset_of(labels), folds_of(60)
    wrong = tuple(1 - int(label) for label in dataset.labels[folds[0].test])
    poor = [answered(folds[0], dataset, wrong)]
    good = [answered(folds[0], dataset, tuple(dataset.labels[folds[0].test].tolist()))]
    indicator = Indicator(name="toy", bounds={"accuracy": Bound(min=0.6)})

    def lost(results, risk):
        return out_of_reach(indicator, results, folds[1:], dataset, folds, risk=risk)

    assert lost(poor, 0.0) is None
    found = lost(poor, 0.05)
    assert found is not None
    assert found.bound == "accuracy.min"
    assert 0 < found.chance < 0.05
    assert lost(good, 0.4) is None


def test_risk_is_kept():
    """Of candidates that would just meet the bound, few more than the risk are stopped."""
    labels = [0] * 120
    dataset = dataset_of(labels)
    folds = folds_of(120)
    indicator = Indicator(name="toy", bounds={"accuracy": Bound(min=0.7)})
    rng = np.random.default_rng(0)
    stopped = met = 0
    for _ in range(300):
        share = rng.random()
        hits = np.repeat(rng.random(60) < share, 2)  # both frames of a sequence alike
        results = [
            answered(fold, dataset, tuple((~hits[fold.test]).astype(int).tolist()))
            for fold in folds
        ]
        if metrics(results, dataset, folds)["accuracy"] >= 0.7:
            met += 1
            stopped += (
                out_of_reach(indicator, results[:1], folds[1:], dataset, folds, risk=0.05)
                is not None
            )
    assert met > 50
    assert stopped <= 0.05 * met


@given(
    st.lists(st.tuples(st.floats(-5, 0), st.floats(0, 100)), max_size=30),
    st.tuples(st.floats(-5, 0), st.floats(0, 100)),
    st.floats(1.5, 6),
)
def test_promotion_takes_the_top_share_and_never_a_worse_one_first(others, mine, reduction):
    rank = 1 + sum(other > mine for other in others)
    assert promoted(mine, others, reduction) == (rank <= math.ceil((len(others) + 1) / reduction))
    better = (0.0, 101.0)
    assert promoted(better, others, reduction)
    assert promoted(mine, others, None)


def test_feasible_comes_first_whatever_u_is():
    feasible = score({"accuracy.min": -0.1, "params.max": -0.5}, 10.0)
    close = score({"accuracy.min": 0.01, "params.max": -0.5}, 500.0)
    far = score({"accuracy.min": 0.2, "params.max": -0.9}, 900.0)
    assert feasible > close > far
