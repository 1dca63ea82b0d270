from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import optuna
import pytest
from optuna.trial import TrialState

from gensynth.execution.clock import Clock
from gensynth.execution.journal import read
from gensynth.generator import Unsatisfiable
from gensynth.search import Setting, prepare
from gensynth.search.confirmation import Confirmation
from gensynth.search.forecast import MARGIN, Forecast, Pace
from gensynth.search.outcome import Outcome, ranking
from gensynth.search.proposing import Follower
from gensynth.search.study import SearchStudy
from gensynth.space import trace
from gensynth.task import Classification
from tests.search.session import Session


def outcomes(session: Session) -> list[tuple[object, ...]]:
    return [
        (one.genome, one.complete, one.stopped, one.metrics["accuracy"])
        for one in session.study.outcomes.values()
    ]


@pytest.fixture(scope="module")
def whole(setting: Setting, tmp_path_factory: pytest.TempPathFactory):
    """A whole small search and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    with ExitStack() as stack:
        session = Session(setting, folder, stack)
        session.run()
    return session, folder


def test_a_search_trains_its_budget_and_confirms_on_all_folds(whole):
    session, folder = whole
    states = [trial.state for trial in session.study.study.trials]
    assert len(states) == 4
    assert set(states) <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert TrialState.COMPLETE in states
    entries = read(folder / "journal.jsonl")
    assert len({(entry.genome, entry.unit) for entry in entries}) == len(entries)
    confirmed = [entry for entry in entries if entry.phase == "confirm"]
    assert sorted(entry.fold for entry in confirmed) == [0, 1, 2, 3]
    searched = {entry.seed for entry in entries if entry.phase == "search"}
    assert not searched & {entry.seed for entry in confirmed}
    (finalist,) = session.confirmation.finalists
    evaluation = session.confirmation.evaluation(finalist)
    assert evaluation.images == sum(entry.total for entry in confirmed)
    assert evaluation.value == pytest.approx(
        sum(entry.scores["correct"] or 0 for entry in confirmed) / evaluation.images
    )


def test_time_is_kept_for_the_pretrainings_of_a_confirmation_too(whole):
    """Each of its cross-validations begins with one, of which every worker makes its own."""
    session, folder = whole
    plan = session.setting.experiment.confirm
    units = [unit for one in session.confirmation.finalists for unit in one.units]
    assert len(session.confirmation.finalists) == plan.finalists == 1
    slow = [
        replace(entry, seconds=0.5 * entry.epochs, pretraining=7.0)
        for entry in read(folder / "journal.jsonl")
    ]
    forecast = Forecast(session.setting, session.study, slow, Clock(limit=1e6), workers=2)
    assert forecast.pace(session.confirmation.finalists[0].genome.hash) == Pace(0.5, 7.0)
    trainings = sum(unit.epochs for unit in units) * 0.5 / 2
    assert forecast.reserve() == pytest.approx(MARGIN * (trainings + plan.seeds * 7.0))


def test_static_bounds_hold_for_everything_that_was_trained(whole):
    session, _ = whole
    for one in session.study.outcomes.values():
        assert one.metrics["macs"] <= 3e5
        assert one.metrics["params"] <= 136_000
        assert one.feasible == (one.complete and max(one.violations.values()) <= 0)


def test_the_same_seed_gives_the_same_search(setting: Setting, whole, tmp_path: Path):
    with ExitStack() as stack:
        again = Session(setting, tmp_path, stack)
        again.run()
        assert outcomes(again) == outcomes(whole[0])


@pytest.mark.parametrize("folds", [1, 4])
def test_a_crash_costs_no_fold_that_was_trained(
    setting: Setting, whole, tmp_path: Path, folds: int
):
    """Sessions that end without a word, as after kill -9, then one that finishes."""
    with ExitStack() as stack:
        Session(setting, tmp_path, stack).run(folds=folds)
    before = read(tmp_path / "journal.jsonl")
    assert len(before) == folds
    with ExitStack() as stack:
        last = Session(setting, tmp_path, stack)
        trained = last.run()
        entries = read(tmp_path / "journal.jsonl")
        assert entries[:folds] == before
        assert len(entries) == folds + trained
        assert len({(entry.genome, entry.unit) for entry in entries}) == len(entries)
        assert last.study.candidates == 4
        states = [trial.state for trial in last.study.study.trials]
        assert TrialState.RUNNING not in states
        assert TrialState.WAITING not in states
        known = dict.fromkeys(one.genome for one in whole[0].study.outcomes.values())
        first = next(iter(last.study.outcomes.values()))
        assert first.genome == next(iter(known))


def test_a_finished_search_has_nothing_left_to_do(setting: Setting, whole, tmp_path: Path):
    _, folder = whole
    with ExitStack() as stack:
        session = Session(setting, folder, stack)
        assert session.run() == 0
        (finalist,) = session.confirmation.finalists
        assert finalist.complete


def test_what_is_confirmed_stays_so_when_the_time_is_up(small, tmp_path: Path):
    """All finalists that an earlier session trained are reported by one that has no time left."""
    setting = prepare(
        small("confirm.finalists=2", "fidelity.rungs=[{folds: 1, epochs: 1}]", "folds.count=2")
    )
    with ExitStack() as stack:
        session = Session(setting, tmp_path, stack)
        session.run()
        first = [one.outcome.genome for one in session.confirmation.finalists]
        assert len(first) == 2
    with ExitStack() as stack:
        late = Session(setting, tmp_path, stack, limit=0.0)
        assert late.run() == 0
        assert [one.outcome.genome for one in late.confirmation.finalists] == first
        assert all(one.complete for one in late.confirmation.finalists)


def test_a_margin_is_asked_of_candidates_and_not_of_finalists(small, tmp_path: Path):
    """Nothing is feasible at a margin that leaves only perfect networks."""
    setting = prepare(small("fidelity.margin=0.95", "fidelity.rungs=[{folds: 1, epochs: 1}]"))
    with ExitStack() as stack:
        session = Session(setting, tmp_path, stack)
        session.run()
        for one in session.study.outcomes.values():
            missing = 1.0 - one.metrics["accuracy"]
            assert one.violations["accuracy.min"] == pytest.approx(missing)
            assert one.feasible == (missing == 0 and one.complete)
        (finalist,) = session.confirmation.finalists
        evaluation = session.confirmation.evaluation(finalist)
        assert evaluation is not None
        assert session.confirmation.satisfies(finalist) == (evaluation.value >= 0.05)


@pytest.mark.parametrize("first", [True, False])
def test_the_prototype_is_the_first_candidate_where_that_is_wanted(small, tmp_path: Path, first):
    setting = prepare(
        small(
            f"budget.prototype={str(first).lower()}",
            "budget.candidates=1",
            "constraint.bounds={params: {max: 1e6}}",
        )
    )
    with ExitStack() as stack:
        session = Session(setting, tmp_path, stack)
        session.run(folds=1)
        trials = session.study.study.trials
    (asked,) = [trial.params for trial in trials if "refused" not in trial.user_attrs]
    assert (asked == trace(setting.space, setting.space.start).decisions) == first


@pytest.mark.parametrize("name", ["random", "tpe", "nsgaii"])
def test_other_samplers_are_screened_too(small, tmp_path: Path, name: str):
    setting = prepare(
        small(
            f"sampler={name}",
            "prototype=resnet20",
            "constraint.bounds.macs.max=2e7",
            "budget.candidates=1",
        )
    )
    with ExitStack() as stack:
        session = Session(setting, tmp_path, stack)
        session.run(folds=1)
        trials = session.study.study.trials
        refused = [trial for trial in trials if "refused" in trial.user_attrs]
        assert trials[0] in refused  # the prototype itself is too large
        assert session.candidates.refused["macs.max"] >= 1
        for trial in refused:
            assert trial.state == TrialState.PRUNED
            assert max(trial.constraints.values()) > 0


@pytest.mark.parametrize("name", ["random", pytest.param("generative", marks=pytest.mark.slow)])
def test_a_space_without_admissible_networks_is_given_up(small, tmp_path: Path, name, monkeypatch):
    """Either bound can be met, both together cannot."""
    monkeypatch.setattr("gensynth.search.candidates.MAX_REFUSALS", 5)
    setting = prepare(
        small(
            f"sampler={name}",
            "constraint.bounds.macs={max: 30000}",
            "constraint.bounds.params={min: 100000}",
        )
    )
    with ExitStack() as stack:
        session = Session(setting, tmp_path, stack)
        with pytest.raises(Unsatisfiable, match=r"macs\.max refuses|params\.min refuses"):
            session.run(folds=1)


def test_a_sampler_that_goes_on_proposing_what_is_refused_ends_with_the_time(
    small, tmp_path: Path, monkeypatch
):
    neither = "constraint.bounds={macs: {max: 30000}, params: {min: 100000}}"
    setting = prepare(small("sampler=random", neither))
    with ExitStack() as stack:
        session = Session(setting, tmp_path, stack, limit=3600)
        clock, asked = session.candidates.forecast.clock, []

        def slow(study: optuna.Study) -> optuna.Trial:
            asked.append(study.ask())
            clock.before += 1000
            return asked[-1]

        monkeypatch.setattr(session.candidates.proposer, "ask", slow)
        assert session.run() == 0
        assert len(asked) == 4
        assert session.candidates.exhausted()


def made(trial: int, accuracy: float, performance: float, feasible: bool) -> Outcome:
    return Outcome(
        trial=trial,
        decisions={},
        genome=str(trial),
        metrics={"accuracy": accuracy, "params": 1.0, "macs": 1.0},
        violations={"accuracy.min": 0.9 - accuracy},
        performance=performance,
        fidelity=1.0,
        feasible=feasible,
        complete=True,
    )


def test_finalists_come_in_turn_by_u_and_by_accuracy():
    outcomes = [
        made(0, 0.91, 100.0, True),
        made(1, 0.99, 80.0, True),
        made(2, 0.92, 99.0, True),
        made(3, 0.95, 90.0, True),
        made(4, 0.80, 200.0, False),
        made(5, 0.85, 10.0, False),
    ]
    assert [one.trial for one in ranking(outcomes, Classification().headline)] == [0, 1, 2, 3, 5, 4]


@pytest.mark.parametrize(("better", "confirmed"), [(True, [0, 2]), (False, [0, 1])])
def test_a_candidate_that_comes_in_late_takes_the_place_of_a_worse_finalist(
    small, whole, better: bool, confirmed: list[int]
):
    """It was under way when the time of the search was up."""
    session, _ = whole
    known = next(one for one in session.study.outcomes.values() if one.complete)
    told = {
        number: replace(known, trial=number, performance=performance, feasible=True)
        for number, performance in ((0, 100.0), (1, 90.0))
    }
    late = replace(known, trial=2, performance=200.0 if better else 80.0, feasible=True)
    confirmation = Confirmation(
        setting=prepare(small("confirm.finalists=2")),
        study=cast(SearchStudy, SimpleNamespace(outcomes=told)),
        follower=Follower(),
        forecast=cast(Forecast, SimpleNamespace(confirming=True, affordable=lambda one: True)),
    )
    jobs = [confirmation.next()]
    told[2] = late
    while (job := confirmation.next()) is not None:
        jobs.append(job)
    trials = [job.trial for job in jobs if job is not None and job.trial is not None]
    assert sorted(set(trials)) == confirmed
    assert len(trials) == 2 * 4
