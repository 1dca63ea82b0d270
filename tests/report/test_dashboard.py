import http.client
import io
import json
import shutil
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna_dashboard
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.study import StudyDirection
from optuna.study._multi_objective import _get_pareto_front_trials_by_trials
from optuna.trial import FrozenTrial, TrialState, create_trial
from PIL import Image

from gensynth import genome as genomes
from gensynth.errors import UserError
from gensynth.export import Run
from gensynth.report.dashboard import feasible_front, illustrate, make_server
from gensynth.seams import optuna as private
from gensynth.search.outcome import front, objectives_of
from gensynth.search.study import outcome_of
from gensynth.task import Classification
from tests.fake_run import make_run

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    found = Run(make_run(tmp_path_factory.mktemp("runs") / "tiny-run"))
    illustrate(found)
    return found


@pytest.fixture(scope="module")
def address(run: Run) -> Iterator[str]:
    with make_server(run, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def study(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{address}/api/studies/1?after=0") as answer:
        found = json.load(answer)
    assert isinstance(found, dict)
    return found


def test_best_trials_are_feasible_and_objectives_have_names(study: dict[str, Any]):
    assert [trial["number"] for trial in study["best_trials"]] == [1, 2, 3]
    assert study["objective_names"] == ["accuracy", "params", "macs"]


def test_every_trained_trial_has_a_note_with_its_genome_and_bounds(study: dict[str, Any]):
    for trial in study["trials"]:
        note = trial["note"]["body"]
        assert f"--trial {trial['number']}" in note
        assert "SYNTHETIC DATA" in note
        if trial["number"] == 5:
            assert "stopped early" in note
            continue
        code = note.partition("```json\n")[2].partition("\n```")[0]
        values = dict(zip(("accuracy", "params"), trial["values"], strict=False))
        assert genomes.loads(code).hash == dict_of(trial["user_attrs"])["genome"]
        assert f"| accuracy | {values['accuracy']:.4f} |" in note
        assert ("violated" in note) == (trial["number"] in (0, 4))
        assert ("in the search only" in note) == (trial["number"] in (1, 2, 3))


def dict_of(attributes: list[dict[str, str]]) -> dict[str, str]:
    return {one["key"]: one["value"] for one in attributes}


def test_drawings_are_served_as_the_notes_link_them(address: str, study: dict[str, Any]):
    for trial in study["trials"][:5]:
        path = trial["note"]["body"].partition("![drawing of the network](")[2].partition(")")[0]
        assert path.endswith(trial["artifacts"][0]["artifact_id"])
        assert trial["artifacts"][0]["mimetype"] == "image/png"
        with urllib.request.urlopen(address + path) as answer:
            assert Image.open(io.BytesIO(answer.read())).format == "PNG"


def test_the_study_has_a_note_and_a_figure_of_the_feasible_front(study: dict[str, Any]):
    note = study["note"]["body"]
    assert "SYNTHETIC DATA" in note
    assert "accuracy ≥ 0.8000, params ≤ 2,000" in note
    assert "Feasible front: 3 networks" in note
    assert "/dashboard/studies/1/trials?numbers=1" in note
    assert "80.5 % [76.5, 83.5]" in note
    figures = [json.loads(one["graph_object"]) for one in study["plotly_graph_objects"]]
    names = [trace["name"] for trace in figures[0]["data"]]
    assert "satisfied in the search only" in names
    assert "violates the constraint" in names
    assert len(figures[0]["layout"]["shapes"]) == 2


def test_illustrating_again_adds_nothing_and_keeps_what_a_person_wrote(tmp_path: Path):
    run = Run(make_run(tmp_path / "run"))
    assert illustrate(run) == 6
    study = run.study
    store = sorted(path.name for path in (run.path / "artifacts").iterdir())
    trial = study.trials[2]
    key = f"dashboard:{trial._trial_id}:note_str:0"
    study._storage.set_study_system_attr(study._study_id, key, "mine")
    before = study._storage.get_study_system_attrs(study._study_id)
    assert illustrate(Run(run.path)) == 0
    assert study._storage.get_study_system_attrs(study._study_id) == before
    assert sorted(path.name for path in (run.path / "artifacts").iterdir()) == store


def test_the_study_note_follows_the_run(tmp_path: Path):
    folder = make_run(tmp_path / "run")
    results = (folder / "results.json").read_text()
    (folder / "results.json").unlink()
    illustrate(Run(folder))
    assert "Trained to the end" not in optuna_dashboard.get_note(Run(folder).study)
    (folder / "results.json").write_text(results)
    illustrate(Run(folder))
    assert "Trained to the end 5" in optuna_dashboard.get_note(Run(folder).study)


def test_the_study_note_says_what_the_margin_asks(run: Run, tmp_path: Path):
    asked = Run(make_run(tmp_path / "run", config={"fidelity": {"margin": 0.02}}))
    illustrate(asked)
    least = run.constraint.bounds["accuracy"].min
    assert least is not None
    note = optuna_dashboard.get_note(asked.study)
    (line,) = [line for line in note.splitlines() if line.startswith("Candidates are asked for")]
    assert f"{least + 0.02:g}" in line
    assert "Candidates are asked for" not in optuna_dashboard.get_note(run.study)


def test_a_port_in_use_is_one_line(run: Run):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=f"cannot listen on 127.0.0.1:{port}.*--port"):
            make_server(run, port=port)


def told(number: int, values: tuple[float, float], violation: float, finished: bool) -> FrozenTrial:
    trial = create_trial(
        state=TrialState.COMPLETE if finished else TrialState.PRUNED,
        values=values if finished else None,
        system_attrs={"constraints": [violation, -1.0]},
    )
    trial.number = number
    return trial


@given(
    st.lists(
        st.tuples(
            st.tuples(st.sampled_from([1.0, 2.0, 3.0]), st.sampled_from([1.0, 2.0, 3.0])),
            st.sampled_from([-0.5, 0.0, 0.5]),
            st.booleans(),
        ),
        max_size=10,
    )
)
def test_feasible_front_is_optunas_own(rows):
    trials = [told(number, *row) for number, row in enumerate(rows)]
    directions = [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE]
    found = [trial.number for trial in feasible_front(trials, directions)]
    wanted = _get_pareto_front_trials_by_trials(trials, directions, consider_constraint=True)
    assert found == sorted(trial.number for trial in wanted)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.5, 0.6]),
            st.sampled_from([100.0, 200.0]),
            st.sampled_from([1e6, 2e6]),
            st.booleans(),
        ),
        max_size=8,
    )
)
def test_the_dashboard_and_the_results_have_one_front(rows):
    """Also where several networks have equal objectives."""
    trials = []
    for number, (accuracy, params, macs, feasible) in enumerate(rows):
        trial = create_trial(
            state=TrialState.COMPLETE,
            values=[accuracy, params, macs],
            system_attrs={"constraints": [-0.1 if feasible else 0.1]},
            user_attrs={
                "genome": str(number),
                "metrics": {"accuracy": accuracy, "params": params, "macs": macs},
                "feasible": feasible,
            },
        )
        trial.number = number
        trials.append(trial)
    directions = [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE, StudyDirection.MINIMIZE]
    shown = {trial.number for trial in feasible_front(trials, directions)}
    outcomes = [outcome for trial in trials if (outcome := outcome_of(trial)) is not None]
    assert shown == {outcome.trial for outcome in front(outcomes, objectives_of(Classification()))}


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
def test_a_browser_shows_drawing_note_and_feasible_best_trials(address: str, tmp_path: Path):
    page = browsed(f"{address}/dashboard/studies/1/trials?numbers=2", tmp_path)
    assert 'alt="drawing of the network"' in page
    assert "satisfied in the search only" in page
    assert page.count("Best Trial<") >= 3
    page = browsed(f"{address}/dashboard/studies/1", tmp_path)
    assert "Front of tiny-run (SYNTHETIC faces)" in page
    listed = page.partition("Best Trials")[2]
    assert [number for number in range(5) if f"Trial {number}</" in listed] == [1, 2, 3]


