from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gensynth.errors import UserError
from gensynth.execution.journal import Entry, Journal, read
from gensynth.execution.units import Unit

entries = st.builds(
    Entry,
    phase=st.sampled_from(("search", "confirm", "evaluate")),
    trial=st.none() | st.integers(0, 99),
    genome=st.sampled_from(("aa", "bb")),
    fold=st.integers(0, 9),
    epochs=st.integers(1, 5),
    seed=st.integers(0, 2**48),
    total=st.integers(50, 99),
    predictions=st.lists(
        st.integers(0, 6) | st.tuples(st.floats(-9, 9), st.floats(-9, 9)), max_size=5
    ).map(tuple),
    loss=st.none() | st.floats(0, 9),
    seconds=st.floats(0, 99),
    scores=st.dictionaries(
        st.sampled_from(("correct", "cross_entropy")),
        st.none() | st.integers(0, 9) | st.floats(0, 9),
    ),
    pretraining=st.floats(0, 99),
)


def entry(fold: int) -> Entry:
    return Entry("search", 3, "ab", fold, 2, 77, 2, (0, 1), 0.5, 0.25)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(entries, max_size=8))
def test_what_is_appended_is_read(tmp_path: Path, written):
    path = tmp_path / "journal.jsonl"
    path.unlink(missing_ok=True)
    with Journal(path) as journal:
        for one in written:
            journal.append(one)
    assert list(read(path)) == written
    with Journal(path) as journal:
        for one in written:
            found = journal.find(one.genome, one.unit)
            assert found is not None
            assert found.unit == one.unit
            assert found.result.predictions == found.predictions
        assert len(journal) == len({(one.genome, one.unit) for one in written})


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_torn_last_line_costs_that_line_only(tmp_path: Path, cut):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.append(entry(0))
        journal.append(entry(1))
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    with Journal(path) as journal:
        kept = {one.fold for one in journal}
        assert kept == ({0, 1} if cut == 1 else {0})  # only the newline is missing
        journal.append(entry(2))
    assert {one.fold for one in read(path)} == kept | {2}


def test_a_second_process_is_refused(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    with Journal(path), pytest.raises(UserError, match="another process"):
        Journal(path)
    with Journal(path) as journal:
        assert journal.find("ab", Unit(0, 2, 77)) is None


def test_a_foreign_line_is_named(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"a": 1}\n')
    with pytest.raises(UserError, match=r"journal\.jsonl:1: not a line"):
        Journal(path)
    path.unlink()
    with Journal(path):
        pass


OLD = (
    '{"phase":"search","trial":0,"genome":"ab","fold":0,"epochs":2,"seed":7,"correct":1,"total":2,'
    '"predictions":[0,1],"loss":0.5,"seconds":1.0}\n'
)
"""A line as it was before there were tasks, and before cross-entropy was kept."""


def test_a_line_of_an_earlier_version_is_read_and_may_stand_beside_new_ones(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    path.write_text(OLD)
    with Journal(path) as journal:
        found = journal.find("ab", Unit(0, 2, 7))
        assert found is not None
        assert found.result.predictions == (0, 1)
        assert found.scores == {"correct": 1}
        journal.append(entry(1))
    assert [one.fold for one in read(path)] == [0, 1]


def test_what_is_no_number_among_the_scores_is_refused(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    path.write_text(OLD.replace('"loss"', '"note":"hello","loss"'))
    with pytest.raises(UserError, match="not a line"):
        Journal(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"fold":0', '"fold":"0"'),
        ('"fold":0', '"fold":-1'),
        ('"epochs":2', '"epochs":2.5'),
        ('"seed":7', '"seed":true'),
        ('"total":2', f'"total":{"9" * 30}'),
        ('"genome":"ab"', '"genome":["ab"]'),
        ('"phase":"search"', '"phase":"else"'),
        ('"predictions":[0,1]', '"predictions":{"0":1}'),
        ('"predictions":[0,1]', '"predictions":[[[0]]]'),
        ('"loss":0.5', '"loss":"low"'),
        ('"correct":1', '"correct":[1]'),
    ],
)
def test_a_value_of_another_type_is_refused(tmp_path: Path, old: str, new: str):
    path = tmp_path / "journal.jsonl"
    assert old in OLD
    path.write_text(OLD.replace(old, new))
    with pytest.raises(UserError, match=r"journal\.jsonl:1: not a line of this journal \("):
        read(path)
