"""A network has one verdict, whoever is asked."""

from __future__ import annotations

import json
import threading
import urllib.request
from pathlib import Path

import pytest

from gensynth.cli.found import print_results
from gensynth.cli.progress import line
from gensynth.execution.progress import Best, Progress
from gensynth.export import Run
from gensynth.report import write_report
from gensynth.report.dashboard import illustrate, make_server
from gensynth.report.front import draw_front, front_of
from gensynth.seams import dashboard as seam
from gensynth.seams import optuna as private
from gensynth.search.results import FoundNetwork
from gensynth.search.study import outcomes_of
from gensynth.search.verdict import Verdict
from tests.cli.test_networks import called
from tests.fake_run import JUDGED, make_run
from tests.report.test_front import words

Captured = pytest.CaptureFixture[str]
REFUTED = next(trial for trial, verdict in JUDGED.items() if verdict == "refuted")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(make_run(tmp_path_factory.mktemp("judged") / "run", judged=True))


def test_study_and_results_agree_on_every_network(run: Run):
    by_study = {outcome.trial: outcome.verdict for outcome in outcomes_of(run.study)}
    for network in run.results.networks:
        assert network.verdict == by_study[network.trial]
    written = json.loads(run.results.model_dump_json())["networks"]
    assert {one["trial"]: one["verdict"] for one in written}[REFUTED] == "refuted"


def test_a_refuted_network_is_refuted_on_the_terminal(run: Run, capsys: Captured):
    print_results(run.results)
    lines = capsys.readouterr().out.splitlines()
    (row,) = [line for line in lines if line.split()[:1] == [str(REFUTED)]]
    assert "refuted after 4 folds" in row


def test_a_refuted_network_is_refuted_in_the_report_and_the_figure(run: Run):
    page = write_report(run, None).read_text(encoding="utf-8")
    assert "refuted by accuracy.min after 4 folds" in page
    assert "refuted when confirmed (1)" in words(draw_front(front_of(run), "svg"))


def test_a_refuted_network_is_not_among_the_best_of_the_dashboard(run: Run):
    illustrate(run)
    with make_server(run, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/api/studies/1"
        with urllib.request.urlopen(address) as answer:
            shown = json.load(answer)
        server.shutdown()
    assert {trial["number"] for trial in shown["best_trials"]} == set(JUDGED) - {REFUTED}
    notes = {trial["number"]: trial["note"]["body"] for trial in shown["trials"]}
    assert notes[REFUTED].startswith(f"## Trial {REFUTED}: refuted when confirmed")
    assert f"[{REFUTED}](" not in shown["note"]["body"]


def test_the_note_of_a_trial_follows_its_confirmation(tmp_path: Path):
    run = Run(make_run(tmp_path / "run"))
    illustrate(run)
    run.study.set_user_attr("verdicts", {"3": "refuted"})
    later = Run(run.path)
    illustrate(later)
    note = seam.note(private.notes_of(later.study), later.study.trials[3])
    assert note.startswith("## Trial 3: refuted when confirmed\n")
    assert note.count("## Trial") == 1


def test_exporting_a_refuted_network_warns(run: Run, capsys: Captured, tmp_path: Path):
    target = tmp_path / "net.json"
    assert called("export", run.path, "--trial", str(REFUTED), "-o", target) == 0
    assert "refuted when confirmed" in capsys.readouterr().err
    assert called("export", run.path, "--trial", "2", "-o", target) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("known", "verdict"),
    [
        ({"confirmed": {"accuracy": 0.9, "images": 9}, "feasible": True}, "confirmed"),
        ({"confirmed": {"accuracy": 0.9, "images": 9}, "feasible": False}, "refuted"),
        ({"refuted": {"bound": "accuracy.min", "folds": 3}, "feasible": False}, "refuted"),
        ({"refuted": {"bound": "diverged", "folds": 1}, "feasible": False}, "diverged"),
        ({"feasible": True}, "searched"),
        ({"feasible": False}, "violated"),
    ],
)
def test_the_strongest_evidence_decides(known, verdict: str):
    costs = dict.fromkeys(("params", "macs", "peak_memory", "model_bytes", "trial"), 1)
    network = FoundNetwork.model_validate({"genome": "x", "hash": "y", **costs, **known})
    assert network.verdict is Verdict(verdict)
    assert network.verdict.satisfied == known["feasible"]


def test_the_last_line_says_what_is_known_of_the_best():
    best = Best(3, {"params": 9, "macs": 9}, 1.0, "refuted when confirmed", "accuracy 9 %")
    assert line(Progress(stage="done", best=best)).endswith("(refuted when confirmed)")
