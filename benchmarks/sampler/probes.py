"""Which cheap looks inside a network tell its accuracy, among networks of one size?

``python -m benchmarks.sampler.probes`` prints, for a random part of the table of trained networks
(:mod:`benchmarks.sampler.table`, SYNTHETIC faces):

1. rank correlations of every look (:mod:`benchmarks.sampler.looks`) with the tabled accuracy, over
   all networks and inside tenths of equal parameters and of equal multiply-accumulates;
2. whether a look, as one more cost, makes the sampler's inquisitor rank networks that it has not
   seen better than their decisions and costs alone do;
3. whether the importance of what a single decision would take away tells how much accuracy that
   costs.

``--measure`` takes the looks that ``benchmarks/sampler/data/probes.csv`` lacks, with other training
seeds and other validation people than the table's, and can be stopped at any time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from optuna.study import StudyDirection
from optuna.trial import create_trial
from scipy.stats import kendalltau, spearmanr, wilcoxon

from benchmarks.sampler.looks import ZERO_COST
from benchmarks.sampler.prober import EPOCHS, MOVE, columns, known_value, measure, moves, read
from benchmarks.sampler.table import COSTS, Entry, Table, load
from gensynth.generator import Generator
from gensynth.generator.history import observe
from gensynth.generator.inquisitor import Inquisitor
from gensynth.generator.screen import Screen
from gensynth.generator.tracing import trace

NETWORKS = 400
BANDS = 10
REPEATS = 50
CREDITED = 20
TRAINED = (20, 50, 100)
FEW = ("accuracy", "loss", "scale", "importance", "importance.per_param")

Vector = NDArray[np.float64]
Score = Callable[[Vector, Vector], Any]


class Probed:
    """Networks that are in the table and were looked at.

    Attributes:
        entries: The networks.
        accuracy: Tabled, mean over training seeds.
        looks: Every look and cost by name, (networks,) each.
        bands: For parameters and multiply-accumulates, the indices of the networks of each tenth.
    """

    def __init__(self, table: Table, looks: Mapping[str, Mapping[str, float]]) -> None:
        self.table = table
        self.entries = [entry for entry in table.entries if entry.hash in looks]
        self.accuracy = np.asarray([np.mean(entry.accuracies) for entry in self.entries])
        self.repeats = np.asarray([entry.accuracies for entry in self.entries])
        self.looks = {
            name: np.asarray([entry.costs[name] for entry in self.entries]) for name in COSTS
        } | {
            name: np.asarray([looks[entry.hash][name] for entry in self.entries])
            for name in columns(table)
            if not name.startswith(MOVE)
        }
        self.taken = [
            {name: value for name, value in looks[entry.hash].items() if name.startswith(MOVE)}
            for entry in self.entries
        ]
        self.bands = {
            name: [
                np.sort(part)
                for part in np.array_split(np.argsort(self.looks[name], kind="stable"), BANDS)
            ]
            for name in ("params", "macs")
        }


def rank(first: Vector, second: Vector, score: Score = spearmanr) -> float:
    """A rank correlation; 0 where one side is constant."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(score(first, second).statistic)


def banded(first: Vector, second: Vector, bands: Sequence[NDArray[np.int64]]) -> float:
    """Mean rank correlation inside bands."""
    return float(np.mean([rank(first[band], second[band]) for band in bands]))


def correlations(probed: Probed) -> Iterator[str]:
    """Rows of the first table."""
    yield f"{len(probed.entries)} networks, SYNTHETIC faces; rank correlation with tabled accuracy"
    yield f"{'':<28}{'Spearman':>10}{'Kendall':>10}{'in params':>11}{'in MACs':>10}"
    first, second = probed.repeats[:, 0], probed.repeats[:, 1]
    rows = {"one training seed, other one": (first, second)}
    rows |= {name: (look, probed.accuracy) for name, look in probed.looks.items()}
    for name, (look, truth) in rows.items():
        inside = [banded(look, truth, probed.bands[cost]) for cost in ("params", "macs")]
        found = (rank(look, truth), rank(look, truth, kendalltau), *inside)
        yield f"{name:<28}" + "".join(f"{value:>10.2f}" for value in found)


