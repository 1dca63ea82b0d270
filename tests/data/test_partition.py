from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gensynth.data import DataError, Dataset, FoldBy, folds


def people(subjects: list[str], *, labels: list[int] | None = None, classes: int = 1) -> Dataset:
    count = len(subjects)
    return Dataset(
        name="people",
        images=np.zeros((count, 1, 8, 8), dtype=np.uint8),
        labels=np.array(labels or [0] * count, dtype=np.int64),
        classes=tuple("abcdefg"[:classes]),
        subjects=np.array(subjects, dtype=np.str_),
        sequences=np.array([f"{i}" for i in range(count)], dtype=np.str_),
    )


@st.composite
def populations(draw: st.DrawFn) -> tuple[Dataset, int]:
    k = draw(st.integers(2, 6))
    names = draw(st.lists(st.text("XYZ019", min_size=1), min_size=k, max_size=15, unique=True))
    extra = draw(st.lists(st.sampled_from(names), max_size=30))
    return people(draw(st.permutations(names + extra))), k


@given(populations())
def test_subject_folds_partition_the_images_and_keep_people_apart(case: tuple[Dataset, int]):
    dataset, k = case
    assert dataset.subjects is not None
    laid = folds(dataset, k)
    assert [fold.index for fold in laid] == list(range(k))
    tested = np.concatenate([fold.test for fold in laid])
    assert sorted(tested.tolist()) == list(range(len(dataset)))
    ranked = sorted(set(dataset.subjects.tolist()))
    for fold in laid:
        assert fold.train.dtype == fold.test.dtype == np.int64
        assert sorted([*fold.train, *fold.test]) == list(range(len(dataset)))
        assert not set(dataset.subjects[fold.train]) & set(dataset.subjects[fold.test])
        homes = {ranked.index(name) % k for name in dataset.subjects[fold.test].tolist()}
        assert homes == {fold.index}


@given(case=populations(), order=st.integers(0, 99))
def test_another_order_deals_the_same_people_as_evenly(case: tuple[Dataset, int], order: int):
    dataset, k = case
    assert dataset.subjects is not None
    laid = folds(dataset, k, order=order)
    people = [set(dataset.subjects[fold.test].tolist()) for fold in laid]
    assert sorted(name for fold in people for name in fold) == sorted(set(dataset.subjects))
    assert {len(fold) for fold in people} == {
        len(set(dataset.subjects[fold.test].tolist())) for fold in folds(dataset, k)
    }
    again = folds(dataset, k, order=order)
    assert all(np.array_equal(a.test, b.test) for a, b in zip(laid, again, strict=True))


@pytest.mark.parametrize("by", ["subject", "image"])
def test_each_order_deals_otherwise(by: FoldBy):
    dataset = people([f"S{number:02}" for number in range(30)])
    dealt = {
        tuple(tuple(fold.test.tolist()) for fold in folds(dataset, 3, by, order))
        for order in (None, *range(5))
    }
    assert len(dealt) == 6


@given(count=st.integers(2, 40), k=st.integers(2, 10))
def test_image_folds_partition_without_subjects(count: int, k: int):
    dataset = replace(people(["S1"] * count), subjects=None)
    if count < k:
        with pytest.raises(DataError, match="too few"):
            folds(dataset, k, by="image")
        return
    laid = folds(dataset, k, by="image")
    assert sorted(np.concatenate([fold.test for fold in laid]).tolist()) == list(range(count))
    assert all(not set(fold.train) & set(fold.test) for fold in laid)


def test_folds_by_subject_are_refused_without_subjects():
    dataset = replace(people(["S1", "S2"]), subjects=None)
    with pytest.raises(DataError, match=r"no?ne; .*folds by image") as caught:
        folds(dataset, 2)
    assert "\n" not in str(caught.value)


def test_fewer_subjects_than_folds_are_refused():
    with pytest.raises(DataError, match="2 subjects are too few for 3 folds"):
        folds(people(["S1", "S2", "S1"]), 3)


@pytest.mark.parametrize("k", [1, 0, -3])
def test_less_than_two_folds_are_refused(k: int):
    with pytest.raises(DataError, match="at least 2"):
        folds(people(["S1", "S2"]), k)


def test_unknown_way_of_laying_folds_is_refused():
    with pytest.raises(DataError, match="'sequence'"):
        folds(people(["S1", "S2"]), 2, by="sequence")  # type: ignore[arg-type]


def test_a_class_without_images_is_named():
    with pytest.raises(DataError, match="class 'b' has no images"):
        folds(people(["S1", "S2"], classes=2), 2)


def test_a_test_part_may_lack_a_class_but_a_training_part_may_not():
    both = people(["S1", "S2", "S3", "S3"], labels=[0, 0, 1, 0], classes=2)
    with pytest.raises(DataError, match="training part of fold 2 has no image of class 'b'"):
        folds(both, 3)
    spread = people(["S1", "S2", "S3", "S1"], labels=[0, 1, 1, 0], classes=2)
    with pytest.raises(DataError, match="training part of fold 0 has no image of class 'a'"):
        folds(spread, 3)
    fine = people(["S1", "S2", "S3", "S2"], labels=[0, 1, 1, 0], classes=2)
    assert [set(fine.labels[fold.test]) for fold in folds(fine, 3)] == [{0}, {0, 1}, {1}]
