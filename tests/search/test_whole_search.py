"""Whole searches by Ray Tune: what they leave, and what survives a crash."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import ray
import yaml

from gensynth import genome as genomes
from gensynth.config import load
from gensynth.evaluation import evaluate_network
from gensynth.evaluation.disclosure import disclosures
from gensynth.execution import Progress
from gensynth.execution.journal import read
from gensynth.experiment import Experiment
from gensynth.generator import Generator
from gensynth.search import Setting, search
from gensynth.training import train_fold
from tests.small_search import SMALL, drive, words

GENSYNTH = (sys.executable, "-m", "gensynth")


class Memory:
    """Remembers what it was shown."""

    def __init__(self) -> None:
        self.lines: tuple[str, ...] = ()
        self.shown: list[Progress] = []

    def banner(self, lines: tuple[str, ...]) -> None:
        self.lines = lines

    def update(self, progress: Progress) -> None:
        self.shown.append(progress)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):
    """A whole small search by Ray Tune with two workers, and what was shown of it."""
    runs = tmp_path_factory.mktemp("runs")
    memory = Memory()
    experiment = load(Experiment, [*SMALL, f"runs={runs}", "workers=2"])
    with tempfile.TemporaryDirectory() as own, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", own)
        patch.setattr(tempfile, "tempdir", own)
        results = search(experiment, watcher=memory)
        left = os.listdir(own)
    return experiment, results, memory, left


def test_a_run_directory_has_everything_and_nothing_is_left_elsewhere(run):
    experiment, results, _, left = run
    folder = Path(results["run"])
    assert folder == Path(experiment.runs) / "small"
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "config.yaml",
        "study.db",
        "journal.jsonl",
        "generators",
        "genomes",
        "results.json",
    }
    assert not [name for name in left if name.startswith(("gs-", "gensynth-", "ray"))]
    assert not ray.is_initialized()
    assert yaml.safe_load((folder / "config.yaml").read_text())["name"] == "small"
    written = json.loads((folder / "results.json").read_text())
    assert written == {name: value for name, value in results.items() if name != "run"}
    for name in written["generators"]:
        assert Generator.load(folder / name).static_feasible is not None
    listed = json.loads((folder / "generators" / "pareto.json").read_text())
    members = [member["file"] for member in listed["family"]]
    assert listed["pareto"]
    assert members
    assert all(f"generators/{name}" in written["generators"] for name in listed["pareto"] + members)


def test_networks_of_the_front_can_be_read_back(run, setting: Setting):
    _, results, _, _ = run
    assert results["synthetic"] is True
    assert results["networks"]
    for network in results["networks"]:
        genome = genomes.load(Path(results["run"]) / network["genome"])
        assert genome.hash == network["hash"]
        assert genome.provenance["trial"] == network["trial"]
        chosen, _ = disclosures(genome, setting.recipe, setting.dataset, setting.experiment.folds)
        assert chosen.seen == tuple(range(setting.experiment.fidelity.rungs[-1].folds))
    assert results["recipe"] == "The recipe names no image of synthetic that chose its values."
    confirmed = [network["confirmed"] for network in results["networks"] if network["confirmed"]]
    assert len(confirmed) == 1
    low, high = confirmed[0]["interval"]
    assert low <= confirmed[0]["accuracy"] <= high
    assert confirmed[0]["images"] == len(setting.dataset)
    seen = setting.experiment.fidelity.rungs[-1].folds
    assert confirmed[0]["unseen"]["folds"] == list(range(seen, len(setting.folds)))
    tested = sum(len(fold.test) for fold in setting.folds[seen:])
    assert confirmed[0]["unseen"]["images"] == tested


def test_every_fold_can_be_trained_again_to_the_bit(run, setting: Setting):
    """Whatever worker trained it, and whatever it had trained before."""
    _, results, _, _ = run
    folder = Path(results["run"])
    networks = {one["hash"]: genomes.load(folder / one["genome"]) for one in results["networks"]}
    entries = [entry for entry in read(folder / "journal.jsonl") if entry.genome in networks]
    assert len(entries) >= 5
    for entry in entries:
        result = train_fold(
            networks[entry.genome],
            setting.dataset,
            setting.folds[entry.fold],
            epochs=entry.epochs,
            seed=entry.seed,
            recipe=setting.recipe,
        )
        assert (result.predictions, result.loss) == (entry.predictions, entry.loss)


def test_seconds_add_up(run):
    _, results, _, _ = run
    seconds = results["seconds"]
    journal = read(Path(results["run"]) / "journal.jsonl")
    training = seconds["search_training"] + seconds["confirm_training"]
    assert training == pytest.approx(sum(entry.seconds for entry in journal), abs=0.01)
    starts = seconds["pretraining"]
    assert starts == pytest.approx(sum(entry.pretraining for entry in journal), abs=0.01)
    rest = (seconds["total"] - seconds["setup"]) * seconds["workers"]
    assert seconds["overhead"] == pytest.approx(rest - training - starts, abs=0.05)


def test_the_watcher_sees_the_run(run):
    _, results, memory, _ = run
    assert "synthetic" in " ".join(memory.lines)
    last = memory.shown[-1]
    assert last.stage == "done"
    assert (last.trained, last.stopped) == (
        results["counts"]["trained"],
        results["counts"]["stopped"],
    )
    assert last.trained + last.stopped == 4
    assert last.confirmed == 1
    assert last.best is not None
    assert sum(last.refused.values()) > 0


def test_a_finished_run_is_only_reported_again(run):
    experiment, results, _, _ = run
    journal = (Path(results["run"]) / "journal.jsonl").read_bytes()
    started = time.monotonic()
    again = search(experiment)
    assert time.monotonic() - started < 30
    assert again["networks"] == results["networks"]
    assert again["counts"] == results["counts"]
    assert (Path(results["run"]) / "journal.jsonl").read_bytes() == journal


@pytest.mark.slow
def test_a_larger_budget_goes_on(run):
    experiment, results, _, _ = run
    larger = experiment.model_copy(
        update={"budget": experiment.budget.model_copy(update={"candidates": 6})}
    )
    again = search(larger)
    assert again["counts"]["trained"] + again["counts"]["stopped"] == 6
    before = {one["trial"] for one in results["networks"] if one["confirmed"]}
    assert before <= {one["trial"] for one in again["networks"] if one["confirmed"]}


@pytest.mark.slow
def test_evaluation_reproduces_the_confirmation(run):
    experiment, results, _, _ = run
    folder = Path(results["run"])
    (network,) = [one for one in results["networks"] if one["confirmed"]]
    genome = genomes.load(folder / network["genome"])
    whole = evaluate_network(genome, experiment, seed=network["confirmed"]["seeds"][0])
    assert whole["accuracy"] == network["confirmed"]["accuracy"]
    entries = read(folder / "journal.jsonl")
    confirmed = [one for one in entries if one.phase == "confirm" and one.genome == genome.hash]
    told = {one["fold"]: tuple(one["predictions"]) for one in whole["folds"]}
    assert told == {entry.fold: entry.predictions for entry in confirmed}


def trained(results: dict[str, object]) -> list[dict[str, object]]:
    """What a run's journal says of each fold, without times."""
    lines = (Path(str(results["run"])) / "journal.jsonl").read_text().splitlines()
    return [{**json.loads(line), "seconds": 0, "pretraining": 0} for line in lines]