class Learner:
    """The sampler's inquisitor on networks of the table.

    Args:
        probed: The networks.
        known: Costs and looks that it is told beside the decisions.
    """

    def __init__(self, probed: Probed, known: Sequence[str]) -> None:
        table = probed.table
        at = {entry.hash: index for index, entry in enumerate(probed.entries)}

        def costs(entry: Entry) -> Mapping[str, float]:
            return {
                name: entry.costs[name]
                if name in entry.costs
                else float(probed.looks[name][at[entry.hash]])
                for name in known
            }

        self._costs = costs
        self._screen = Screen(define=table.define, key=table.key, costs=costs)
        plans = [trace(table.define, partial(known_value, one.decisions)) for one in probed.entries]
        self._seen = [
            observe(
                create_trial(
                    params=dict(plan.decisions),
                    distributions=dict(plan.distributions),
                    value=float(accuracy),
                ),
                [StudyDirection.MAXIMIZE],
                self._screen,
                None,
            )
            for plan, accuracy in zip(plans, probed.accuracy, strict=True)
        ]
        met = {name: found for plan in plans for name, found in plan.distributions.items()}
        self._decisions = {name: Generator().decision(name, found) for name, found in met.items()}

    def predicted(self, trained: Sequence[int], queried: Sequence[Entry]) -> Vector:
        """Expected accuracy of some networks once others are trained."""
        inquisitor = Inquisitor(
            [self._seen[index] for index in trained], self._decisions, self._screen
        )
        decisions = [entry.decisions for entry in queried]
        return inquisitor.predict(decisions, [self._costs(entry) for entry in queried]).mean


TOLD: dict[str, tuple[str, ...]] = {
    "decisions and costs": COSTS,
    "decisions alone": (),
    **{f"+ {name}": (*COSTS, name) for name in ZERO_COST},
    "+ all zero-cost": (*COSTS, *ZERO_COST),
    **{f"+ {name}@{epochs}": (*COSTS, f"{name}@{epochs}") for epochs in EPOCHS for name in FEW},
}
USUAL = "decisions and costs"


def ranked(probed: Probed, repeat: int) -> dict[tuple[str, int], tuple[float, float]]:
    """One random choice of trained networks.

    Returns:
        By what the inquisitor is told and the number of trained networks: Spearman's correlation
        of its expectation with the truth over the others, and inside their bands of parameters.
    """
    order = np.random.default_rng(repeat).permutation(len(probed.entries))
    found = {}
    for told, known in TOLD.items():
        learner = Learner(probed, known)
        for count in TRAINED:
            queried = order[count:]
            expected = np.full(len(order), np.nan)
            asked = [probed.entries[index] for index in queried]
            expected[queried] = learner.predicted(order[:count].tolist(), asked)
            bands = [np.intersect1d(band, queried) for band in probed.bands["params"]]
            found[told, count] = (
                rank(expected[queried], probed.accuracy[queried]),
                banded(expected, probed.accuracy, bands),
            )
    return found


def surrogates(repeats: Sequence[Mapping[tuple[str, int], tuple[float, float]]]) -> Iterator[str]:
    """Rows of the second table."""
    yield (
        f"the inquisitor's rank correlation on networks not trained, mean of {len(repeats)} "
        "random choices: overall, inside tenths of parameters, and p (Wilcoxon, paired, inside) "
        f"against {USUAL}"
    )
    yield f"{'told':<34}" + "".join(f"{f'{count} trained':>24}" for count in TRAINED)
    for told in TOLD:
        cells = ""
        for count in TRAINED:
            overall, inside = np.asarray([one[told, count] for one in repeats]).T
            usual = np.asarray([one[USUAL, count][1] for one in repeats])
            p = f"{wilcoxon(inside, usual).pvalue:.2g}" if told != USUAL else ""
            cells += f"{f'{overall.mean():.2f} {inside.mean():.3f} {p:>7}':>24}"
        yield f"{told:<34}{cells}"


