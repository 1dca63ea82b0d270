"""Searching problems in closed form: nothing is trained, and the truth is known."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from math import log10
from pathlib import Path
from typing import Any

import yaml

from benchmarks.sampler import towers
from gensynth.cost import cost
from gensynth.generator import GenerativeSynthesisSampler
from gensynth.genome import Genome
from gensynth.space import load_space

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Landscape:
    """A space with a prototype, bounds and a performance.

    Attributes:
        name: A label.
        define: The space.
        start: The prototype's decisions.
        static: Violations known before training.
        measured: (violation of the trained bound, U) of a network and its decisions.
        key: Identity of a network.
        costs: Exact metrics of a network.
    """

    name: str
    define: Callable[[Any], Any]
    start: Mapping[str, Any]
    static: Callable[[Any], Mapping[str, float]]
    measured: Callable[[Any, Mapping[str, Any]], tuple[float, float]]
    key: Callable[[Any], Hashable]
    costs: Callable[[Any], Mapping[str, float]]


def sampler(landscape: Landscape, seed: int, **options: Any) -> GenerativeSynthesisSampler:
    """The sampler with what is known of a landscape; U is the trial's ``performance``."""
    return GenerativeSynthesisSampler(
        landscape.define,
        violations=landscape.static,
        key=landscape.key,
        costs=landscape.costs,
        start=landscape.start,
        performance=lambda trial: trial.user_attrs["performance"],
        seed=seed,
        **options,
    )


def tower_landscape() -> Landscape:
    """Towers of layers (``towers.py``): accuracy >= 0.7, 60 000 parameters at most."""
    return Landscape(
        name="towers",
        define=towers.define,
        start=towers.START,
        static=towers.violations,
        measured=lambda tower, _: (towers.missing(tower), towers.performance(tower)),
        key=lambda tower: tower,
        costs=lambda tower: {"params": tower.params},
    )


def residual_landscape(
    params: int = 136_000, accuracy: float = 0.92, *, novelty: float = 0.0
) -> Landscape:
    """The residual space with an invented accuracy.

    Errors fall with parameters and MACs, and every value of every decision has an effect of its own
    (fixed by a hash of its name), plus a little noise that belongs to the network.

    Args:
        params: Greatest number of parameters.
        accuracy: Least accuracy.
        novelty: Share of every effect that is another data set's and has nothing to do with the
            first's.
    """
    space = load_space(
        yaml.safe_load((ROOT / "search_spaces/residual.yaml").read_text()),
        yaml.safe_load((ROOT / "prototypes/resnet20.yaml").read_text()),
    )

    def measured(genome: Genome, decisions: Mapping[str, Any]) -> tuple[float, float]:
        found = cost(genome)
        values = [f"{name}={_coarse(value)}" for name, value in decisions.items()]
        effects = [(1 - novelty) * _effect(value) for value in values]
        if novelty:
            effects = [
                effect + novelty * _effect(f"other {value}")
                for effect, value in zip(effects, values, strict=True)
            ]
        error = (
            0.02
            + 0.09 * (found.params / 20_000) ** -0.5
            + 0.06 * (found.macs / 5e6) ** -0.5
            + 0.6 * (sum(effects) / len(effects) - 0.5)
            + 0.01 * (_effect(genome.hash) - 0.5)
        )
        reached = max(1 - error, 0.01)
        score = 20 * log10((100 * reached) ** 2 / (found.params / 1e6 * found.macs / 1e9) ** 0.5)
        return (accuracy - reached) / accuracy, score

    return Landscape(
        name="residual",
        define=space,
        start=dict(space.start),
        static=lambda genome: {"params.max": cost(genome).params / params - 1},
        measured=measured,
        key=lambda genome: genome.hash,
        costs=lambda genome: cost(genome).metrics(),
    )


def _effect(name: str) -> float:
    """A number in [0, 1] that belongs to a name."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big") / 2**32


def _coarse(value: Any) -> Any:
    return int(log10(value) * 6) if type(value) is int and value > 5 else value