@pytest.mark.slow
def test_a_worker_a_process_without_ray_and_two_workers_train_the_same(run, small, training):
    first = trained(search(small("workers=1", "name=worker")))
    training(lambda dispatcher, material, *ignored, **also: drive(dispatcher, material))
    assert trained(search(small("workers=1", "name=process"))) == first
    known = {(e["genome"], e["fold"], e["epochs"], e["seed"]): e["predictions"] for e in first}
    both = trained(run[1])
    shared = [(e["genome"], e["fold"], e["epochs"], e["seed"]) for e in both]
    assert set(shared) & set(known)
    for entry, key in zip(both, shared, strict=True):
        assert known.get(key, entry["predictions"]) == entry["predictions"]


def started(experiment: Experiment, *overrides: str) -> tuple[subprocess.Popen[bytes], Path]:
    """A search in a process group of its own, after its first folds."""
    folder = Path(experiment.runs) / experiment.label
    process = subprocess.Popen(
        [*GENSYNTH, "search", *words(experiment, overrides)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    journal = folder / "journal.jsonl"
    deadline = time.monotonic() + 300
    while not journal.exists() or len(journal.read_bytes().splitlines()) < 3:
        assert process.poll() is None, process.communicate()[1].decode()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return process, folder


def descendants(root: int) -> list[tuple[int, str]]:
    """Process id and title of everything that a process has started."""
    command = ["ps", "-eo", "pid=,ppid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    found, family = [], {root}
    for _ in rows:
        new = [row for row in rows if int(row[1]) in family and int(row[0]) not in family]
        found += [(int(row[0]), row[2]) for row in new]
        family |= {int(row[0]) for row in new}
    return found


@pytest.mark.slow
def test_after_kill_9_the_same_command_goes_on(small):
    experiment = small("budget.candidates=8")
    process, folder = started(experiment, "budget.candidates=8")
    process.kill()
    process.wait()
    before = (folder / "journal.jsonl").read_text().splitlines()
    results = search(experiment)
    after = (folder / "journal.jsonl").read_text().splitlines()
    assert after[: len(before) - 1] == before[:-1]
    entries = read(folder / "journal.jsonl")
    assert len({(entry.genome, entry.unit) for entry in entries}) == len(entries)
    assert results["counts"]["trained"] + results["counts"]["stopped"] == 8


@pytest.mark.slow
def test_ctrl_c_keeps_everything_and_exits_with_130(small):
    experiment = small("budget.candidates=50")
    process, folder = started(experiment, "budget.candidates=50")
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=240)
    assert process.returncode == 130, error.decode()
    assert "go on with: gensynth search" in error.decode()
    assert "Traceback" not in error.decode()
    assert len(read(folder / "journal.jsonl")) >= 3


def training_now(root: int) -> list[int]:
    """Process ids of the workers that are training at this moment, between which may be pauses."""
    return [pid for pid, title in descendants(root) if ".train" in title]


@pytest.mark.slow
def test_a_killed_worker_costs_its_fold_only(small):
    experiment = small("budget.candidates=6", "workers=1")
    process, folder = started(experiment, "budget.candidates=6", "workers=1")
    deadline = time.monotonic() + 120
    while not (killed := training_now(process.pid)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert len(killed) == 1
    _, error = process.communicate(timeout=240)
    assert process.returncode == 0, error.decode()
    assert "The actor died" in error.decode()
    entries = read(folder / "journal.jsonl")
    assert len({(entry.genome, entry.unit) for entry in entries}) == len(entries)
    counts = json.loads((folder / "results.json").read_text())["counts"]
    assert counts["trained"] + counts["stopped"] == 6