def browsed(url: str, folder: Path) -> str:
    """What a real browser makes of a page, as HTML."""
    assert CHROMIUM is not None
    switches = (
        "headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking "
        "disable-component-update disable-sync dump-dom virtual-time-budget=20000 "
        f"window-size=1500,2400 user-data-dir={folder / 'profile'}"
    )
    command = [CHROMIUM, *(f"--{switch}" for switch in switches.split()), url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory):
    """A dashboard's port, and its run."""
    run = Run(make_run(tmp_path_factory.mktemp("guarded") / "run"))
    illustrate(run)
    with make_server(run, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, run
        server.shutdown()


def asked(port: int, method: str, path: str, host: str) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(method, path, headers={"Host": host})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("LOCALHOST", 200),
        ("[::1]", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("", 403),
    ],
)
def test_a_page_of_a_stranger_cannot_ask_by_a_name_of_its_own(guarded, host: str, status: int):
    port, _ = guarded
    named = f"{host}:{port}" if host else ""
    assert asked(port, "GET", "/api/studies", named)[0] == status


@pytest.mark.parametrize("method", ["DELETE", "POST", "PUT"])
def test_the_dashboard_changes_nothing(guarded, method: str):
    port, run = guarded
    assert asked(port, method, "/api/studies/1", f"localhost:{port}")[0] == 405
    assert len(Run(run.path).study.trials) == 6


def test_what_is_attached_to_a_trial_is_nothing_that_a_browser_runs(guarded):
    port, run = guarded
    (name, *_) = (path.name for path in (run.path / "artifacts").iterdir())
    trial = next(
        trial._trial_id
        for trial in run.study.trials
        if f"dashboard:artifacts:{trial._trial_id}:{name}" in private.notes_of(run.study)
    )
    status, headers = asked(port, "GET", f"/artifacts/1/{trial}/{name}", f"localhost:{port}")
    assert status == 200
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("sandbox")
    assert headers["cross-origin-resource-policy"] == "same-origin"
