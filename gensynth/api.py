"""The verbs of the command line, for programs and notebooks.

Settings are those of the command line, as words (``"budget.minutes=5"``) or as arguments:

    >>> import gensynth
    >>> gensynth.settings(constraint="nano_b", minutes=5, data={"subjects": 40})
    ('constraint=nano_b', 'budget.minutes=5', 'data.subjects=40')
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gensynth import config
from gensynth.experiment import Experiment
from gensynth.export import Run
from gensynth.genome import Genome, load

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from gensynth.device import Model
    from gensynth.execution import Watcher

SHORT: Mapping[str, str] = {
    "minutes": "budget.minutes",
    "candidates": "budget.candidates",
    "data_root": "data.root",
    "space": "search_space",
}
"""Arguments with names of their own, and the settings that they are."""


def search(
    *words: str,
    sampler: BaseSampler | str | None = None,
    watcher: Watcher | None = None,
    **arguments: object,
) -> Run:
    """Searches, or goes on with the search of that name; ``gensynth.search`` in Python.

    Args:
        words: Settings as on the command line.
        sampler: Who proposes networks: a name, or any sampler of Optuna.
        watcher: Gets to see how it goes; None watches nothing.
        arguments: Settings as arguments, see :func:`settings`.

    Returns:
        The finished run.

    Raises:
        UserError: For a setting that does not fit, before anything is trained.
        KeyboardInterrupt: After Ctrl-C. Everything is kept; the same call continues.
    """
    named = {"sampler": sampler} if isinstance(sampler, str) else {}
    experiment = config.load(Experiment, settings(*words, **named, **arguments))
    from gensynth.search.run import search as run_search

    instance = None if isinstance(sampler, str) else sampler
    return Run(run_search(experiment, sampler=instance, watcher=watcher)["run"])


def evaluate(
    genome: Genome | str | Path,
    *words: str,
    seeds: int | None = None,
    epochs: int | None = None,
    output: str | Path | None = None,
    watcher: Watcher | None = None,
    **arguments: object,
) -> dict[str, Any]:
    """Trains and tests one network on all folds.

    Args:
        genome: The network, or a file of one.
        words: Settings as on the command line.
        seeds: Whole cross-validations, of which the figures are the mean; 3 when None.
        epochs: Passes over each training part; those of a confirmation when None.
        output: Folder that keeps every trained fold, so that the same call goes on; None keeps
            nothing.
        watcher: Gets to see how it goes; None watches nothing.
        arguments: Settings as arguments, see :func:`settings`.

    Returns:
        The figures, as ``gensynth evaluate --json`` prints them.

    Raises:
        UserError: For a setting or a network that does not fit.
    """
    experiment = config.load(Experiment, settings(*words, **arguments))
    from gensynth.evaluation.protocol import evaluate_network

    network = genome if isinstance(genome, Genome) else load(Path(genome))
    folder = None if output is None else Path(output)
    return evaluate_network(
        network, experiment, seeds=seeds, epochs=epochs, output=folder, watcher=watcher
    )


def train(
    genome: Genome | str | Path,
    *words: str,
    split: str = "all",
    epochs: int | None = None,
    ensemble: bool = False,
    calibration_folds: int = 3,
    **arguments: object,
) -> Model:
    """Trains a network to keep; ``gensynth train`` in Python.

    Args:
        genome: The network, or a file of one.
        words: Settings as on the command line.
        split: ``all`` images; ``fold-N``, the training part of that fold; ``train``, that of an
            official split.
        epochs: Passes over the images; those of a confirmation when None.
        ensemble: Whether to train a network without each fold and distil them into one.
        calibration_folds: Folds that are held out in turn to calibrate by.
        arguments: Settings as arguments, see :func:`settings`.

    Returns:
        A ``torch.nn.Module`` that takes images as they are; ``save`` writes it.

    Raises:
        UserError: For a setting or a network that does not fit, or a training that diverges.
    """
    experiment = config.load(Experiment, settings(*words, **arguments))
    from gensynth.device import train as train_model

    return train_model(
        genome if isinstance(genome, Genome) else load(Path(genome)),
        experiment,
        split=split,
        epochs=epochs,
        ensemble=ensemble,
        calibration_folds=calibration_folds,
    )


def settings(*words: str, **arguments: object) -> tuple[str, ...]:
    """Settings as the command line has them.

    Args:
        words: Settings that are so already; they come first.
        arguments: A name of :data:`SHORT` or a key of the experiment; a mapping sets the keys
            below it.

    Raises:
        TypeError: For a value that no YAML file could hold.
    """
    told = (
        word for name, value in arguments.items() for word in _words(SHORT.get(name, name), value)
    )
    return (*words, *told)


def _words(key: str, value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _words(f"{key}.{name}", inner)
    else:
        text = str(value) if isinstance(value, str | Path) else json.dumps(value)
        yield f"{key}={text}"
