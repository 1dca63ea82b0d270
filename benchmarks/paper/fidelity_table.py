"""How well cheap scores order networks as the confirmation does: figures and a table.

The frames of a test fold are easy or hard for networks alike and for single ones, so a cheap score
that tests on some of the confirmation's folds agrees with it for a reason that no other fold
shares. Such a score is therefore compared with the confirmed accuracy on the other folds too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, f, rankdata

from benchmarks.markdown import markdown
from benchmarks.paper.fidelity_plan import CONFIRMED, Key, Plan
from benchmarks.sampler.looks import synflow
from gensynth.cost import cost
from gensynth.evaluation.disclosure import spelled
from gensynth.execution import Entry
from gensynth.genome import Genome

Vector = NDArray[np.float64]
Statistic = Callable[..., Any]

LEAST = 4
"""Networks below which no correlation is stated."""

RESAMPLES = 5000
NONE = "–"
HEADS = (
    "score",
    "what it is",
    "processor time, % of the confirmation's",
    "networks",
    "compared with the accuracy on",
    "Spearman's ρ [95 %]",
    "Kendall's τ-b [95 %]",
    "best quarter kept in the better half",
)
STATIC: Mapping[str, tuple[str, Callable[[Genome], float]]] = {
    "params": ("number of parameters", lambda genome: cost(genome).params),
    "macs": ("multiply-accumulates", lambda genome: cost(genome).macs),
    "synflow": ("synaptic flow at initialisation", lambda genome: synflow(genome, seed=0)),
}


def spearman(first: Vector, second: Vector, axis: int = -1) -> Vector:
    """Spearman's rank correlation along the last axis, ties by mean ranks; 0 for a constant.

    Args:
        first: (..., networks).
        second: The same shape.
        axis: The last one; for :func:`scipy.stats.bootstrap`.
    """
    ranks = (rankdata(one, axis=-1) for one in (first, second))
    return _cosine(*(one - one.mean(axis=-1, keepdims=True) for one in ranks))


def kendall(first: Vector, second: Vector, axis: int = -1) -> Vector:
    """Kendall's τ-b along the last axis, as :func:`spearman`.

    It is the cosine of the angle between the signs of all pairs' differences (Kendall 1945,
    Biometrika 33:239-251).
    """
    left, right = np.triu_indices(np.shape(first)[-1], 1)
    signs = (np.sign(one[..., left] - one[..., right]) for one in map(np.asarray, (first, second)))
    return _cosine(*signs)


def interval(statistic: Statistic, first: Vector, second: Vector) -> tuple[float, float]:
    """95 % percentile bootstrap interval over networks (Efron 1979, Ann. Statist. 7:1-26).

    Args:
        statistic: :func:`spearman` or :func:`kendall`.
        first: (networks,).
        second: (networks,).
    """
    found = bootstrap(
        (np.asarray(first), np.asarray(second)),
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        method="percentile",
        random_state=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def kept(score: Vector, truth: Vector) -> float:
    """Share of the truly best quarter that is in the better half by a score.

    Both numbers of networks are rounded up. Among equal values those at the cut are drawn by lot,
    and this is the expectation.

    Args:
        score: (networks,), greater is better.
        truth: (networks,), greater is better.
    """
    count = len(score)
    quarter, half = -(-count // 4), -(-count // 2)
    return float(_chances(truth, quarter) @ _chances(score, half) / quarter)


@dataclass(frozen=True)
class Reliability:
    """Share of a variance that is the networks', with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def reliability(accuracies: Vector) -> Reliability:
    """Share of the variance of the networks' mean accuracy over folds that is the networks' own.

    The two-way intraclass correlation ICC(3,k) for consistency with its interval, where folds are
    the judges (Shrout and Fleiss 1979, Psychol. Bull. 86:420-428); it equals Cronbach's α, the mean
    over all splits of the folds into halves of what the Spearman-Brown formula makes of their
    correlation. Training seeds and people differ from fold to fold, so what it calls noise holds
    both. Nothing correlates with these means by more than its root, in expectation, unless it
    shares their noise (Spearman 1904, Am. J. Psychol. 15:72-101).

    Args:
        accuracies: (networks, folds), at least two of each.
    """
    networks, folds = accuracies.shape
    rows, columns = accuracies.mean(axis=1), accuracies.mean(axis=0)
    residuals = accuracies - rows[:, None] - columns + accuracies.mean()
    freedom = networks - 1, (networks - 1) * (folds - 1)
    between = folds * rows.var(ddof=1)
    error = float((residuals**2).sum()) / freedom[1]
    if between == 0:
        return Reliability(0.0, 0.0, 0.0)
    ends = error / between * f.ppf(0.975, *freedom), error / between / f.ppf(0.975, *freedom[::-1])
    return Reliability(1 - error / between, float(1 - ends[0]), float(1 - ends[1]))


