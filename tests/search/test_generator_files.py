"""The generator files of a run, whose accuracies are invented: nothing is trained."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from gensynth.cli import main
from gensynth.cost import cost
from gensynth.generator import Generator
from gensynth.genome import load
from gensynth.indicator import Indicator
from gensynth.search import Setting
from gensynth.search.generative import generative
from gensynth.search.generator_files import GeneratorFiles
from gensynth.search.outcome import Outcome, objectives_of
from gensynth.search.run_directory import RunDirectory
from gensynth.search.study import SearchStudy, open_study, sqlite_url
from gensynth.task import Classification

OBJECTIVES = objectives_of(Classification())

TRIALS = 16


@pytest.fixture(scope="module")
def run(setting: Setting, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A search in which larger networks are the more accurate ones."""
    directory = RunDirectory(tmp_path_factory.mktemp("run"))
    constraint = setting.experiment.constraint
    sampler = generative(setting)
    study = open_study(sqlite_url(directory.study), "invented", sampler, OBJECTIVES)
    with closing(SearchStudy(study, constraint.keys, OBJECTIVES)) as memory:
        files = GeneratorFiles(setting, memory, sampler, directory)
        for _ in range(TRIALS):
            trial = study.ask()
            genome = setting.space(trial)
            static = cost(genome).metrics()
            metrics = {**static, "accuracy": 1 - 0.2 * (static["params"] / 1000) ** -0.3}
            memory.tell(
                trial,
                Outcome(
                    trial=trial.number,
                    decisions=trial.params,
                    genome=genome.hash,
                    metrics=metrics,
                    violations=constraint.violations(metrics),
                    performance=setting.experiment.measured(metrics),
                    fidelity=1.0,
                    feasible=constraint.feasible(metrics),
                    complete=True,
                ),
            )
            files.keep()
        listed = files.finish()
        before = {path.name: path.read_bytes() for path in directory.generators.iterdir()}
        assert files.finish() == listed
        assert before == {path.name: path.read_bytes() for path in directory.generators.iterdir()}
    assert all((directory.path / name).is_file() for name in listed)
    return directory


def test_the_family_is_listed_with_its_budgets(run: RunDirectory, setting: Setting):
    family = json.loads((run.generators / "pareto.json").read_text())["family"]
    assert [one["file"] for one in family] == sorted(
        path.name for path in run.generators.glob("budget-*.json")
    )
    limits = [one["max_params"] for one in family]
    assert limits == sorted(limits)
    assert limits[-1] <= setting.experiment.constraint.bounds["params"].max
    for one in family:
        member = Generator.load(run.generators / one["file"])
        bounds = Indicator.model_validate(member.constraint).bounds
        assert bounds["params"].max == one["max_params"]
        assert bounds["macs"] == setting.experiment.constraint.bounds["macs"]
        assert member.static_feasible == one["static_feasible"]
    assert family[-1]["quality"] > family[0]["quality"]


def test_networks_of_a_budget_come_from_its_member(
    run: RunDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    family = json.loads((run.generators / "pareto.json").read_text())["family"]
    between = (family[1]["max_params"] + family[2]["max_params"]) // 2
    for most, member in ((between, family[1]), (10**9, family[-1]), (1, family[0])):
        words = ["--max-params", str(most), "--seeds", "0:20", "--json", "-o", str(tmp_path)]
        with pytest.raises(SystemExit) as caught:
            main(["generate", str(run.path), *words])
        assert caught.value.code == (2 if most == 1 else 0)
        said = capsys.readouterr()
        assert bool(said.out) == (most > 1)
        summary = json.loads((tmp_path / "summary.json").read_text())
        assert Path(summary["generator"]).name == member["file"]
        sizes = [cost(load(tmp_path / f"network-{seed}.json")).params for seed in range(20)]
        within = sum(size <= min(most, member["max_params"]) for size in sizes)
        assert summary["static_feasible"] <= within / 20
        assert within > 0 or most == 1
