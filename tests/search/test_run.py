import time
from pathlib import Path

import optuna
import pytest
import yaml

from gensynth.errors import UserError
from gensynth.execution import Progress
from gensynth.execution.jobs import Dispatcher
from gensynth.execution.journal import read
from gensynth.search import search
from gensynth.search.study import SearchStudy, sqlite_url
from tests.small_search import drive, write_official


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
    with pytest.raises(OSError, match="no space left"):
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
    experiment = small()
    results = search(experiment, sampler=optuna.samplers.RandomSampler(seed=0))
    config = yaml.safe_load((Path(results["run"]) / "config.yaml").read_text())
    assert config["sampler"] == "RandomSampler"
    with pytest.raises(UserError, match=r"sampler is .RandomSampler. in this run but .generative."):
        search(experiment)
    search(experiment, sampler=optuna.samplers.RandomSampler(seed=0))
    with pytest.raises(UserError, match=r"^warm_start=elsewhere: a sampler that is given"):
        search(small("warm_start=elsewhere"), sampler=optuna.samplers.RandomSampler())


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
