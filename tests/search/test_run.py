import errno
import json
import os
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
import sqlalchemy
import yaml

from gensynth.errors import UserError
from gensynth.execution import Entry, Journal, Progress
from gensynth.execution.jobs import Dispatcher, EverythingFails
from gensynth.execution.journal import read
from gensynth.export import Run
from gensynth.search import search
from gensynth.search.results import load_results
from gensynth.search.study import SearchStudy, outcomes_of, sqlite_url
from gensynth.search.verdict import Verdict
from gensynth.training import FoldResult
from tests.small_search import drive, guess, write_official


class Memory:
    """Remembers what it was shown."""

    def __init__(self) -> None:
        self.lines: tuple[str, ...] = ()
        self.shown: list[Progress] = []

    def banner(self, lines: tuple[str, ...]) -> None:
        self.lines = lines

    def update(self, progress: Progress) -> None:
        self.shown.append(progress)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_search_that_could_not_start_does_not_block_the_corrected_one(
    small, training, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, elsewhere: bool
):
    """Either bound can be met, both together cannot. Nothing is shown before the error."""
    monkeypatch.setattr("gensynth.search.candidates.MAX_REFUSALS", 5)
    training()
    url = sqlite_url(tmp_path / "elsewhere.db")
    given = ["sampler=random", f"storage={url if elsewhere else 'null'}"]
    tight = ["constraint.bounds.macs={max: 30000}", "constraint.bounds.params={min: 100000}"]
    memory = Memory()
    impossible = small(*given, *tight)
    with pytest.raises(UserError, match=r"^constraint nano_b: bounds\.(macs\.max|params\.min): "):
        search(impossible, watcher=memory)
    assert (memory.lines, memory.shown) == ((), [])
    assert not (Path(impossible.runs) / "small").exists()
    search(small(*given, "constraint.bounds.macs={max: 1e9}"), watcher=memory)
    assert memory.lines
    assert memory.shown


def test_books_that_cannot_be_closed_are_not_passed_over(
    small, training, monkeypatch: pytest.MonkeyPatch
):
    def full(study: SearchStudy, trial: optuna.Trial) -> None:
        raise OSError("no space left")

    training()
    monkeypatch.setattr(SearchStudy, "abandon", full)
    with pytest.raises(UserError, match="no space left; everything trained is kept"):
        search(small())


def test_the_time_of_set_up_survives_a_crash(small, training):
    noted = []

    def crash(*ignored: object, **also: object) -> None:
        path = Path(small().runs) / "small" / "study.db"
        study = optuna.load_study(study_name="small", storage=sqlite_url(path))
        noted.append(study.user_attrs["session"])
        raise KeyboardInterrupt

    training(crash)
    with pytest.raises(KeyboardInterrupt):
        search(small())
    assert noted[0]["setup"] > 0
    training()
    first = noted[0]["setup"]
    assert search(small())["seconds"]["setup"] > first