class Measured:
    """What is trained of a plan.

    Args:
        plan: The plan.
        known: Results by the key of their training.
    """

    def __init__(self, plan: Plan, known: Mapping[Key, Entry]) -> None:
        self.plan = plan
        self._known = known

    def of(self, name: str) -> dict[str, list[Entry]]:
        """The trainings of a score by network, where all of them are there."""
        found = {}
        for network in self.plan.networks:
            keys = [training.key for training in self.plan.trainings(name, network)]
            if all(key in self._known for key in keys):
                found[network.hash] = [self._known[key] for key in keys]
        return found

    def seconds(self, name: str, entries: Sequence[Entry]) -> float:
        """Processor time of a network's trainings of a score as if it were the only score.

        It counts one pretraining, though scores with seeds in common share it, and though every
        process that has one of the trainings makes it.
        """
        seeds_of = self.plan.conditions[name].name, entries[0].genome, entries[0].phase
        starts = [
            entry.pretraining
            for (condition, genome, _), entry in self._known.items()
            if (condition, genome, entry.phase) == seeds_of
        ]
        return max(starts) + sum(entry.seconds for entry in entries)


def accuracy(entries: Sequence[Entry], folds: Collection[int]) -> float:
    """Share of the test images of some folds that are right."""
    counted = [entry for entry in entries if entry.fold in folds]
    correct = sum(entry.scores["correct"] or 0 for entry in counted)
    return correct / sum(entry.total for entry in counted)


def likelihood(entries: Sequence[Entry], folds: Collection[int]) -> float:
    """Mean logarithm of the probability given to the true class, in nats; NaN if one is unknown.

    It tells networks apart that are right equally often, by how sure they are.
    """
    counted = [entry for entry in entries if entry.fold in folds]
    said = [entry.scores.get("cross_entropy") for entry in counted]
    if any(one is None for one in said):
        return math.nan
    total = sum((one or 0.0) * entry.total for one, entry in zip(said, counted, strict=True))
    return -total / sum(entry.total for entry in counted)


def printed(plan: Plan, known: Mapping[Key, Entry], names: Collection[str]) -> str:
    """What is known so far, as Markdown.

    Args:
        plan: The plan.
        known: Results by the key of their training.
        names: Scores to show.
    """
    measured = Measured(plan, known)
    truth = measured.of(CONFIRMED)
    rows = [row for name in plan.scores if name in names for row in _trained(measured, name, truth)]
    for name, (words, figure) in STATIC.items():
        scores = {one.hash: figure(one) for one in plan.networks if one.hash in truth}
        everything = range(plan.scores[CONFIRMED].folds)
        rows.append([name, words, "no training", *_compared(scores, truth, everything, ())])
    return "\n\n".join([*_notes(measured, truth), markdown(HEADS, rows)])


