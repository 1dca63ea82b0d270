import json
from pathlib import Path

import pytest

from gensynth.cli import main
from gensynth.cli.progress import line
from gensynth.execution import Progress
from gensynth.genome import Flatten, Genome, InputShape, Linear, save

TINY = (
    "constraint=nano_b",
    "constraint.bounds.accuracy.min=0.05",
    "constraint.bounds.macs.max=3e5",
    "data.subjects=40",
    "data.frames=1",
    "folds.count=4",
    "fidelity.rungs=[{folds: 1, epochs: 1}]",
    "budget.candidates=2",
    "confirm.finalists=1",
    "confirm.epochs=1",
    "name=tiny",
)


def status(*arguments: str) -> object:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught.value.code


@pytest.mark.parametrize(
    ("command", "override", "said"),
    [
        (("search",), "constraint=nano_z", "nano_z"),
        (("search",), "budgets.minutes=3", "budgets"),
        (("search",), "constraint.bounds.params.max=10", "no network of the space can meet 10"),
        (("search",), "data.subjects=2", "use more subjects"),
        (("evaluate", "emotionnet_nano_b"), "data.size=32", "prototype.input=[1,32,32]"),
        (("evaluate", "micro_expnet"), "prototype.input=[1,48,48]", "prototype.classes=7"),
        (("evaluate", "no_such_network"), "seed=1", "no such network"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: tuple[str, ...],
    override: str,
    said: str,
):
    monkeypatch.chdir(tmp_path)
    assert status(*command, override) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""
    assert not (tmp_path / "runs").exists()


def test_a_fold_that_does_not_exist_is_a_mistake(capsys: pytest.CaptureFixture[str]):
    assert status("evaluate", "emotionnet_nano_b", "--fold", "10") == 2
    assert "there is no fold 10; use 0 to 9" in capsys.readouterr().err


def test_a_network_beyond_the_limits_is_a_mistake_before_ray_starts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    """It reads the images and names the classes, but has 115 million parameters."""
    big = Genome(
        name="big",
        input=InputShape(channels=1, height=48, width=48),
        nodes=(
            Flatten(id="f", inputs=("input",)),
            Linear(id="l", inputs=("f",), out_features=50_000),
            Linear(id="c", inputs=("l",), out_features=7),
        ),
        outputs={"logits": "c"},
    )
    save(big, tmp_path / "big.json")
    assert status("evaluate", str(tmp_path / "big.json")) == 2
    shown = capsys.readouterr().err
    assert "big: params 115,600,007 exceed the limit of 100,000,000" in shown
    assert shown.count("\n") == 1


def test_a_seed_that_no_training_takes_is_a_mistake(capsys: pytest.CaptureFixture[str]):
    assert status("evaluate", "emotionnet_nano_b", "--seed", str(2**63 - 1)) == 2
    shown = capsys.readouterr().err
    assert f"use 0 to {2**63 - 11}" in shown
    assert shown.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["micro_expnet", "affect_alexnet"])
def test_the_remedy_for_a_prototype_that_does_not_fit_holds(
    capsys: pytest.CaptureFixture[str], name: str
):
    once = ("--fold", "1", "--seeds", "1", "--epochs", "1")
    arguments = ("evaluate", name, "--json", *once, "workers=1", *TINY)
    assert status(*arguments) == 2
    refused = capsys.readouterr().err
    remedy = [word.rstrip(",") for word in refused.split() if word.startswith("prototype.")]
    assert [key.partition("=")[0] for key in remedy] == ["prototype.input", "prototype.classes"]
    assert status(*arguments, *remedy) == 0
    assert json.loads(capsys.readouterr().out)["name"] == name


def test_an_evaluation_has_no_best_so_far():
    shown = line(Progress(stage="evaluate", done=1, total=10))
    assert "folds 1/10" in shown
    assert "best" not in shown
    assert "best so far" in line(Progress(stage="search"))


def test_when_time_is_up_what_was_begun_is_finished_and_said_so():
    assert "1:30 left" in line(Progress(stage="search", seconds_left=90))
    assert "finishing what was begun" in line(Progress(stage="search", seconds_left=0))
    assert "finishing" not in line(Progress(stage="done", seconds_left=0))


@pytest.mark.slow
def test_search_prints_one_json_object_and_writes_the_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.chdir(tmp_path)
    assert status("search", "--json", *TINY) == 0
    results = json.loads(capsys.readouterr().out)
    assert results["format"] == "gensynth.results"
    assert results["command"].startswith("gensynth search")
    assert (tmp_path / "runs" / "tiny" / "report.html").exists()
    genome = tmp_path / "runs" / "tiny" / results["networks"][0]["genome"]
    once = ("--fold", "1", "--seeds", "1", "--epochs", "1")
    assert status("evaluate", "--json", *once, str(genome), *TINY) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["hash"] == results["networks"][0]["hash"]
    assert [one["fold"] for one in figures["folds"]] == [1]
