import json
import os
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from gensynth import genome as genomes
from gensynth.config import compose
from gensynth.errors import UserError
from gensynth.export import Run, newest
from gensynth.search.results import best
from gensynth.space import load_space
from tests.fake_run import CANDIDATES, INDICATOR, make_run, tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "tiny-run")


def change(folder: Path, **changes: object) -> None:
    path = folder / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_reads_what_a_search_wrote(folder: Path):
    run = Run(folder)
    assert run.finished
    assert run.name == "tiny-run"
    assert run.constraint == run.results.constraint == INDICATOR
    assert run.synthetic
    assert run.results.synthetic
    assert len(run.study.trials) == len(CANDIDATES)


def test_the_network_to_take_is_the_best_confirmed_feasible_one(folder: Path):
    results = Run(folder).results
    taken = best(results)
    assert taken is not None
    assert taken.trial == 1
    feasible = [network for network in results.networks if network.feasible]
    assert max(feasible, key=lambda one: one.performance or 0).trial == 1
    unconfirmed = [one.model_copy(update={"confirmed": None}) for one in feasible if one.trial == 1]
    others = tuple(one for one in results.networks if one.trial != 1)
    again = best(results.model_copy(update={"networks": (*unconfirmed, *others)}))
    assert again is not None
    assert again.trial == 2, "a confirmed network comes before a better one that is not"


def test_networks_come_from_their_files_and_have_the_hash_that_the_results_list(folder: Path):
    run = Run(folder)
    assert run.trial_genome().same_network(tiny(16))
    assert run.trial_genome(4).same_network(tiny(160))


def test_a_genome_file_that_is_another_network_is_refused(tmp_path: Path):
    folder = make_run(tmp_path / "run")
    genomes.save(tiny(17), folder / "genomes" / "trial-0001.json")
    with pytest.raises(UserError, match=r"trial-0001\.json: is not the network"):
        Run(folder).trial_genome()


def test_a_trial_outside_the_front_is_built_from_its_decisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    composed = compose(["constraint=nano_b", "prototype=resnet20"])
    folder = make_run(tmp_path / "run", config=composed)
    study = Run(folder).study
    space = load_space(composed["search_space"], composed["prototype"])
    study.sampler = optuna.samplers.RandomSampler(seed=4)
    for change in ("", "0"):
        trial = study.ask()
        trial.set_user_attr("genome", space(trial).hash + change)
        trial.set_user_attr("fidelity", 0.1)
        study.tell(trial, state=TrialState.PRUNED)
    run = Run(folder)
    built = run.trial_genome(len(CANDIDATES))
    assert built.hash == run.study.trials[-2].user_attrs["genome"]
    assert built.provenance["trial"] == len(CANDIDATES)
    with pytest.raises(UserError, match="was another network than its decisions give now"):
        run.trial_genome(len(CANDIDATES) + 1)


def test_an_unknown_trial_lists_those_that_there_are(folder: Path):
    with pytest.raises(UserError, match=r"has no trained trial 77; there are 0-5$"):
        Run(folder).trial_genome(77)


def test_without_a_feasible_network_the_trials_are_listed(tmp_path: Path):
    folder = make_run(tmp_path / "run")
    networks = json.loads((folder / "results.json").read_text())["networks"]
    change(folder, networks=[network | {"feasible": False} for network in networks])
    with pytest.raises(UserError, match=r"no network satisfies tiny; .*/trial-0000\.json"):
        Run(folder).trial_genome()


def test_a_run_that_has_not_ended_has_no_results_yet(tmp_path: Path):
    folder = make_run(tmp_path / "run")
    (folder / "results.json").unlink()
    run = Run(folder)
    assert not run.finished
    assert len(run.study.trials) == len(CANDIDATES)
    with pytest.raises(UserError, match=r"has no results\.json yet"):
        run.trial_genome()


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match=r"not a run directory, it has no config\.yaml"):
        Run(tmp_path)


def test_a_run_without_a_study_is_refused(tmp_path: Path):
    (tmp_path / "config.yaml").write_text("name: nothing\n")
    with pytest.raises(UserError, match=r"has no study\.db yet"):
        _ = Run(tmp_path).study


def test_the_newest_run_is_the_one_that_began_last(tmp_path: Path):
    for age, name in enumerate(("old", "older")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").touch()
        os.utime(tmp_path / name / "config.yaml", (1e9 - age, 1e9 - age))
    (tmp_path / "no-run").mkdir()
    assert newest(tmp_path) == tmp_path / "old"
    with pytest.raises(UserError, match="holds no run"):
        newest(tmp_path / "no-run")


@pytest.mark.parametrize("name", ["../../other.json", "/etc/hostname", "genomes/linked.json"])
def test_a_run_is_read_within_itself(tmp_path: Path, name: str):
    run = Run(make_run(tmp_path / "run"))
    (run.path / "genomes" / "linked.json").symlink_to(tmp_path / "other.json")
    network = run.results.networks[0]
    (tmp_path / "other.json").write_bytes((run.path / network.genome).read_bytes())
    with pytest.raises(UserError, match="lies outside the run"):
        run.genome(network.model_copy(update={"genome": name}))
