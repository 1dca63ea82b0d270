"""A sampler: decisions from a low-discrepancy sequence, whatever came of the earlier ones."""

import optuna

from gensynth.search.preparation import Setting


def make(setting: Setting) -> optuna.samplers.BaseSampler:
    """The sampler of an experiment, seeded by it."""
    return optuna.samplers.QMCSampler(seed=setting.experiment.seed, warn_independent_sampling=False)
