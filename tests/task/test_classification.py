import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score

from gensynth.data import Dataset, Fold
from gensynth.task import wilson
from gensynth.task.classification import ClassEvaluation
from gensynth.training import FoldResult, evaluate, evaluate_all, metrics

CLASSES = ("a", "b", "c")


def judge(results, data, folds) -> ClassEvaluation:
    found = evaluate(results, data, folds)
    assert isinstance(found, ClassEvaluation)
    return found


def dataset(labels, sequences=None):
    count = len(labels)
    names = [f"s{index}" for index in range(count)] if sequences is None else sequences
    return Dataset(
        name="labels",
        images=np.zeros((count, 1, 2, 2), np.uint8),
        labels=np.array(labels, dtype=np.int64),
        classes=CLASSES,
        subjects=None,
        sequences=np.array(names),
    )


def lay(count, k):
    home = np.arange(count) % k
    return tuple(
        Fold(index=index, train=np.flatnonzero(home != index), test=np.flatnonzero(home == index))
        for index in range(k)
    )


def result(fold, predictions, data, seed=0):
    given = np.array(predictions)
    return FoldResult(
        fold=fold.index,
        epochs=1,
        seed=seed,
        predictions=tuple(int(p) for p in given),
        total=len(given),
        seconds=0.0,
        loss=0.0,
    )


@given(
    pairs=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=7, max_size=60),
    trained=st.sets(st.integers(0, 3), min_size=1),
)
def test_agrees_with_scikit_learn_on_the_folds_that_were_trained(pairs, trained):
    truth, said = np.array(pairs).T
    data, folds = dataset(truth), lay(len(pairs), 4)
    results = [result(folds[index], said[folds[index].test], data) for index in trained]
    test = np.concatenate([folds[index].test for index in trained])
    present = sorted(set(truth[test].tolist()))
    figures = metrics(results[::-1], data, folds)
    assert figures["accuracy"] == pytest.approx(accuracy_score(truth[test], said[test]))
    assert figures["accuracy_sequence"] == pytest.approx(figures["accuracy"])
    recalls = recall_score(truth[test], said[test], labels=present, average=None, zero_division=0)
    by_name = {f"recall.{CLASSES[label]}": r for label, r in zip(present, recalls, strict=True)}
    assert {name: value for name, value in figures.items() if name in by_name} == pytest.approx(
        by_name
    )
    assert {name for name in figures if name.startswith("recall.")} == {*by_name, "recall.min"}
    assert figures["recall.min"] == pytest.approx(min(recalls))
    confusion = judge(results, data, folds).confusion
    assert np.array_equal(confusion, confusion_matrix(truth[test], said[test], labels=[0, 1, 2]))


def test_fold_mean_weighs_folds_alike_and_pooling_weighs_images_alike():
    data = dataset([0, 0, 0, 0, 1])
    folds = (
        Fold(index=0, train=np.array([4]), test=np.array([0, 1, 2, 3])),
        Fold(index=1, train=np.array([0]), test=np.array([4])),
    )
    results = [result(folds[0], [0, 0, 0, 0], data), result(folds[1], [0], data)]
    figures = metrics(results, data, folds)
    assert figures["accuracy"] == pytest.approx(4 / 5)
    assert figures["accuracy_fold_mean"] == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("votes", "right"),
    [([0, 0, 1], 1), ([1, 1, 0], 0), ([2, 1, 0], 1), ([0, 1, 2], 0), ([0, 1], 0), ([1, 0], 1)],
)
def test_a_sequence_votes_and_its_last_tied_frame_decides(votes, right):
    data = dataset([0] * len(votes), ["one"] * len(votes))
    fold = Fold(index=0, train=np.array([0]), test=np.arange(len(votes)))
    assert metrics([result(fold, votes, data)], data, [fold])["accuracy_sequence"] == right


def test_sequences_are_counted_once_and_carry_the_interval():
    data = dataset([0] * 6 + [1] * 3, ["x"] * 3 + ["y"] * 3 + ["z"] * 3)
    fold = Fold(index=0, train=np.array([0]), test=np.arange(9))
    judged = judge([result(fold, [0, 0, 0, 0, 0, 1, 0, 0, 1], data)], data, [fold])
    assert (judged.images, judged.sequences) == (9, 3)
    assert judged.sequence_accuracy == pytest.approx(2 / 3)
    assert judged.interval == pytest.approx(wilson(6 / 9 * 3, 3))


def test_repetitions_average_and_add_no_evidence():
    data, (fold,) = dataset([0, 1, 2, 0]), lay(4, 1)
    runs = [[result(fold, said, data)] for said in ([0] * 4, [0, 1, 2, 0])]
    both = evaluate_all(runs, data, [fold])
    assert isinstance(both, ClassEvaluation)
    assert both.accuracy == pytest.approx(0.75)
    assert both.recall == pytest.approx({"a": 1, "b": 0.5, "c": 0.5})
    assert (both.images, both.sequences) == (4, 4)
    assert both.confusion.sum() == 8
    assert evaluate_all(runs[:1], data, [fold]).metrics() == metrics(runs[0], data, [fold])
    with pytest.raises(ValueError, match="nothing to judge"):
        evaluate_all([], data, [fold])


def test_only_repetitions_of_the_same_folds_are_judged_together():
    data, folds = dataset([0, 1, 2, 0]), lay(4, 2)
    parts = [[result(fold, [0, 0], data)] for fold in folds]
    with pytest.raises(ValueError, match="same folds"):
        evaluate_all(parts, data, folds)


def test_results_that_do_not_belong_together_are_refused():
    data, folds = dataset([0, 1, 2, 0]), lay(4, 2)
    first, second = (result(fold, [0, 0], data) for fold in folds)
    for results, match in (
        ([], "at least one"),
        ([first, first], "different folds"),
        ([first, second], "unknown folds"),
    ):
        with pytest.raises(ValueError, match=match):
            evaluate(results, data, folds[:1])
    short = Fold(index=0, train=folds[0].train, test=folds[0].test[:1])
    with pytest.raises(ValueError, match="2 predictions for fold 0"):
        evaluate([first], data, [short])


@pytest.mark.parametrize(
    ("correct", "total", "low", "high"),
    [
        (319.152, 327, 0.9531, 0.9879),  # 97.6 % of the sequences of CK+
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I
        (15, 148, 0.0624, 0.1605),  # ibid.
        (1, 29, 0.0061, 0.1718),  # ibid.
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_against_published_intervals(correct, total, low, high):
    assert wilson(correct, total) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_ends_solve_the_score_equation(trial):
    correct, total = trial
    share, z = correct / total, 1.5
    low, high = wilson(correct, total, z=z)
    assert 0 <= low <= share <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert (share - end) ** 2 == pytest.approx(z**2 * end * (1 - end) / total, abs=1e-9)


@pytest.mark.parametrize(("correct", "total"), [(-1, 3), (4, 3)])
def test_wilson_refuses_what_is_no_proportion(correct, total):
    with pytest.raises(ValueError, match="not a proportion"):
        wilson(correct, total)
