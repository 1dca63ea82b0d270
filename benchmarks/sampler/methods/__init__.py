"""Every method by the name that tables show.

A method is a function that spends the budget of a record, and returns the generator that it has
learned if it learns one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.sampler.methods import evolving, nevergrads, optunas, ours, pymoos, smac3
from benchmarks.sampler.record import Record
from gensynth.generator import Generator, Settings

Method = Callable[[Record], Generator | None]

OURS = "gensynth"
ABLATIONS: dict[str, Method] = {
    "no surrogate": partial(ours.search, settings=Settings(ranked=False)),
    "generator frozen": partial(ours.search, settings=Settings(step_limit=0.0)),
    "no costs known": partial(ours.search, costs=False),
    "shuffled U": partial(ours.search, shuffled=True),
}
CONTROLS: dict[str, Method] = {"random around φ": evolving.random}
THINNING: dict[str, Method] = {"uniform thinning of φ": evolving.thinning}
PEERS: dict[str, Method] = {
    "local search": partial(evolving.evolution, initial=10, population=10**9, tournament=10**9),
    "regularised evolution": partial(evolving.evolution, initial=30, population=30, tournament=10),
    **optunas.METHODS,
    "pymoo": pymoos.search,
    "Nevergrad": nevergrads.search,
    "SMAC3": smac3.search,
}
METHODS: dict[str, Method] = {
    OURS: ours.search,
    **CONTROLS,
    **THINNING,
    **PEERS,
    **ABLATIONS,
}
