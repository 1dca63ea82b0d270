"""Is anything learned in twenty or forty trainings on real faces?

    python -m benchmarks.sampler.real_replay ck48
    python -m benchmarks.sampler.real_replay fer2013 --seeds 200 --marks 20 40

Searches are replayed on a table of real trainings (:mod:`benchmarks.sampler.real_table`): nothing
is trained. A search may propose the table's networks and no others, each once, and is told the
score of its training with the first seed. Its result is the network with the best score; the regret
is how much better the table's best is. So luck of the training counts as worth, for every method
alike; how much of it there is, says the correlation between seeds that the table prints.

Sixty networks are a few points of a space of 10^15 or so, so a method has to be held to them. There
are two ways. *Ranked*: the method orders the networks that are left, and takes the first. That is
our sampler as a search has it, but that its drafts are the networks left over, not what θ draws and
what lies near the best; what is measured is what the inquisitor learns. Random draws and the cheap
ones, which our sampler begins with, are ranked too. *Snapped*: the method proposes a point of the
whole space, and gets the network nearest to it that is left, with that network's own decisions.
That is how TPE, evolution and local search are replayed, and our sampler, θ included, once more.
The distance between two networks is the mean over all decisions of |a - b| over the range for
numbers, 0 or 1 for choices, 1 where one of the two does not have the decision.

Regret is shown after some numbers of trainings, and at the price of as many trainings of the
table's mean price (price × epochs × folds: a method that trains cheap networks trains more of
them). p is Wilcoxon's over paired seeds, two-sided, against our sampler.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import TrialState, create_trial

from benchmarks.markdown import markdown, probability
from benchmarks.sampler.methods.evolving import mutated
from benchmarks.sampler.problem import Evaluation, Problem
from benchmarks.sampler.real_table import Network, Table, describe, read_specification, read_table
from benchmarks.sampler.statistics import paired
from gensynth import config
from gensynth.cost import cost
from gensynth.errors import UserError
from gensynth.experiment import Experiment
from gensynth.generator import GenerativeSynthesisSampler
from gensynth.generator.drafts import Drafts
from gensynth.generator.memory import Memory
from gensynth.generator.screen import Draft, Screen
from gensynth.generator.settings import Settings
from gensynth.generator.tracing import Trace
from gensynth.genome import Genome
from gensynth.space import Space, load_space

OURS = "gensynth"
INITIAL = 10
"""Networks that peers draw at random before they begin."""

ALIVE, RIVALS = 10, 5
"""Living networks of evolution, and those that compete for being the parent."""


@dataclass(frozen=True)
class Pool:
    """The networks that searches may train.

    Attributes:
        space: The whole space.
        networks: The networks.
        drafts: What is known of each before training.
        worths: What each training gives, greater is better.
    """

    space: Space
    networks: tuple[Network, ...]
    drafts: tuple[Draft, ...]
    worths: tuple[float, ...]

    @classmethod
    def of(cls, space: Space, networks: Sequence[Network], worths: Sequence[float]) -> Pool:
        """Networks of a space with what they are worth."""
        screen = Screen(space, costs=costs)
        drafts = [screen.known(one.decisions) for one in networks]
        return cls(space, tuple(networks), tuple(drafts), tuple(worths))

    def nearest(self, decisions: Mapping[str, Any], places: Sequence[int]) -> int:
        """Which of some networks is nearest to a point of the space; the first of equals."""
        return min(places, key=lambda place: distance(self.drafts[place], decisions))


def distance(draft: Draft, decisions: Mapping[str, Any]) -> float:
    """Mean difference of two networks over all decisions that either has, 0 to 1."""
    names = draft.decisions.keys() | decisions.keys()
    total = 0.0
    for name in names:
        if name not in decisions or name not in draft.decisions:
            total += 1
        else:
            total += _difference(draft.distributions[name], draft.decisions[name], decisions[name])
    return total / len(names)


def _difference(distribution: BaseDistribution, one: Any, other: Any) -> float:
    if isinstance(distribution, IntDistribution):
        return float(abs(one - other) / max(distribution.high - distribution.low, 1))
    return float(one != other)


@dataclass
class Replay:
    """One search under way.

    Attributes:
        pool: The networks.
        seed: Of the search.
        order: What it has trained, in order.
        left: What it has not.
    """

    pool: Pool
    seed: int
    order: list[int] = field(default_factory=list)
    left: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.left = list(range(len(self.pool.networks)))

    def train(self, place: int) -> float:
        """Trains a network; returns what it is worth."""
        self.left.remove(place)
        self.order.append(place)
        return self.pool.worths[place]


Method = Callable[[Replay], Iterator[int]]
"""Trains networks one after the other, as long as it is asked for more."""


class PoolSampler(GenerativeSynthesisSampler):
    """The project's sampler whose drafts are the networks of a pool that are left.

    Args:
        pool: The networks.
        left: Those that are not trained; may shrink.
        options: Of the sampler.
    """

    def __init__(self, pool: Pool, left: Sequence[int], **options: Any) -> None:
        super().__init__(pool.space, costs=costs, start=pool.space.start, **options)
        self._pool = pool
        self._left = left

    def _ordered(
        self,
        memory: Memory,
        drafts: Drafts,
        define: Any,
        rng: np.random.Generator,
        growth: int,
    ) -> list[Draft]:
        settings = self._settings
        every = [self._pool.drafts[place] for place in self._left]
        if settings.ranked and memory.observed >= settings.startup:
            promises = self._promises(memory.inquisitor(), every, widening=False)
            drafts.admissible = [every[index] for index in np.argsort(-promises, kind="stable")]
        else:
            some = rng.permutation(len(every))[: settings.pool]
            drafts.admissible = self._cheap_first([every[index] for index in some], rng)
        return list(drafts.admissible)


def ranked(
    replay: Replay, *, price: bool = True, settings: Settings | None = None
) -> Iterator[int]:
    """Our sampler on the networks that are left."""
    sampler = PoolSampler(
        replay.pool,
        replay.left,
        price=price_of if price else None,
        seed=replay.seed,
        settings=settings or Settings(),
    )
    study = optuna.create_study(sampler=sampler, direction="maximize")
    places = {id(draft): place for place, draft in enumerate(replay.pool.drafts)}
    by_decisions = {draft.key: places[id(draft)] for draft in replay.pool.drafts}
    while replay.left:
        trial = study.ask()
        replay.pool.space(trial)
        place = by_decisions[Draft(trial.params).key]
        study.tell(trial, replay.train(place))
        yield place


def shuffled(replay: Replay) -> Iterator[int]:
    """The networks in a random order."""
    for place in np.random.default_rng(replay.seed).permutation(replay.left).tolist():
        replay.train(place)
        yield place


def snapped(
    replay: Replay, *, make: Callable[[Pool, int], BaseSampler], initial: int = 0
) -> Iterator[int]:
    """Any sampler of Optuna's kind in the whole space, moved to the nearest network left.

    A proposal is told as failed, and the network that took its place as a trial of its own.

    Args:
        replay: The search.
        make: Makes the sampler from pool and seed.
        initial: Networks drawn at random first.
    """
    pool = replay.pool
    study = optuna.create_study(sampler=make(pool, replay.seed), direction="maximize")
    begun = np.random.default_rng(replay.seed).permutation(replay.left).tolist()[:initial]
    while replay.left:
        if begun:
            place = begun.pop()
        else:
            trial = study.ask()
            pool.space(trial)
            place = pool.nearest(trial.params, replay.left)
            study.tell(trial, state=TrialState.FAIL)
        draft = pool.drafts[place]
        study.add_trial(
            create_trial(
                params=dict(draft.decisions),
                distributions=dict(draft.distributions),
                value=replay.train(place),
            )
        )
        yield place


def evolving(replay: Replay, *, alive: int | None, rivals: int | None) -> Iterator[int]:
    """Regularised evolution; local search around the best where nobody dies and all compete.

    Args:
        replay: The search.
        alive: Living networks; None lets all live.
        rivals: Those that compete for being the parent; None takes all.
    """
    pool = replay.pool
    rng = np.random.default_rng(replay.seed)
    problem = Problem(
        name="real faces",
        define=pool.space,
        directions=("maximize",),
        evaluate=lambda *_: Evaluation((0.0,), 0.0),
        start=pool.space.start,
    )
    begun = rng.permutation(replay.left).tolist()[:INITIAL]
    while replay.left:
        if begun:
            place = begun.pop()
        else:
            living = replay.order[-alive:] if alive else replay.order
            fighting = rng.permutation(living)[: rivals or len(living)].tolist()
            parent = pool.drafts[max(fighting, key=lambda one: pool.worths[one])]
            found = Trace(parent.decisions, parent.distributions, parent.outcome)
            child = mutated(problem, found, 1, rng)
            place = pool.nearest(child.decisions, replay.left)
        replay.train(place)
        yield place


def _tpe(_: Pool, seed: int) -> BaseSampler:
    return TPESampler(seed=seed, multivariate=True, group=True, n_startup_trials=INITIAL)


def _ours(pool: Pool, seed: int) -> BaseSampler:
    return GenerativeSynthesisSampler(
        pool.space, costs=costs, price=price_of, start=pool.space.start, seed=seed
    )


def costs(genome: Genome) -> dict[str, float]:
    """What is known of a network before it is trained, as a search tells its sampler."""
    return cost(genome).metrics()


def price_of(genome: Genome) -> float:
    """What an epoch costs, as the table has it."""
    return Network(decisions={}, hash="", costs=costs(genome)).price


PEERS: dict[str, Method] = {
    "Optuna TPE": partial(snapped, make=_tpe, initial=INITIAL),
    "regularised evolution": partial(evolving, alive=ALIVE, rivals=RIVALS),
    "local search": partial(evolving, alive=None, rivals=None),
}
METHODS: dict[str, Method] = {
    OURS: ranked,
    "random": shuffled,
    "random, cheap ones first": partial(ranked, settings=Settings(ranked=False)),
    **PEERS,
    "gensynth, price unknown": partial(ranked, price=False),
    "gensynth, snapped": partial(snapped, make=_ours),
}
SCORES = {"accuracy": "points of accuracy", "cross-entropy": "nats, one fitted temperature"}


@cache
def pool(name: str, rows: Path | None, score: str) -> Pool:
    """The trained networks of a table.

    Args:
        name: Of the table.
        rows: Other rows than the repository's.
        score: Which of :data:`SCORES` is searched by.

    Raises:
        UserError: If there is no such table.
    """
    table = read_table(name, rows)
    composed = config.load(Experiment, [f"experiment={table.specification.experiment}"])
    space = load_space(composed.search_space, composed.prototype)
    return Pool.of(space, table.trained, worths(table, score))


def worths(table: Table, score: str) -> list[float]:
    """What each trained network of a table is worth by its first training, greater is better."""
    keys = [(one.hash, 0) for one in table.trained]
    if score == "accuracy":
        return [100 * table.accuracy(key) for key in keys]
    return [-table.cross_entropy(key) for key in keys]


def replayed(pool: Pool, method: Method, seed: int, marks: Sequence[int]) -> NDArray[np.float64]:
    """The regret of one search.

    Returns:
        (2, marks): after so many trainings, and at the price of so many of the mean price; that
        of the worst network where nothing is trained yet.
    """
    prices = [one.price for one in pool.networks]
    budget = max(marks) * float(np.mean(prices))
    replay = Replay(pool, seed)
    spent = 0.0
    for place in method(replay):
        spent += prices[place]
        if len(replay.order) >= max(marks) and spent >= budget:
            break
    best, worst = max(pool.worths), min(pool.worths)
    found = list(accumulate((pool.worths[place] for place in replay.order), max, initial=worst))
    paid = np.cumsum([prices[place] for place in replay.order])
    counts = [
        list(marks),
        [int(np.searchsorted(paid, mark * np.mean(prices), side="right")) for mark in marks],
    ]
    return np.asarray([[best - found[count] for count in row] for row in counts])


Task = tuple[str, Path | None, str, str, int, tuple[int, ...]]


def _run(task: Task) -> NDArray[np.float64]:
    name, rows, score, method, seed, marks = task
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    return replayed(pool(name, rows, score), METHODS[method], seed, marks)


def printed(regrets: Mapping[str, NDArray[np.float64]], marks: Sequence[int], unit: str) -> str:
    """The table of one score, and a sentence for each mark.

    Args:
        regrets: By method, (seeds, 2, marks).
        marks: Numbers of trainings.
        unit: Of the regret.
    """
    heads = [f"mean regret in {unit}"]
    heads += [f"{mark} trainings" for mark in marks] + [f"price of {mark}" for mark in marks]
    ours = regrets[OURS].reshape(len(regrets[OURS]), -1)
    rows = []
    for method, found in regrets.items():
        flat = found.reshape(len(found), -1)
        cells = []
        for column in range(flat.shape[1]):
            text = f"{np.mean(flat[:, column]):.4f}"
            if method != OURS:
                text += f" (p {_tested(ours[:, column], flat[:, column])})"
            cells.append(text)
        rows.append([method, *cells])
    return "\n".join([markdown(heads, rows), "", *_sentences(regrets, marks)])


def _sentences(regrets: Mapping[str, NDArray[np.float64]], marks: Sequence[int]) -> Iterator[str]:
    """Whether the sampler is ahead of random and of the best peer."""
    for row, kind in enumerate(("after {} trainings", "at the price of {} trainings")):
        for column, mark in enumerate(marks):
            values = {name: found[:, row, column] for name, found in regrets.items()}
            peers = [name for name in PEERS if name in values]
            others = [name for name in ("random",) if name in values]
            if peers:
                others.append(min(peers, key=lambda name: float(values[name].mean())))
            against = [
                f"{name} {values[name].mean():.4f} (p {_tested(values[OURS], values[name])})"
                for name in others
            ]
            yield f"{kind.format(mark)}: gensynth {values[OURS].mean():.4f}, {', '.join(against)}"


def _tested(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> str:
    return probability(paired(ours, theirs))


def main(arguments: Sequence[str] | None = None) -> int:
    """Replays all searches and prints a table for each score; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sampler.real_replay", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("name", help="of a table in benchmarks/sampler/data/real_table.yaml")
    parser.add_argument("--rows", type=Path, help="file of the rows, if not the repository's")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--marks", type=int, nargs="+", default=[20, 40], help="trainings")
    parser.add_argument("--scores", nargs="+", default=list(SCORES), choices=list(SCORES))
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    try:
        read_specification(options.name)
        table = read_table(options.name, options.rows)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{options.name}: {describe(table)}\n")
    marks = tuple(mark for mark in options.marks if mark < len(table.trained))
    if len(marks) < len(options.marks):
        left_out = sorted(set(options.marks) - set(marks))
        print(f"left out, for want of networks: after {', '.join(map(str, left_out))}\n")
    if not marks:
        return 0
    methods = list(dict.fromkeys([OURS, *options.methods]))
    tasks: list[Task] = [
        (options.name, options.rows, score, method, seed, marks)
        for score in options.scores
        for method in methods
        for seed in range(options.seeds)
    ]
    with ProcessPoolExecutor(options.processes) as processes:
        found = dict(zip(tasks, processes.map(_run, tasks, chunksize=5), strict=True))
    print(f"{len(table.trained)} networks, {options.seeds} seeds; p: Wilcoxon, paired by seed\n")
    for score in options.scores:
        regrets = {
            method: np.asarray(
                [
                    found[options.name, options.rows, score, method, seed, marks]
                    for seed in range(options.seeds)
                ]
            )
            for method in methods
        }
        print(f"{printed(regrets, marks, SCORES[score])}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
