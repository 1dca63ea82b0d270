"""What a refactoring may not change."""

from pathlib import Path

import pytest

from tests import golden


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder: Path = tmp_path_factory.mktemp("golden")
    return golden.observe(folder)


@pytest.mark.slow
def test_the_search_takes_the_recorded_decisions_and_builds_the_recorded_networks(observed):
    record = golden.load()
    for part in ("decisions", "genomes"):
        assert observed[part][: golden.UNTOLD] == record[part][: golden.UNTOLD]


@pytest.mark.slow
@pytest.mark.parametrize("part", ["decisions", "genomes", *golden.EXACT])
def test_on_the_recorded_processor_everything_is_the_same_to_the_bit(observed, part: str):
    record = golden.load()
    if observed["processor"] != record["processor"]:
        pytest.skip("the record was made on another kind of processor")
    assert observed[part] == record[part]
