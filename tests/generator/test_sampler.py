"""The sampler in studies of every kind."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.study import Study
from optuna.trial import TrialState, create_trial

from gensynth.errors import UserError
from gensynth.generator import GenerativeSynthesisSampler, Settings, Unsatisfiable

optuna.logging.set_verbosity(optuna.logging.WARNING)

START = {"depth": 3, "width0": 30, "width1": 30, "width2": 30, "kind": "wide"}


def define(trial: Any) -> tuple[Any, ...]:
    """A conditional space; its first two kinds are one network."""
    depth = trial.suggest_int("depth", 1, 3)
    widths = tuple(trial.suggest_int(f"width{layer}", 1, 32) for layer in range(depth))
    kind = trial.suggest_categorical("kind", ["wide", "same", "rate"])
    rate = trial.suggest_float("rate", 1e-3, 1.0, log=True) if kind == "rate" else 0.1
    return widths, rate


def violations(outcome: tuple[Any, ...]) -> Mapping[str, float]:
    return {"width.max": sum(outcome[0]) / 40 - 1, "depth.min": (2 - len(outcome[0])) / 2}


def score(outcome: tuple[Any, ...]) -> float:
    widths, rate = outcome
    return float(-sum((width - 12) ** 2 for width in widths) / 100 - abs(rate - 0.3))


def make(**options: Any) -> GenerativeSynthesisSampler:
    given = {"violations": violations, "key": lambda outcome: outcome, "start": START, "seed": 1}
    return GenerativeSynthesisSampler(define, **{**given, **options})


def searched(sampler: GenerativeSynthesisSampler, trials: int, **options: Any) -> Study:
    study = optuna.create_study(sampler=sampler, direction="maximize", **options)
    study.optimize(lambda trial: score(define(trial)), n_trials=trials)
    return study


def networks(study: Study) -> list[tuple[Any, ...]]:
    return [define(optuna.trial.FixedTrial(trial.params)) for trial in study.trials]


def test_two_runs_with_one_seed_are_equal_and_another_seed_differs():
    runs = [[trial.params for trial in searched(make(seed=s), 14).trials] for s in (3, 3, 4)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_another_process_continues_as_if_nothing_had_happened(tmp_path: Path):
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    whole = searched(make(), 14)
    part = searched(make(), 10, storage=storage, study_name="s")
    again = optuna.load_study(storage=storage, study_name="s", sampler=make())
    again.optimize(lambda trial: score(define(trial)), n_trials=4)
    assert [trial.params for trial in again.trials] == [trial.params for trial in whole.trials]
    assert len(part.trials) == 14


def test_no_network_is_proposed_twice_and_none_that_violates_a_bound():
    sampler = make()
    found = networks(searched(sampler, 40))
    assert len(set(found)) == 40
    assert all(value <= 0 for outcome in found for value in violations(outcome).values())
    assert sampler.refused["width.max"] > 0
    assert sampler.refused["depth.min"] > 0


def test_the_prototype_comes_first_where_it_is_admissible():
    start = {**START, "width0": 12, "width1": 12, "width2": 12}
    assert networks(searched(make(start=start), 1)) == [((12, 12, 12), 0.1)]
    assert networks(searched(make(), 1)) != [((30, 30, 30), 0.1)]


def test_an_unsatisfiable_space_stops_and_names_the_bound_and_its_share():
    sampler = make(
        violations=lambda outcome: {"params.max": 0.5, "macs.max": -1},
        settings=Settings(max_refusals=200),
    )
    study = optuna.create_study(sampler=sampler)
    with pytest.raises(Unsatisfiable, match=r"none of 200 .*params.max refuses 100.0%") as caught:
        study.ask()
    assert "macs" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sampler.refused["params.max"] == 200
    assert [trial.state for trial in study.trials] == [TrialState.FAIL]


def test_an_exhausted_space_stops_and_says_so():
    def small(trial: Any) -> int:
        value: int = trial.suggest_int("n", 1, 4)
        return value

    study = optuna.create_study(
        sampler=GenerativeSynthesisSampler(
            small, seed=0, settings=Settings(max_refusals=300, startup=2)
        )
    )
    with pytest.raises(Unsatisfiable, match=r"all of 300 networks .* were proposed before"):
        study.optimize(lambda trial: small(trial) ** 2.0, n_trials=9)
    done = [trial.params["n"] for trial in study.get_trials(states=[TrialState.COMPLETE])]
    assert sorted(done) == [1, 2, 3, 4]


@pytest.mark.parametrize("optimum", [0, 6])
def test_a_small_space_is_searched_to_its_end(optimum: int):
    def grid(trial: Any) -> float:
        n, m = trial.suggest_int("n", 0, 12), trial.suggest_int("m", 0, 9)
        return float((n - optimum) ** 2 + (m - optimum) ** 2)

    study = optuna.create_study(sampler=GenerativeSynthesisSampler(seed=0))
    study.optimize(grid, n_trials=130)
    assert len({tuple(trial.params.items()) for trial in study.trials}) == 130
    with pytest.raises(Unsatisfiable, match="were proposed before"):
        study.ask()


@pytest.mark.parametrize("scale", [1e-300, 1e16])
def test_values_and_ranges_of_any_size(scale: float):
    study = optuna.create_study(sampler=GenerativeSynthesisSampler(seed=0))
    study.optimize(lambda trial: scale * trial.suggest_float("x", 0, 1e16) ** 0.5, n_trials=20)
    assert study.best_params["x"] < 1e15


def test_a_trial_that_could_not_be_planned_is_not_left_running():
    def broken(outcome: Any) -> dict[str, float]:
        raise RuntimeError("no costs today")

    study = optuna.create_study(sampler=make(costs=broken))
    with pytest.raises(RuntimeError, match="no costs today"):
        study.ask()
    assert [trial.state for trial in study.trials] == [TrialState.FAIL]


def test_a_needle_of_a_static_bound_is_found_by_descent():
    sampler = make(
        violations=lambda outcome: {"width.max": sum(outcome[0]) - 4},
        settings=Settings(max_refusals=3000),
        seed=5,
    )
    assert sum(networks(searched(sampler, 1))[0][0]) <= 4


def test_queued_networks_are_taken_as_they_are_and_completed():
    sampler = make()
    study = optuna.create_study(sampler=sampler, direction="maximize")
    study.enqueue_trial({"depth": 1, "width0": 32, "kind": "rate", "rate": 0.5})
    study.enqueue_trial({"depth": 2, "kind": "rate", "rate": 7.0})
    study.enqueue_trial({"depth": 1, "width0": 32, "kind": "rate", "rate": 0.5})
    with pytest.warns(UserWarning, match="out of range"):
        study.optimize(lambda trial: score(define(trial)), n_trials=3)
    assert study.trials[0].params == {"depth": 1, "width0": 32, "kind": "rate", "rate": 0.5}
    assert study.trials[1].params["depth"] == 2
    assert study.trials[2].params == study.trials[0].params


def test_parallel_askers_get_different_networks():
    sampler = make()
    study = searched(sampler, 12)
    trials = [study.ask() for _ in range(8)]
    asked = [define(trial) for trial in trials]
    assert len({*asked, *networks(study)[:12]}) == 20
    assert len({outcome[0] for outcome in asked}) > 4


def test_threads_share_one_sampler():
    sampler = make()
    study = optuna.create_study(sampler=sampler, direction="maximize")
    seen: set[str] = set()

    def objective(trial: optuna.Trial) -> float:
        seen.add(threading.current_thread().name)
        return score(define(trial))

    study.optimize(objective, n_trials=30, n_jobs=4)
    assert len(set(networks(study))) == 30
    assert len(seen) > 1


def test_running_trials_of_another_asker_are_not_proposed():
    study = searched(make(), 12)
    other = optuna.load_study(
        storage=study._storage, study_name=study.study_name, sampler=make(seed=1)
    )
    first = study.ask()
    taken = define(first)
    twin = make(seed=1)
    other.sampler = twin
    twin._rng = lambda trial: make(seed=1)._rng(study.trials[first.number])  # type: ignore[method-assign]
    assert define(other.ask()) != taken


@pytest.mark.parametrize("way", ["set_constraint", "list"])
def test_measured_constraints_are_learned_through_either_interface(way: str):
    def run(seed: int, informed: bool) -> int:
        def objective(trial: optuna.Trial) -> float:
            x, y = (trial.suggest_float(name, -1, 1) for name in "xy")
            broken = 0.3 - y
            if informed and way == "set_constraint":
                trial.set_constraint("y.min", broken)
            elif informed:
                study._storage.set_trial_system_attr(trial._trial_id, "constraints", [broken])
            good.append(broken <= 0)
            return -((x - 0.2) ** 2) - 0.2 * y

        good: list[bool] = []
        sampler = GenerativeSynthesisSampler(
            lambda trial: [trial.suggest_float(name, -1, 1) for name in "xy"], seed=seed
        )
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.optimize(objective, n_trials=24)
        return sum(good[12:])

    assert sum(run(seed, True) for seed in range(2)) >= 10
    assert sum(run(seed, False) for seed in range(2)) <= 2


def test_several_objectives_without_a_performance():
    def plane(trial: Any) -> tuple[float, float]:
        return trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)

    study = optuna.create_study(
        directions=["maximize", "minimize"], sampler=GenerativeSynthesisSampler(plane, seed=2)
    )
    study.optimize(lambda trial: ((p := plane(trial))[0] - p[1], p[0] ** 2 + p[1]), n_trials=40)
    late = study.trials[20:]
    assert sum(trial.params["y"] < 0.1 for trial in late) >= 12
    front = [trial.values[0] for trial in study.best_trials]
    assert len(front) >= 8
    assert max(front) - min(front) > 0.6


def test_several_objectives_with_a_performance():
    study = optuna.create_study(
        directions=["maximize", "minimize"],
        sampler=make(performance=lambda trial: trial.user_attrs.get("performance")),
    )

    def objective(trial: optuna.Trial) -> tuple[float, float]:
        outcome = define(trial)
        trial.set_user_attr("performance", score(outcome))
        return score(outcome), sum(outcome[0])

    study.optimize(objective, n_trials=40)
    best = max(trial.values[0] for trial in study.trials)
    assert best > max(trial.values[0] for trial in study.trials[:8])


def test_pruned_failed_and_unmeasured_trials_do_no_harm():
    study = optuna.create_study(sampler=make(), direction="maximize")
    for number in range(30):
        trial = study.ask()
        value = score(define(trial))
        if number % 3 == 0:
            trial.set_user_attr("fidelity", 0.2)
            study.tell(trial, state=TrialState.PRUNED)
        elif number % 7 == 0:
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, float("inf") if number == 10 else value)
    assert len(set(networks(study))) == 30


def test_a_study_without_a_space_is_learned_from_its_trials():
    def objective(trial: optuna.Trial) -> float:
        return score(define(trial))

    study = optuna.create_study(
        direction="maximize",
        sampler=GenerativeSynthesisSampler(seed=0, settings=Settings(startup=6)),
    )
    study.optimize(objective, n_trials=50)
    first, later = (sorted(t.values[0] for t in study.trials[i : i + 15])[7] for i in (0, 35))
    assert later > first


def test_trials_of_another_space_and_imported_ones_are_tolerated():
    study = searched(make(), 9)
    study.add_trial(
        create_trial(
            value=3.0,
            params={"other": 1.0},
            distributions={"other": optuna.distributions.FloatDistribution(0, 2)},
        )
    )
    study.optimize(lambda trial: score(define(trial)), n_trials=6)
    assert len(study.trials) == 16


def test_one_sampler_serves_two_studies():
    sampler = make()
    alone = [trial.params for trial in searched(make(), 14).trials]
    studies = [optuna.create_study(sampler=sampler, direction="maximize") for _ in range(2)]
    for _ in range(14):
        for study in studies:
            study.optimize(lambda trial: score(define(trial)), n_trials=1)
    assert [[trial.params for trial in study.trials] for study in studies] == [alone, alone]


def test_decisions_outside_the_plan_are_drawn_from_the_generator():
    study = optuna.create_study(sampler=make(), direction="maximize")

    def objective(trial: optuna.Trial) -> float:
        return score(define(trial)) + trial.suggest_float("learning_rate", 0, 1)

    study.optimize(objective, n_trials=12)
    assert len({trial.params["learning_rate"] for trial in study.trials}) == 12


def test_generators_follow_from_the_finished_trials():
    sampler = make()
    study = searched(sampler, 25)
    chain = sampler.generators(study)
    assert [one.iteration for one in chain] == list(range(len(chain)))
    assert [one.trials for one in chain] == [0, 4, 8, 12, 16, 20, 24]
    assert sampler.generator(study) == chain[-1]
    assert make().generators(study) == chain
    assert sampler.inquisitor(study) is not None


def test_violations_need_a_space():
    with pytest.raises(UserError, match="need define"):
        GenerativeSynthesisSampler(violations=violations)


def test_a_start_outside_the_space_is_refused_at_once():
    with pytest.raises(UserError, match="start value 99 is not among"):
        make(start={**START, "depth": 99})


def test_a_price_makes_cheap_networks_come_first():
    def first(price: Any, seed: int) -> int:
        return sum(
            sum(outcome[0]) for outcome in networks(searched(make(price=price, seed=seed), 8))
        )

    def total(outcome: tuple[Any, ...]) -> float:
        return float(sum(outcome[0]))

    assert all(first(total, seed) < first(None, seed) for seed in range(5))
