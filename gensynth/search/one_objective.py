"""A sampler that takes one objective, in a search that has several."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from gensynth.search.outcome import score
from gensynth.search.study import performance_of, violations_of
from gensynth.space.choosing import suggested

PENALTY = 100.0
"""What a violation of 1 takes from U, in dB: the U of two networks rarely differs by more, so what
violates much comes after what does not."""


class OneObjective(BaseSampler):
    """Has a sampler that takes one objective search for U.

    The sampler gets a study of its own, in memory, that has the same networks as the study of the
    search and as their value U, less a penalty for what they violate. A network that was refused
    or stopped early has no value there. What an earlier session found is told when the first
    network is asked for; a state that the sampler keeps itself begins anew.

    Args:
        sampler: The sampler.
    """

    def __init__(self, sampler: BaseSampler) -> None:
        self._own = optuna.create_study(direction="maximize", sampler=sampler)
        self._asked: dict[int, Trial] = {}
        self._began = False

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        if not self._began:
            self._began = True
            for known in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
                if (value := _merit(known, known.state)) is not None:
                    self._own.add_trial(
                        create_trial(
                            params=known.params, distributions=known.distributions, value=value
                        )
                    )
        if fixed := {**trial.system_attrs.get("fixed_params", {}), **trial.params}:
            self._own.enqueue_trial(fixed)
        self._asked[trial.number] = self._own.ask()

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return suggested(self._asked[trial.number], param_name, param_distribution)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        own = self._asked.pop(trial.number, None)
        if own is None:
            return
        for name, distribution in trial.distributions.items():
            suggested(own, name, distribution)
        value = _merit(trial, state)
        if value is None:
            self._own.tell(own, state=TrialState.FAIL)
        else:
            self._own.tell(own, value)


def takes_several_objectives(sampler: BaseSampler) -> bool:
    """Whether a sampler can serve a search as it is: a copy is asked in an empty study."""
    study = optuna.create_study(directions=["minimize"] * 3, sampler=copy.deepcopy(sampler))
    try:
        study.ask({"x": FloatDistribution(0.0, 1.0)})
    except ValueError:
        return False
    except Exception:
        return True  # whatever is wrong has nothing to do with the objectives, and will be told
    return True


def _merit(trial: FrozenTrial, state: TrialState) -> float | None:
    """What a network is worth; None for one that was not trained in full."""
    performance = performance_of(trial)
    if state != TrialState.COMPLETE or performance is None:
        return None
    violation, _ = score(violations_of(trial), performance)
    return performance + PENALTY * violation