def _notes(measured: Measured, truth: Mapping[str, list[Entry]]) -> Iterator[str]:
    plan = measured.plan
    (least, most), confirmed = plan.specification.params, plan.scores[CONFIRMED]
    drawn = "SYNTHETIC faces" if plan.experiment.data.kind == "synthetic" else "real faces"
    yield (
        f"{len(truth)} of {len(plan.networks)} networks of {least} to {most} parameters "
        f"around {plan.specification.prototype} are confirmed: "
        f"{plan.experiment.data.kind} ({drawn}), {confirmed.words}."
    )
    if not truth:
        return
    every = range(confirmed.folds)
    found = [accuracy(entries, every) for entries in truth.values()]
    hours = sum(measured.seconds(CONFIRMED, entries) for entries in truth.values()) / 3600
    yield (
        f"Confirmed accuracy from {100 * min(found):.1f} to {100 * max(found):.1f} %, "
        f"{hours:.2f} hours of processor time."
    )
    if len(truth) >= LEAST:
        yield from _reliabilities(plan, truth)
    yield (
        "Cheap scores have training seeds of their own. A score tested on the first folds shares "
        "their images with the confirmation: the row that tells is the one of the other folds. A "
        "score that tells nothing keeps half of the best quarter."
    )


def _reliabilities(plan: Plan, truth: Mapping[str, list[Entry]]) -> Iterator[str]:
    every = range(plan.scores[CONFIRMED].folds)
    compared = {tuple(_others(plan.tested(name), every)) for name in plan.scores}
    for folds in sorted(compared | {tuple(every)}, key=len, reverse=True):
        if len(folds) < 2:
            continue
        found = reliability(
            np.asarray([[accuracy(one, {fold}) for fold in folds] for one in truth.values()])
        )
        root = max(found.value, 0.0) ** 0.5
        yield (
            f"Reliability of the confirmed accuracy on {spelled(folds)}, ICC(3,k): "
            f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]; a score that shares none of "
            f"its noise is not expected to correlate with it by more than {root:.2f}."
        )


def _trained(
    measured: Measured, name: str, truth: Mapping[str, list[Entry]]
) -> Iterator[list[str]]:
    plan = measured.plan
    if name == CONFIRMED:
        return
    found = measured.of(name)
    both = [network for network in found if network in truth]
    spent = sum(measured.seconds(name, found[network]) for network in both)
    whole = sum(measured.seconds(CONFIRMED, truth[network]) for network in both)
    share = f"{100 * spent / whole:.1f}" if whole else NONE
    every, tested = range(plan.scores[CONFIRMED].folds), plan.tested(name)
    others = _others(tested, every)
    words, told = plan.scores[name].words, range(plan.scores[name].folds)
    for figure, also in ((accuracy, ""), (likelihood, "the same, by cross-entropy")):
        scores = {network: figure(entries, told) for network, entries in found.items()}
        if also and not (scores and np.isfinite(list(scores.values())).all()):
            continue
        row = [name, also or words, "" if also else share]
        yield [*row, *_compared(scores, truth, every, tested)]
        if tested and others:
            yield [name, "", "", *_compared(scores, truth, others, tested)]


def _compared(
    scores: Mapping[str, float],
    truth: Mapping[str, list[Entry]],
    folds: Collection[int],
    tested: Collection[int],
) -> list[str]:
    """The cells from the number of networks on."""
    both = [network for network in scores if network in truth]
    shared = sorted({*tested} & {*folds})
    where = spelled(sorted(folds)) + (f", its own {spelled(shared)} among them" if shared else "")
    if len(both) < LEAST:
        return [str(len(both)), where, NONE, NONE, NONE]
    cheap = np.asarray([scores[network] for network in both])
    dear = np.asarray([accuracy(truth[network], folds) for network in both])
    correlations = [
        f"{float(statistic(cheap, dear)):.2f} [{low:.2f}, {high:.2f}]"
        for statistic in (spearman, kendall)
        for low, high in [interval(statistic, cheap, dear)]
    ]
    return [str(len(both)), where, *correlations, f"{100 * kept(cheap, dear):.0f} %"]


def _others(tested: Collection[int], every: Collection[int]) -> list[int]:
    return [fold for fold in every if fold not in tested]


def _cosine(first: Vector, second: Vector) -> Vector:
    norms = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    return np.asarray((first * second).sum(axis=-1) / np.where(norms > 0, norms, 1.0))


def _chances(values: Vector, count: int) -> Vector:
    """Probability of each value to be among the greatest so many, ties broken by lot."""
    cut = np.sort(values)[-count]
    above, at = values > cut, values == cut
    return np.asarray(above + at * (count - above.sum()) / at.sum())
