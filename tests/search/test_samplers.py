"""Any sampler of Optuna proposes: by name, or as an object."""

import sys
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import TrialState

from gensynth.errors import UserError
from gensynth.search import Setting, prepare
from gensynth.search.generative import GenerativeProposer
from gensynth.search.generator_files import GeneratorFiles
from gensynth.search.one_objective import PENALTY, OneObjective
from gensynth.search.proposing import Proposer, proposer
from gensynth.search.samplers import SAMPLERS, named_sampler
from tests.search.session import Session
from tests.small_search import guess

QUICK = (
    "folds.count=2",
    "fidelity.rungs=[{folds: 1, epochs: 1}]",
    "fidelity.reduction=null",
    "fidelity.risk=0",
    "budget.candidates=3",
    "constraint.bounds={macs: {max: 2e6}}",
)


@pytest.mark.parametrize("name", ["generative", "random", "tpe", "nsgaii", "gp"])
def test_each_named_sampler_runs_a_search(small, tmp_path: Path, name: str):
    setting = prepare(small(*QUICK, f"sampler={name}"))
    with ExitStack() as stack:
        session = Session(setting, tmp_path, stack)
        session.run(train=guess)
        outcomes = session.study.outcomes.values()
        assert len(outcomes) == 3
        assert all(one.complete and one.feasible for one in outcomes)
        assert len({one.genome for one in outcomes}) == 3
        (finalist,) = session.confirmation.finalists
        assert finalist.complete


class Told(optuna.samplers.GPSampler):
    """Counts the proposals that come from the Gaussian process."""

    relative = 0

    def sample_relative(self, study, trial, search_space):
        found = super().sample_relative(study, trial, search_space)
        self.relative += bool(found)
        return found


@pytest.mark.slow
def test_a_sampler_of_several_objectives_gets_the_study_as_it_is(small, tmp_path: Path):
    """One is asked for ahead, so the fourth is the first that two outcomes are known for."""
    refusing_none = "constraint.bounds={macs: {max: 1e12}}"
    setting = prepare(small(*QUICK, "budget.candidates=4", refusing_none))
    sampler = Told(seed=0, n_startup_trials=2, warn_independent_sampling=False)
    with ExitStack() as stack:
        session = Session(setting, tmp_path, stack, sampler=sampler)
        session.run(train=guess)
        assert session.study.study.sampler is sampler
        assert len(session.study.outcomes) == 4
    assert sampler.relative >= 1


def test_a_sampler_of_one_objective_searches_for_u(small, tmp_path: Path):
    pytest.importorskip("cmaes")
    setting = prepare(small(*QUICK, "budget.candidates=4"))

    def sampler() -> optuna.samplers.CmaEsSampler:
        return optuna.samplers.CmaEsSampler(seed=0, warn_independent_sampling=False)

    with ExitStack() as stack:
        session = Session(setting, tmp_path, stack, sampler=sampler())
        session.run(train=guess)
        adapted = session.study.study.sampler
        assert isinstance(adapted, OneObjective)
        known = [t for t in adapted._own.trials if t.state == TrialState.COMPLETE]
        outcomes = list(session.study.outcomes.values())
        assert [one.decisions for one in outcomes] == [trial.params for trial in known]
        assert [one.performance for one in outcomes] == [trial.value for trial in known]
        assert any("cma:generation" in trial.system_attrs for trial in known)
    more = prepare(small(*QUICK, "budget.candidates=5"))
    with ExitStack() as stack:
        again = Session(more, tmp_path, stack, sampler=sampler())
        again.run()
        assert len(again.study.outcomes) == 5
        adapted = again.study.study.sampler
        assert isinstance(adapted, OneObjective)
        assert len(adapted._own.trials) >= 5


def test_what_violates_a_bound_is_worth_less():
    sampler = OneObjective(optuna.samplers.RandomSampler(seed=0))
    study = optuna.create_study(directions=["maximize"] * 3, sampler=sampler)
    space = {"x": FloatDistribution(0, 1), "n": IntDistribution(1, 9, log=True)}
    study.enqueue_trial({"x": 0.25})
    for violation in (-0.5, 0.2):
        trial = study.ask(space)
        trial.set_user_attr("performance", 50.0)
        trial.set_user_attr("violations", {"params.max": violation})
        study.tell(trial, [1.0, 2.0, 3.0])
    stopped = study.ask(space)
    study.tell(stopped, state=TrialState.PRUNED)
    own = sampler._own.trials
    assert [trial.value for trial in own] == [50.0, 50.0 - PENALTY * 0.2, None]
    assert [trial.params for trial in own] == [trial.params for trial in study.trials]
    assert own[0].params["x"] == 0.25


class Broken(optuna.samplers.RandomSampler):
    def sample_independent(self, study, trial, param_name, param_distribution):
        raise ModuleNotFoundError("No module named 'numbers_of_luck'", name="numbers_of_luck")


@pytest.mark.parametrize(
    ("sampler", "said"),
    [
        (Broken(), r"^sampler: Broken needs the package numbers_of_luck; pip install numbers"),
        (
            optuna.samplers.GridSampler({"depth": [1, 2]}),
            "^sampler: GridSampler cannot search this space: .*; choose another sampler$",
        ),
    ],
)
def test_a_sampler_that_cannot_search_says_so_in_one_line(
    small, tmp_path: Path, sampler: optuna.samplers.BaseSampler, said: str
):
    setting = prepare(small(*QUICK))
    with ExitStack() as stack:
        session = Session(setting, tmp_path, stack, sampler=sampler)
        with pytest.raises(UserError, match=said) as caught:
            session.run(train=guess)
    assert "\n" not in str(caught.value)


def asked(setting: Setting, name: str) -> Setting:
    """The same, with another sampler."""
    experiment = setting.experiment.model_copy(update={"sampler": name})
    return SimpleNamespace(experiment=experiment)  # type: ignore[return-value]


def test_this_packages_sampler_refuses_itself_and_keeps_its_generators(
    setting: Setting, tmp_path: Path
):
    with ExitStack() as stack:
        session = Session(setting, tmp_path, stack)
        assert isinstance(session.candidates.proposer, GenerativeProposer)
        assert isinstance(session.candidates.follower, GeneratorFiles)


def test_an_unknown_name_lists_the_known_ones(setting: Setting):
    with pytest.raises(UserError, match=r"^sampler: unknown sampler 'magic'; use one of auto,"):
        named_sampler(asked(setting, "magic"))


def test_the_automatic_sampler_says_what_it_lacks(setting: Setting, monkeypatch):
    monkeypatch.setitem(sys.modules, "optunahub", None)
    with pytest.raises(UserError, match=r"^sampler: .*cannot be loaded from Optuna's hub"):
        named_sampler(asked(setting, "auto"))


def test_the_automatic_sampler_comes_from_the_hub(setting: Setting, monkeypatch):
    def load_module(package: str) -> SimpleNamespace:
        assert package == "samplers/auto_sampler"
        return SimpleNamespace(AutoSampler=optuna.samplers.RandomSampler)

    monkeypatch.setitem(sys.modules, "optunahub", SimpleNamespace(load_module=load_module))
    sampler = named_sampler(asked(setting, "auto"))
    assert isinstance(sampler, optuna.samplers.RandomSampler)


def test_a_sampler_is_added_under_a_name(setting: Setting):
    SAMPLERS.add("mine", lambda setting: Broken(seed=setting.experiment.seed))
    try:
        adapted = proposer(named_sampler(asked(setting, "mine")))
    finally:
        SAMPLERS.forget("mine")
    assert type(adapted) is Proposer
    assert isinstance(adapted.sampler, Broken)
