"""A search that begins with the generator of another one."""

from typing import Any

import optuna

from benchmarks.sampler import towers
from gensynth.generator import GenerativeSynthesisSampler, Generator

optuna.logging.set_verbosity(optuna.logging.WARNING)


def search(seed: int, trials: int, **options: Any) -> tuple[list[towers.Tower], Generator]:
    seen: list[towers.Tower] = []
    sampler = GenerativeSynthesisSampler(
        towers.define, violations=towers.violations, start=towers.START, seed=seed, **options
    )
    study = optuna.create_study(sampler=sampler, direction="maximize")

    def objective(trial: optuna.Trial) -> float:
        seen.append(towers.define(trial))
        return towers.performance(seen[-1])

    study.optimize(objective, n_trials=trials)
    return seen, sampler.generators(study)[0] if options else sampler.generator(study)


def test_theta_of_another_search_is_the_first_generator():
    _, learned = search(0, 24)
    seen, first = search(1, 2, warm_start=learned)
    assert first.theta.items() >= learned.theta.items()
    assert (first.iteration, first.trials) == (0, 0)
    assert seen[0] != towers.define(optuna.trial.FixedTrial(towers.START))
    assert search(1, 2, warm_start=learned)[0] == seen
