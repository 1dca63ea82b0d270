"""The sampler of this package in a search: told everything that is known before training."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from optuna.trial import FrozenTrial, Trial

from gensynth.generator import GenerativeSynthesisSampler
from gensynth.search.generator_files import GeneratorFiles
from gensynth.search.preparation import Proposal, Setting
from gensynth.search.proposing import Proposer, proposer
from gensynth.search.run_directory import RunDirectory
from gensynth.search.study import SearchStudy, performance_of
from gensynth.space.choosing import suggested


class GenerativeProposer(Proposer):
    """Refuses before a trial begins, and writes its generators down.

    Args:
        sampler: The sampler.
    """

    def __init__(self, sampler: GenerativeSynthesisSampler) -> None:
        self.name = type(sampler).__name__
        self.sampler: GenerativeSynthesisSampler = sampler

    def refused(self, trial: FrozenTrial) -> Mapping[str, int]:
        return self.sampler.refusals(trial)

    def prototype_first(self, setting: Setting) -> bool:
        return setting.experiment.budget.prototype

    def build(self, setting: Setting, trial: Trial) -> Proposal:
        """The network as the sampler planned it, which needs no building again."""
        plan = self.sampler.planned(trial)
        if plan is None or not isinstance(plan.outcome, Proposal):
            return super().build(setting, trial)
        asked = plan.distributions.items()
        decided = {name: suggested(trial, name, distribution) for name, distribution in asked}
        return plan.outcome if decided == plan.decisions else super().build(setting, trial)

    def follow(
        self, setting: Setting, study: SearchStudy, directory: RunDirectory
    ) -> GeneratorFiles:
        return GeneratorFiles(setting, study, self.sampler, directory)

    def _blamed(self) -> AbstractContextManager[None]:
        return nullcontext()


proposer.register(GenerativeSynthesisSampler, GenerativeProposer)


def generative(setting: Setting) -> GenerativeSynthesisSampler:
    """The sampler of an experiment."""
    screen = setting.screen
    return GenerativeSynthesisSampler(
        screen.define,
        violations=screen.violations,
        key=screen.key,
        costs=screen.costs,
        price=setting.price,
        start=setting.space.start,
        warm_start=setting.begins_with,
        performance=performance_of,
        seed=setting.experiment.seed,
    )
