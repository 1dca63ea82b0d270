"""Measures of agreement, each against another way to compute it."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from gensynth.data import Dataset, Fold
from gensynth.errors import UserError
from gensynth.indicator import Indicator
from gensynth.task import Answers, Classification, Combined, Regression, agreement
from gensynth.training import Recipe, evaluate, train_fold
from gensynth.validation import validate
from tests.task.conftest import said, tiny, truth
from tests.task.test_combined import network

quick = settings(max_examples=25, deadline=None)

LABELS = st.integers(2, 40).flatmap(
    lambda count: st.tuples(
        *(arrays.arrays(np.int64, count, elements=st.integers(0, 3)) for _ in range(2))
    )
)
NUMBERS = st.integers(2, 30).flatmap(
    lambda count: st.tuples(
        *(arrays.arrays(np.float64, count, elements=st.floats(-1, 1, width=16)) for _ in range(2))
    )
)


@quick
@given(LABELS)
def test_f1_is_counted(pair):
    targets, said_ = pair
    each = []
    for label in set(targets.tolist()) | set(said_.tolist()):
        hits = int(((targets == label) & (said_ == label)).sum())
        wrong = int(((targets == label) != (said_ == label)).sum())
        each.append(2 * hits / (2 * hits + wrong))
    assert agreement.f1(targets, said_) == pytest.approx(np.mean(each))


@quick
@given(LABELS)
def test_kappa_is_agreement_beyond_chance(pair):
    targets, said_ = pair
    count = len(targets)
    observed = np.mean(targets == said_)
    mine, theirs = Counter(targets.tolist()), Counter(said_.tolist())
    chance = sum(mine[label] * theirs[label] for label in mine) / count**2
    wanted = 0.0 if chance == 1 else (observed - chance) / (1 - chance)
    assert agreement.kappa(targets, said_) == pytest.approx(wanted, abs=1e-9)


@quick
@given(LABELS)
def test_alpha_is_disagreement_against_that_of_all_pairs(pair):
    """Krippendorff 2011: observed disagreement over that of all pairs of values."""
    targets, said_ = pair
    values = [*targets.tolist(), *said_.tolist()]
    pairs = list(permutations(values, 2))
    expected = sum(one != other for one, other in pairs) / len(pairs)
    observed = np.mean(targets != said_)
    wanted = 0.0 if expected == 0 else 1 - observed / expected
    assert agreement.krippendorff_alpha(targets, said_) == pytest.approx(wanted, abs=1e-9)


@quick
@given(
    arrays.arrays(np.int64, 12, elements=st.integers(0, 2)),
    arrays.arrays(np.float64, (12, 3), elements=st.floats(0, 1, width=16)),
)
def test_areas_are_counted(targets, scores):
    """The area under ROC is how often the right one of a pair is before the other."""
    roc, precision = [], []
    for label in np.unique(targets):
        mine, others = scores[targets == label, label], scores[targets != label, label]
        if len(others):
            before = (mine[:, None] > others).mean() + (mine[:, None] == others).mean() / 2
            roc.append(before)
        gain, found, last = 0.0, targets == label, 0.0
        for limit in sorted(set(scores[:, label].tolist()), reverse=True):
            taken = scores[:, label] >= limit
            recall = found[taken].sum() / found.sum()
            gain += (recall - last) * found[taken].mean()
            last = recall
        precision.append(gain)
    areas = agreement.areas(targets, scores)
    assert areas["auc"] == pytest.approx(np.mean(roc) if roc else 0.5)
    assert areas["auc_pr"] == pytest.approx(np.mean(precision))


@quick
@given(NUMBERS)
def test_agreement_of_numbers(pair):
    targets, said_ = pair
    both = np.cov(targets, said_, bias=True)
    if targets.std() > 1e-3 and said_.std() > 1e-3:
        wanted = stats.pearsonr(targets, said_).statistic
        assert agreement.corr(targets, said_) == pytest.approx(wanted, abs=1e-6)
    total = both[0, 0] + both[1, 1] + (targets.mean() - said_.mean()) ** 2
    wanted = 1 - np.mean((targets - said_) ** 2) / total if total > 0 else 0.0
    assert agreement.ccc(targets, said_) == pytest.approx(wanted, abs=1e-6)
    alike = sum(
        (true > 0) == (told > 0) and (true < 0) == (told < 0)
        for true, told in zip(targets, said_, strict=True)
    )
    assert agreement.sagr(targets, said_) == pytest.approx(alike / len(targets))
    assert abs(agreement.ccc(targets, said_)) <= abs(agreement.corr(targets, said_)) + 1e-6


def test_what_is_undefined_is_chance():
    same, one = np.zeros(4, dtype=np.int64), np.full(4, 0.5)
    assert agreement.kappa(same, same) == agreement.krippendorff_alpha(same, same) == 0
    assert agreement.corr(one, one) == agreement.ccc(one, one) == 0
    assert agreement.areas(same, np.ones((4, 1))) == {"auc": 0.5, "auc_pr": 1.0}


def test_an_indicator_function_can_name_them():
    affect = Regression(name="affect", numbers=("valence", "arousal"))
    task = Combined(tasks={"expression": Classification(areas=True), "affect": affect})
    bounds = {
        **{name: {"min": 0.1} for name in ("kappa", "krippendorff_alpha", "f1", "auc", "auc_pr")},
        **{f"{kind}_valence": {"min": 0.1} for kind in ("corr", "ccc", "sagr")},
        "rmse_arousal": {"max": 0.4},
        "ccc_affect": {"min": 0.2},
    }
    indicator = validate(Indicator, {"name": "some", "bounds": bounds})
    assert not list(indicator.mistakes(task))
    assert set(indicator.trained.bounds) == set(bounds)


def test_metrics_of_two_seeds_are_means():
    task = Classification(classes=("a", "b", "c"))
    random = np.random.default_rng(1)
    targets = random.integers(0, 3, 24)
    first, second = (said(targets, random.integers(0, 3, 24)) for _ in range(2))
    both = task.evaluate(first, second)
    for name in ("f1", "kappa", "krippendorff_alpha"):
        each = [getattr(agreement, name)(targets, one.predictions) for one in (first, second)]
        assert both.metrics()[name] == pytest.approx(np.mean(each))
        assert name in both.details()["agreement"]


def scored(**areas: tuple[float | None, ...]) -> Answers:
    targets = np.array([0, 0, 1, 2, 0, 0, 1, 2])
    return Answers(truth=truth(targets), predictions=targets, scores=areas)


def test_areas_are_means_over_folds_and_of_guessing_where_a_training_diverged():
    task = Classification(classes=("a", "b", "c"), areas=True)
    found = task.evaluate(scored(auc=(0.75, 0.5), auc_pr=(0.5, None))).metrics()
    assert found["auc"] == pytest.approx(0.625)
    assert found["auc_pr"] == pytest.approx((0.5 + (0.5 + 0.25 + 0.25) / 3) / 2)
    assert "auc" not in task.evaluate(scored()).metrics()
    kept = task.unanswerable("auc", np.arange(3))
    assert kept is None
    assert "task.areas=true" in str(
        Classification(classes=("a", "b")).unanswerable("auc", np.arange(2))
    )


def test_areas_are_kept_by_each_fold_and_head():
    affect = Regression(name="pose", numbers=("yaw", "roll"))
    task = Combined(tasks={"what": Classification(areas=True), "pose": affect})
    data = tiny(24, task)
    fold = Fold(index=0, train=np.arange(16), test=np.arange(16, 24))
    recipe = Recipe.model_validate({"precision": "float32"})
    result = train_fold(network(what=3, pose=2), data, fold, epochs=1, seed=0, recipe=recipe)
    assert {"what.auc", "what.auc_pr"} <= set(result.scores)
    found = evaluate([result], data, [fold]).metrics()
    assert found["auc"] == pytest.approx(result.scores["what.auc"])


def test_classes_can_weigh_alike():
    targets = torch.tensor([0] * 8 + [1] * 2)
    outputs = torch.randn(10, 2, generator=torch.Generator().manual_seed(0))
    task = Classification(classes=("a", "b"), balance=1)
    losses = torch.nn.functional.cross_entropy(outputs, targets, reduction="none")
    wanted = (losses[:8].mean() + losses[8:].mean()) / 2
    found = task.objective(targets).loss(outputs, targets)
    assert float(found) == pytest.approx(float(wanted), rel=1e-5)
    plain = Classification(classes=("a", "b")).objective(targets).loss(outputs, targets)
    assert float(plain) == pytest.approx(float(losses.mean()), rel=1e-5)
    half = Classification(classes=("a", "b"), balance=0.5).objective(targets).loss(outputs, targets)
    assert min(found, plain) < half < max(found, plain)


def voted() -> Dataset:
    data = tiny(24)
    votes = np.random.default_rng(2).dirichlet(np.ones(3), 24).astype(np.float32)
    return Dataset(**{**vars(data), "votes": votes, "task": Classification()})


def test_votes_are_taught_and_classes_tested():
    data = voted().asked(Classification(labels="votes"))
    assert data.lessons is data.votes
    assert np.array_equal(data.targets, data.labels)
    lessons = torch.from_numpy(data.lessons)
    outputs = torch.randn(24, 3, generator=torch.Generator().manual_seed(0))
    found = data.task.objective(lessons).loss(outputs, lessons)
    wanted = -(lessons * outputs.log_softmax(1)).sum(1).mean()
    assert float(found) == pytest.approx(float(wanted), rel=1e-5)
    fold = Fold(index=0, train=np.arange(16), test=np.arange(16, 24))
    recipe = Recipe.model_validate({"precision": "float32", "augmentation": {"mixup": 0.2}})
    for labels in ("votes", "drawn"):
        asked = data.asked(Classification.model_validate({"labels": labels}))
        results = [
            train_fold(network(logits=3), asked, fold, epochs=2, seed=0, recipe=recipe)
            for _ in range(2)
        ]
        assert results[0] == results[1]
        assert set(results[0].scores) == {"correct", "cross_entropy"}


def test_a_drawn_class_has_the_votes_frequencies():
    votes = torch.tensor([[0.75, 0.25]]).repeat(4000, 1)
    outputs = torch.tensor([[0.0, 1.0]]).repeat(4000, 1)
    objective = Classification(classes=("a", "b"), labels="drawn").objective(votes)
    torch.manual_seed(0)
    drawn = float(objective.loss(outputs, votes))
    exact = float(Classification(classes=("a", "b")).objective(votes).loss(outputs, votes))
    assert drawn != exact
    assert drawn == pytest.approx(exact, abs=0.03)


def test_votes_have_to_be_there():
    with pytest.raises(UserError, match=r"task\.labels: tiny has no votes"):
        tiny(task=Classification(labels="votes"))
    head = {"kind": "classification", "labels": "votes"}
    with pytest.raises(UserError, match="is taught votes"):
        validate(Combined, {"tasks": {"a": head}})