def test_time_is_noted_as_it_goes_and_what_was_asked_stays_asked(
    small, training, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("gensynth.search.run.NOTED_EVERY", 0.1)
    path = Path(small().runs) / "small" / "study.db"
    noted = []

    def wait(dispatcher: Dispatcher, *ignored: object, **also: object) -> None:
        for _ in range(2):
            time.sleep(0.3)
            dispatcher.watch()
            study = optuna.load_study(study_name="small", storage=sqlite_url(path))
            noted.append(study.user_attrs["session"]["seconds"])

    training(wait)
    memory = Memory()
    search(small(), watcher=memory)
    assert noted[1] - noted[0] >= 0.3
    assert [progress.asked for progress in memory.shown] == [1, 1, 1]


def test_a_sampler_given_as_an_object_is_named_in_the_run(small, training):
    training()
    experiment = small("constraint.bounds.macs.max=1e12")
    results = search(experiment, sampler=optuna.samplers.RandomSampler(seed=0))
    config = yaml.safe_load((Path(results["run"]) / "config.yaml").read_text())
    assert config["sampler"] == "RandomSampler"
    with pytest.raises(UserError, match=r"sampler is .RandomSampler. in this run but .generative."):
        search(experiment)
    search(experiment, sampler=optuna.samplers.RandomSampler(seed=0))
    with pytest.raises(UserError, match=r"^warm_start=elsewhere: a sampler that is given"):
        search(small("warm_start=elsewhere"), sampler=optuna.samplers.RandomSampler())


def diverge(genome, dataset, fold, **options) -> FoldResult:
    """In the place of a training: one whose loss is no number."""
    return replace(guess(genome, dataset, fold, **options), loss=None)


def fail(genome, dataset, fold, **options) -> FoldResult:
    raise RuntimeError("no memory for 9 EiB")


def driven(train):
    return lambda dispatcher, material, *ignored, **also: drive(dispatcher, material, train=train)


@pytest.mark.parametrize("candidates", [2, 50])
def test_a_search_in_which_every_training_diverges_says_so_and_stops_early(
    small, training, candidates: int
):
    training(driven(diverge))
    experiment = small(f"budget.candidates={candidates}")
    with pytest.raises(EverythingFails, match=r"all \d candidates diverged; lower training"):
        search(experiment)
    folder = Path(experiment.runs) / "small"
    results = load_results(folder / "results.json")
    assert min(candidates, 6) <= results.counts.diverged <= min(candidates, 7)
    assert (results.counts.trained, results.networks) == (0, ())
    assert {one.verdict for one in outcomes_of(Run(folder).study)} == {Verdict.DIVERGED}


@pytest.mark.parametrize("candidates", [1, 2])
def test_a_search_in_which_everything_fails_says_why_however_few_it_asked_for(
    small, training, candidates: int
):
    training(driven(fail))
    with pytest.raises(EverythingFails, match=r"all \d candidates failed.*: no memory for 9 EiB"):
        search(small(f"budget.candidates={candidates}"))


def test_one_failure_among_others_is_no_matter(small, training):
    failed: list[str] = []

    def sometimes(genome, dataset, fold, **options) -> FoldResult:
        if genome.hash in failed[:1] or not failed:
            failed.append(genome.hash)
            raise RuntimeError("out of luck")
        return guess(genome, dataset, fold, **options)

    training(driven(sometimes))
    counts = search(small())["counts"]
    assert (counts["failed"], counts["trained"] + counts["stopped"]) == (1, 3)


def test_what_diverges_when_it_is_confirmed_is_never_feasible(small, training):
    """The whole results say so, and the study too."""

    def later(genome, dataset, fold, *, epochs, **options) -> FoldResult:
        wrong = fold.index == 3  # no fold of the search
        return (diverge if wrong else guess)(genome, dataset, fold, epochs=epochs, **options)

    training(driven(later))
    results = search(small("confirm.finalists=1"))
    judged = [one for one in results["networks"] if one["refuted"]]
    assert judged
    assert {one["verdict"] for one in judged} == {"diverged"}
    assert not any(one["confirmed"] or one["feasible"] for one in judged)
    by_study = {one.trial: one.verdict for one in outcomes_of(Run(results["run"]).study)}
    assert all(by_study[one["trial"]] is Verdict.DIVERGED for one in judged)


def test_an_unknown_sampler_is_one_line_and_leaves_nothing(small):
    experiment = small("sampler=magic")
    with pytest.raises(UserError, match=r"^sampler: unknown sampler 'magic'"):
        search(experiment)
    assert not (Path(experiment.runs) / "small").exists()


def test_an_official_split_chooses_by_one_part_and_confirms_on_the_other(
    small, training, tmp_path: Path
):
    training(lambda dispatcher, setting, *ignored, **also: drive(dispatcher, setting))
    experiment = small(*write_official(tmp_path), "constraint.bounds.accuracy.min=0")
    results = search(experiment)
    network = next(one for one in results["networks"] if one["confirmed"])
    assert network["search"]["images"] == 7
    assert network["confirmed"]["images"] == network["confirmed"]["unseen"]["images"] == 14
    assert network["confirmed"]["unseen"]["folds"] == [1]
    assert "does not say who is on its images" in results["recipe"]
    journal = read(Path(results["run"]) / "journal.jsonl")
    assert {(entry.phase, entry.result.fold) for entry in journal} == {
        ("search", 0),
        ("confirm", 1),
    }


def test_an_official_split_has_one_part_to_choose_by(small, tmp_path: Path):
    two = "fidelity.rungs=[{folds: 2, epochs: 1}]"
    with pytest.raises(UserError, match="an official split has one to choose by"):
        search(small(*write_official(tmp_path), two))


SECRET = "postgresql+psycopg://anna:hunter2@127.0.0.1:1/studies"


@pytest.mark.parametrize("url", [SECRET, "mysql://anna:hunter2@127.0.0.1:1/x", "odd://a:hunter2@x"])
def test_a_storage_that_does_not_answer_is_one_line_without_its_password(small, url: str):
    experiment = small(f"storage={url}")
    with pytest.raises(UserError, match=r"^storage: .*cannot open the study") as caught:
        search(experiment)
    assert "hunter2" not in str(caught.value)
    assert not (Path(experiment.runs) / "small").exists()


def test_a_relative_storage_is_one_file_whatever_folder_the_run_is_continued_in(
    small, training, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    training()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "a")
    results = search(small("storage=sqlite:///shared.db"))
    monkeypatch.chdir(tmp_path / "b")
    run = Run(results["run"])
    assert run.study.study_name == "small"
    assert not (tmp_path / "b" / "shared.db").exists()
    config = yaml.safe_load((run.path / "config.yaml").read_text())
    assert config["storage"] == f"sqlite:///{tmp_path / 'a' / 'shared.db'}"
    with pytest.raises(UserError, match=r"storage is .* in this run but .* now"):
        search(small("storage=sqlite:///shared.db"))


def test_a_run_whose_study_is_gone_is_not_begun_again_over_its_results(small, training):
    training(driven(guess))
    results = search(small())
    folder = Path(results["run"])
    before = (folder / "results.json").read_bytes()
    (folder / "study.db").unlink()
    with pytest.raises(UserError, match="holds nothing of this run, whose journal has"):
        search(small())
    assert (folder / "results.json").read_bytes() == before


@pytest.mark.parametrize("gone", ["sqlite:///gone.db", "journal:gone.jsonl"])
def test_reading_a_run_makes_no_database(small, training, tmp_path: Path, gone: str):
    training()
    folder = Path(search(small())["run"])
    config = yaml.safe_load((folder / "config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump({**config, "storage": gone}))
    with pytest.raises(UserError, match="cannot be read"):
        _ = Run(folder).study
    assert not Path("gone.db").exists()
    assert not Path("gone.jsonl").exists()


def test_a_journal_file_keeps_a_study(small, training, tmp_path: Path):
    training(driven(guess))
    url = f"journal:{tmp_path / 'optuna.jsonl'}"
    first = search(small(f"storage={url}"))
    assert first["counts"]["asked"] == 4
    again = search(small(f"storage={url}"))
    assert again["networks"] == first["networks"]
    assert len(Run(first["run"]).study.trials) == 4


def test_the_home_directory_may_be_written_as_people_write_it(
    small, training, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    training()
    monkeypatch.setenv("HOME", str(tmp_path))
    results = search(small("runs=~/searches"))
    assert Path(results["run"]) == tmp_path / "searches" / "small"


def test_asking_again_for_a_finished_run_leaves_it_as_it_is(small, training):
    training(driven(guess))
    first = search(small())
    files = [path for path in Path(first["run"]).rglob("*") if path.is_file()]
    kept = {path: path.read_bytes() for path in files if path.suffix == ".json"}
    assert search(small()) == first
    assert {path: path.read_bytes() for path in kept} == kept


@pytest.mark.parametrize("torn", ["generator-000.json", "generator-001.json"])
def test_a_damaged_generator_is_derived_again(small, training, torn: str):
    training(driven(guess))
    search(small("budget.candidates=4"))
    folder = Path(small().runs) / "small" / "generators"
    whole = (folder / torn).read_text()
    (folder / torn).write_text(whole[: len(whole) // 2])
    results = search(small("budget.candidates=6"))
    assert f"generators/{torn}" in results["generators"]
    again = json.loads((folder / torn).read_text())
    assert again["theta"] == json.loads(whole)["theta"]


@pytest.mark.parametrize("name", ["results.json", "genomes", "generators/pareto.json"])
def test_what_is_written_at_the_end_is_written_again(small, training, name: str):
    training(driven(guess))
    first = search(small())
    path = Path(first["run"]) / name
    damaged = next(path.iterdir()) if path.is_dir() else path
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    search(small("budget.candidates=5"))
    if damaged.exists():
        json.loads(damaged.read_text())
    assert Run(first["run"]).results.networks


@pytest.mark.parametrize("left", ["config.yaml", ".config.yaml.new"])
@pytest.mark.parametrize("text", ["", "name: sma"])
def test_a_kill_while_the_configuration_is_written_leaves_nothing_in_the_way(
    small, training, left: str, text: str
):
    training(driven(guess))
    folder = Path(small().runs) / "small"
    folder.mkdir(parents=True)
    (folder / left).write_text(text)
    (folder / "journal.jsonl").touch()
    assert search(small())["networks"]


def test_a_full_disk_is_one_line_and_the_search_goes_on_when_there_is_room(
    small, training, monkeypatch: pytest.MonkeyPatch
):
    """The journal's disk is full at the third fold."""
    training(driven(guess))
    expected = search(small("name=whole"))
    append, folds = Journal.append, []

    def full(journal: Journal, entry: Entry) -> None:
        folds.append(entry.fold)
        if len(folds) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(journal.path))
        append(journal, entry)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", full)
        with pytest.raises(UserError, match=r"journal\.jsonl: No space left on device; everything"):
            search(small())
    found = search(small())
    assert found["networks"] == expected["networks"]


@pytest.mark.parametrize("pages", [30, 34])
def test_a_database_that_is_full_is_one_line_and_the_search_goes_on(small, training, pages: int):
    training(driven(guess))

    def limit(connection: sqlite3.Connection, record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", limit)
    try:
        with pytest.raises(UserError, match=r"^the study cannot be written \(.*full"):
            search(small("budget.candidates=12"))
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "connect", limit)
    assert search(small("budget.candidates=12"))["networks"]
