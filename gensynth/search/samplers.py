"""The samplers that an experiment can name."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler

from gensynth.errors import UserError, first_line
from gensynth.registry import Registry
from gensynth.search.generative import generative
from gensynth.search.preparation import Setting


def named_sampler(setting: Setting) -> BaseSampler:
    """The sampler that an experiment names, seeded by it.

    Raises:
        UserError: If there is none of that name, or it cannot be had.
    """
    make = SAMPLERS.find(setting.experiment.sampler, where="sampler")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return make(setting)


def _tpe(setting: Setting) -> BaseSampler:
    """Joint distributions of decisions that are asked together, as conditional spaces need."""
    return optuna.samplers.TPESampler(seed=setting.experiment.seed, multivariate=True, group=True)


def _random(setting: Setting) -> BaseSampler:
    return optuna.samplers.RandomSampler(seed=setting.experiment.seed)


def _nsgaii(setting: Setting) -> BaseSampler:
    return optuna.samplers.NSGAIISampler(seed=setting.experiment.seed, population_size=16)


def _gp(setting: Setting) -> BaseSampler:
    return optuna.samplers.GPSampler(seed=setting.experiment.seed, warn_independent_sampling=False)


def _auto(setting: Setting) -> BaseSampler:
    """The sampler that Optuna recommends; its code comes from Optuna's hub, over the network."""
    try:
        import optunahub

        module = optunahub.load_module("samplers/auto_sampler")
    except Exception as error:
        raise UserError(
            f"the automatic sampler cannot be loaded from Optuna's hub: {first_line(error)}",
            where="sampler",
            remedy="pip install optunahub gitpython and a network, or choose another sampler",
        ) from error
    found: BaseSampler = module.AutoSampler(seed=setting.experiment.seed)
    return found


SAMPLERS: Registry[Callable[[Setting], BaseSampler]] = Registry("sampler", "gensynth.samplers")
"""Functions that make the sampler of an experiment, by the name that ``sampler=`` has.

``setting.experiment.seed`` is the source of its chance.
"""

SAMPLERS.add("auto", _auto)
SAMPLERS.add("generative", generative)
SAMPLERS.add("gp", _gp)
SAMPLERS.add("nsgaii", _nsgaii)
SAMPLERS.add("random", _random)
SAMPLERS.add("tpe", _tpe)
