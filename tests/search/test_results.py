import json
from pathlib import Path

import pytest

from gensynth.errors import UserError
from gensynth.search.results import load_results
from tests.fake_run import make_run


def test_a_file_of_version_1_is_read_and_written_as_it_is(tmp_path: Path):
    path = make_run(tmp_path / "run") / "results.json"
    written = json.loads(path.read_text())
    again = load_results(path).model_dump(mode="json")
    assert {name: again[name] for name in written if name != "networks"} == {
        name: value for name, value in written.items() if name != "networks"
    }
    for known, network in zip(written["networks"], again["networks"], strict=True):
        assert "refuted" not in network
        assert {name: network[name] for name in known if name != "confirmed"} == {
            name: value for name, value in known.items() if name != "confirmed"
        }
        if known["confirmed"] is not None:
            assert network["confirmed"] == {"epochs": None, **known["confirmed"]}


def test_what_a_later_version_adds_is_passed_over(tmp_path: Path):
    path = make_run(tmp_path / "run") / "results.json"
    written = json.loads(path.read_text())
    path.write_text(json.dumps({**written, "weather": "fine"}))
    assert load_results(path).name == "run"
    path.write_text(json.dumps({**written, "version": 2}))
    with pytest.raises(UserError, match="version"):
        load_results(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not JSON"),
        ("[]", "results.json"),
        ('{"format": "something.else"}', "format"),
    ],
)
def test_what_is_no_results_file_is_refused_in_one_line(tmp_path: Path, text: str, problem: str):
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(UserError, match=problem) as caught:
        load_results(path)
    assert "\n" not in str(caught.value)
