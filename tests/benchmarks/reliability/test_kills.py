"""An interrupted search is the same search."""

from __future__ import annotations

import pytest

from benchmarks.reliability.kills import Bench, Searched, table


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("kills"), candidates=4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_search_that_was_killed_ends_as_the_one_that_was_not(bench: Bench, seed: int):
    searched = bench.searched(seed)
    assert searched.same
    assert searched.repeated == 0


def test_the_table_counts_kills_by_what_was_being_written():
    searches = [Searched(("journal", "file"), True, 0), Searched(("file",), False, 2)]
    lines = [line.strip("| ").split(" | ") for line in table(searches).splitlines()[2:]]
    assert dict(lines) == {
        "killed while writing: file": "2",
        "killed while writing: journal": "1",
        "kills": "3",
        "searches": "2",
        "ended as the search that was not killed": "1",
        "folds trained twice": "2",
    }
