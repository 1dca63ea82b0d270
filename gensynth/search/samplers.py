"""The samplers that an experiment can name."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler

from gensynth.errors import UserError, first_line
from gensynth.search.generative import generative
from gensynth.search.preparation import Setting
from gensynth.validation import alternatives


def register_sampler(name: str, make: Callable[[Setting], BaseSampler]) -> None:
    """Adds a sampler that experiments can name.

    Args:
        name: What ``sampler=`` says.
        make: Makes it for an experiment; ``setting.experiment.seed`` is the source of its chance.
    """
    _SAMPLERS[name] = make


def named_sampler(setting: Setting) -> BaseSampler:
    """The sampler that an experiment names, seeded by it.

    Raises:
        UserError: If there is none of that name, or it cannot be had.
    """
    name = setting.experiment.sampler
    if name not in _SAMPLERS:
        raise UserError(
            f"there is no sampler {name!r}", where="sampler", remedy=alternatives(name, _SAMPLERS)
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return _SAMPLERS[name](setting)


def _tpe(setting: Setting) -> BaseSampler:
    """Joint distributions of decisions that are asked together, as conditional spaces need."""
    return optuna.samplers.TPESampler(seed=setting.experiment.seed, multivariate=True, group=True)


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


_SAMPLERS: dict[str, Callable[[Setting], BaseSampler]] = {
    "auto": _auto,
    "generative": generative,
    "gp": _gp,
    "nsgaii": lambda setting: optuna.samplers.NSGAIISampler(
        seed=setting.experiment.seed, population_size=16
    ),
    "random": lambda setting: optuna.samplers.RandomSampler(seed=setting.experiment.seed),
    "tpe": _tpe,
}
