"""A regression from φ to the exported network: searched, raced, confirmed, reported, evaluated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from optuna.trial import TrialState

from gensynth import genome as genomes
from gensynth.cli import main
from gensynth.config import load
from gensynth.errors import UserError
from gensynth.execution.journal import read
from gensynth.experiment import Experiment
from gensynth.export import Run
from gensynth.report import write_front
from gensynth.search import prepare
from gensynth.space import decode

TINY = (
    "experiment=pose",
    "constraint.bounds.mae_pose.max=20",
    "constraint.bounds.macs.max=6e5",
    "data.subjects=40",
    "folds.count=4",
    "fidelity.rungs=[{folds: 1, epochs: 1}, {folds: 2, epochs: 2}]",
    "budget={candidates: 4, minutes: null}",
    "confirm={finalists: 1, seeds: 2, epochs: 1}",
    "seed=0",
    "workers=1",
    "name=pose",
)


def status(*arguments: str) -> object:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught.value.code


def test_the_shipped_experiment_can_be_prepared():
    setting = prepare(load(Experiment, ["experiment=pose"]))
    assert setting.dataset.task.size == 3
    start = decode(setting.space, setting.space.start)
    assert start.shapes[start.outputs["logits"]] == (3,)
    assert setting.experiment.searched.bounds["mae_pose"].max == pytest.approx(3.6)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["task=pose", "constraint=pose"], "augmentation.flip: changes pose"),
        (["experiment=pose", "training.apart=true"], "training.apart"),
        (["experiment=pose", "constraint=nano_b"], "bounds.accuracy: unknown metric"),
        (["experiment=pose", "task.kind=guess"], "unknown kind 'guess'"),
        (["experiment=pose", "task.numbers=[yaw,joy]"], "does not know joy"),
    ],
)
def test_what_does_not_fit_a_regression_is_one_line(overrides: list[str], said: str):
    with pytest.raises(UserError) as caught:
        prepare(load(Experiment, overrides))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_regression_goes_the_whole_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    assert status("search", *TINY, "--json") == 0
    results = json.loads(capsys.readouterr().out)
    assert results["task"]["kind"] == "regression"
    run = Run(tmp_path / "runs" / "pose")
    assert run.study.metric_names == ["mae_pose", "params", "macs"]
    told = [trial for trial in run.study.trials if trial.state == TrialState.COMPLETE]
    assert told
    assert all(trial.values[0] == trial.user_attrs["metrics"]["mae_pose"] for trial in told)
    for entry in read(run.path / "journal.jsonl"):
        assert all(len(said) == 3 for said in entry.predictions)
        assert entry.scores == {}
    (network,) = [one for one in results["networks"] if one["confirmed"]]
    confirmed = network["confirmed"]
    low, high = confirmed["interval"]
    assert low < confirmed["mae_pose"] < high
    assert len(confirmed["per_seed"]) == 2
    assert confirmed["unseen"]["folds"] == [2, 3]
    assert network["violations"]["mae_pose.max"] == pytest.approx(confirmed["mae_pose"] / 20 - 1)
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert "mean absolute error of pose" in page
    assert "°" in page
    assert "accuracy" not in page
    write_front(run, tmp_path / "front.svg")

    assert status("export", str(run.path), "--format", "genome", "-o", "network.json") == 0
    genome = genomes.load(tmp_path / "network.json")
    assert '"numbers": ["yaw", "pitch", "roll"]' in json.dumps(genome.provenance)
    evaluate = ("evaluate", str(run.path), "--seeds=1", "--epochs=1", "workers=1", "-o", "kept")
    assert status(*evaluate) == 0
    said = capsys.readouterr().out
    assert "by resampling people" in said
    assert "roll" in said
    assert (tmp_path / "kept" / "evaluation.svg").is_file()
    assert status(*evaluate) == 0  # everything is kept, nothing is trained again