class Move(NamedTuple):
    """One decision of one network made cheaper.

    Attributes:
        network: Index of the network.
        name: The decision.
        lost: Accuracy that it costs, by the table.
        importance: What a look says is taken away.
        params: Parameters taken away.
        macs: Multiply-accumulates taken away.
        target: The cheaper network.
    """

    network: int
    name: str
    lost: float
    importance: float
    params: float
    macs: float
    target: Entry


def all_moves(probed: Probed) -> list[Move]:
    """Every move of every network."""
    table = probed.table
    found = []
    for index, (entry, taken) in enumerate(zip(probed.entries, probed.taken, strict=True)):
        for name, cheaper in moves(table, entry):
            target = table.entry(cheaper)
            found.append(
                Move(
                    network=index,
                    name=name,
                    lost=probed.accuracy[index] - float(np.mean(target.accuracies)),
                    importance=taken[MOVE + name],
                    params=entry.costs["params"] - target.costs["params"],
                    macs=entry.costs["macs"] - target.costs["macs"],
                    target=target,
                )
            )
    return found


def predictors(probed: Probed, found: Sequence[Move]) -> dict[str, Vector]:
    """What could tell how much accuracy each move costs, (moves,) each; NaN where unknown."""
    told = {
        "parameters taken away": np.asarray([move.params for move in found]),
        "MACs taken away": np.asarray([move.macs for move in found]),
        "importance taken away": np.asarray([move.importance for move in found]),
    }
    learner = Learner(probed, COSTS)
    for count in TRAINED:
        sums, times = np.zeros(len(found)), np.zeros(len(found))
        for repeat in range(CREDITED):
            order = np.random.default_rng(repeat).permutation(len(probed.entries))
            trained = order[:count].tolist()
            known = {probed.entries[index].hash for index in trained}
            asked = [
                index
                for index, move in enumerate(found)
                if probed.entries[move.network].hash not in known and move.target.hash not in known
            ]
            before = learner.predicted(
                trained, [probed.entries[found[index].network] for index in asked]
            )
            after = learner.predicted(trained, [found[index].target for index in asked])
            sums[asked] += before - after
            times[asked] += 1
        told[f"inquisitor, {count} trained"] = sums / np.where(times, times, np.nan)
    return told


def credits(probed: Probed) -> Iterator[str]:
    """Rows of the third table."""
    found = all_moves(probed)
    lost = np.asarray([move.lost for move in found])
    network = np.asarray([move.network for move in found])
    name = np.asarray([move.name for move in found])
    told = predictors(probed, found)
    yield (
        f"{len(found)} moves of {len(probed.entries)} networks; rank correlation (Spearman) with "
        "the accuracy that they cost: over all moves, mean inside networks, mean inside one "
        "decision's moves"
    )
    yield f"{'':<28}{'all':>8}{'network':>10}{'decision':>10}"
    for label, values in told.items():
        there = np.isfinite(values)
        row = [rank(values[there], lost[there])]
        for owner in (network, name):
            groups = [np.flatnonzero(there & (owner == one)) for one in np.unique(owner)]
            row.append(banded(values, lost, [group for group in groups if len(group) > 2]))
        yield f"{label:<28}{row[0]:>8.2f}{row[1]:>10.2f}{row[2]:>10.2f}"
    yield "importance taken away, with what the inquisitor's expectation leaves of that accuracy"
    importance = told["importance taken away"]
    for count in TRAINED:
        expected = told[f"inquisitor, {count} trained"]
        there = np.flatnonzero(np.isfinite(expected))
        left = lost[there] - expected[there]
        result = spearmanr(importance[there], left)
        yield f"{count} trained: {result.statistic:.2f} (p {result.pvalue:.2g})"


def main() -> None:
    """Takes the looks or prints the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--measure", action="store_true", help="take the looks that are missing")
    parser.add_argument("--networks", type=int, default=NETWORKS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    table = load()
    if options.measure:
        measure(table, networks=options.networks, processes=options.processes)
    probed = Probed(table, read())
    print("\n".join(correlations(probed)), flush=True)
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        repeats = list(pool.map(partial(ranked, probed), range(options.repeats)))
    print("\n" + "\n".join(surrogates(repeats)), flush=True)
    print("\n" + "\n".join(credits(probed)))


if __name__ == "__main__":
    main()
