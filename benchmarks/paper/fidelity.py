"""Which cheap scores order networks of one size as the confirmation does?

A search is as good as the score that it stops candidates by.
``benchmarks/paper/data/fidelity.yaml`` names networks of one size and ways to score them: the rungs
of an experiment's search, fewer or more folds and epochs, fewer pixels, fewer people, drawn faces.
Every one of them is trained and then confirmed as the experiment confirms its finalists; the table
says how the two orders agree, at which cost, and how reliable the confirmation is itself.

    python -m benchmarks.paper.fidelity --data-root DIR

Every training is a line of a journal, written as soon as it ends, network after network, so it can
be stopped at any time, the same command goes on, and ``--only-print`` makes the table of what there
is. Seconds in these journals are processor time.

Not among the scores: weights inherited from a shared-weight network over the whole space, since the
project trains every network from scratch and has no network that holds the others; and the
inquisitor's expectation, which needs more trained networks than these
(:mod:`benchmarks.sampler.probes` has it on the table of trained networks).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.options import INTERRUPTED, add_data, overridden, positive, selected
from benchmarks.paper.fidelity_plan import (
    CONFIRMED,
    SPECIFICATION,
    Condition,
    Key,
    Plan,
    Training,
    load_experiment,
    read_specification,
)
from benchmarks.paper.fidelity_table import printed
from gensynth.data import Dataset, Fold, load
from gensynth.errors import UserError
from gensynth.evaluation.directory import fingerprint
from gensynth.execution import Entry, Journal
from gensynth.execution.files import first_difference, replace_file
from gensynth.execution.journal import read
from gensynth.training import FoldResult, train_fold

RESULTS = Path(__file__).parents[1] / "results" / "fidelity"

Known = dict[Key, Entry]


def planned(plan: Plan, names: Collection[str]) -> list[list[Training]]:
    """The trainings of each network, each training once, cheap ones first."""
    return [
        list(
            {
                training.key: training
                for name in plan.scores
                if name in names
                for training in plan.trainings(name, network)
            }.values()
        )
        for network in plan.networks
    ]


def known_results(plan: Plan, folder: Path) -> Known:
    """What earlier calls have trained under a plan's conditions.

    Raises:
        UserError: If a line is JSON but no entry of a journal.
    """
    found: Known = {}
    for name in {condition.name: None for condition in plan.conditions.values()}:
        path = _journal(folder, name)
        if path.exists():
            found |= {(name, entry.genome, entry.unit): entry for entry in read(path)}
    return found


def expected_seconds(left: Iterable[Training], known: Known, plan: Plan) -> float | None:
    """Processor time of trainings by what known ones took for their work.

    A condition of which nothing is known is taken to run as fast as all others together.

    Args:
        left: The trainings.
        known: Results.
        plan: For the networks behind the results.

    Returns:
        Seconds; None if nothing is known.
    """
    paid = _paid(known, plan)
    if not paid:
        return None
    seconds, work = map(sum, zip(*paid.values(), strict=True))
    rates = {condition: spent / done for condition, (spent, done) in paid.items()}
    return sum(one.work * rates.get(one.condition.name, seconds / work) for one in left)


def measure(
    plan: Plan,
    names: Collection[str],
    folder: Path,
    *,
    processes: int = 2,
    tell: Callable[[str], None] = lambda _: None,
) -> int:
    """Trains what is missing, network after network.

    Args:
        plan: The plan.
        names: Scores wanted.
        folder: Where the journals are.
        processes: How many trainings run at a time, one thread each.
        tell: Is told how it goes.

    Returns:
        Number of trainings done.

    Raises:
        UserError: If data cannot be loaded or are not those of the journal, or another process
            writes it.
    """
    known = known_results(plan, folder)
    parts = [[one for one in part if one.key not in known] for part in planned(plan, names)]
    left = {one.key: one for part in parts for one in part}
    owner = {one.key: number for number, part in enumerate(parts) for one in part}
    open_parts = Counter(owner.values())
    tell(remaining(left.values(), known, plan, processes))
    with ExitStack() as stack:
        journals = {
            condition.name: stack.enter_context(_opened(condition, folder))
            for condition in {one.condition: None for one in left.values()}
        }
        for training, result in _trained(list(left.values()), processes):
            entry = Entry.of(training.phase, None, training.genome.hash, result)
            journals[training.condition.name].append(entry)
            known[training.key] = entry
            del left[training.key]
            number = owner[training.key]
            open_parts[number] -= 1
            if not open_parts[number]:
                told = remaining(left.values(), known, plan, processes)
                tell(f"network {number + 1} of {len(parts)} is done; {told}")
    return len(owner)


def remaining(left: Collection[Training], known: Known, plan: Plan, processes: int) -> str:
    """How much is left, in words."""
    if not left:
        return "nothing is left to train"
    seconds = expected_seconds(left, known, plan)
    words = f"trainings left: {len(left)}"
    if seconds is None:
        return f"{words}; none was measured yet to tell how long they take"
    minutes = seconds / processes / 60
    long = f"{minutes:.0f} minutes" if minutes < 100 else f"{minutes / 60:.1f} hours"
    return f"{words}, about {long} of {processes} core{'s' if processes > 1 else ''}"


def train(training: Training) -> FoldResult:
    """One training; its seconds are processor time."""
    dataset, laid = _loaded(training.condition)
    return train_fold(
        training.genome,
        dataset,
        laid[training.unit.fold],
        epochs=training.unit.epochs,
        seed=training.unit.seed,
        recipe=training.condition.recipe,
        clock=time.process_time,
    )


def with_fewer_people(fold: Fold, dataset: Dataset, share: float) -> Fold:
    """A fold with the images of some of its people to train on, the same for every network.

    Args:
        fold: The fold.
        dataset: The data.
        share: Of the people, who are drawn at random by the fold's number.

    Raises:
        UserError: If nobody is known.
    """
    if share == 1:
        return fold
    if dataset.subjects is None:
        raise UserError("nobody is known, so there is no share of people", where=dataset.name)
    whose = dataset.subjects[fold.train]
    people = np.random.default_rng(fold.index).permutation(np.unique(whose))
    few = people[: max(1, round(share * len(people)))]
    return replace(fold, train=fold.train[np.isin(whose, few)])


@cache
def _loaded(condition: Condition) -> tuple[Dataset, tuple[Fold, ...]]:
    dataset = load(condition.data)
    laid = condition.folds.lay(dataset)
    return dataset, tuple(with_fewer_people(one, dataset, condition.subjects) for one in laid)


def _trained(
    trainings: Sequence[Training], processes: int
) -> Iterator[tuple[Training, FoldResult]]:
    """Trains in some processes, each of which begins with a short training that is not counted.

    The first one in a process loads compiled loops, which takes longer than an epoch.
    """
    if not trainings:
        return
    first = replace(trainings[0], unit=replace(trainings[0].unit, epochs=1))
    if processes == 1:
        train(first)
        yield from ((training, train(training)) for training in trainings)
        return
    pool = ProcessPoolExecutor(processes, get_context("spawn"), train, (first,))
    try:
        running = {pool.submit(train, training): training for training in trainings}
        for done in as_completed(running):
            yield running[done], done.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _paid(known: Known, plan: Plan) -> dict[str, tuple[float, float]]:
    """Seconds and work of the results under each condition."""
    paid: dict[str, tuple[float, float]] = {}
    models = {
        (one.condition.name, one.genome.hash): one
        for part in planned(plan, plan.scores)
        for one in part
    }
    for (condition, network, unit), entry in known.items():
        model = models.get((condition, network))
        if model is not None:
            seconds, work = paid.get(condition, (0.0, 0.0))
            done = replace(model, unit=unit).work
            spent = entry.seconds + entry.pretraining
            paid[condition] = (seconds + spent, work + done)
    return paid


def _journal(folder: Path, condition: str) -> Path:
    return folder / condition / "journal.jsonl"


def _opened(condition: Condition, folder: Path) -> Journal:
    """The journal of a condition, whose images have to be those that it began with."""
    dataset, _ = _loaded(condition)
    path = _journal(folder, condition.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = Journal(path)
    written = path.with_name("condition.json")
    now = {**condition.plain(), "images": fingerprint(dataset)}
    before = json.loads(written.read_text(encoding="utf-8")) if written.exists() else now
    found = first_difference(before, json.loads(json.dumps(now)))
    if found is not None:
        journal.close()
        raise UserError(f"{found[0]} is {found[1]} there but {found[2]} now", where=str(written))
    replace_file(written, json.dumps(now, indent=1) + "\n")
    return journal


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains what is missing and prints the table; returns the exit status."""
    options = _options(arguments)
    overrides = overridden(options)
    try:
        specification = read_specification(options.specification)
        plan = Plan(specification, load_experiment(specification, overrides), options.networks)
        names = selected(plan.scores, options.scores, what="score")
        status = _measured(plan, names, options)
        known = known_results(plan, options.results)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    left = [one for part in planned(plan, names) for one in part if one.key not in known]
    print(printed(plan, known, names))
    print(f"\n{remaining(left, known, plan, options.processes)}")
    return status


def _measured(plan: Plan, names: Collection[str], options: argparse.Namespace) -> int:
    if options.only_print:
        return 0
    told = partial(print, file=sys.stderr, flush=True)
    try:
        measure(plan, names, options.results, processes=options.processes, tell=told)
    except KeyboardInterrupt:
        print("stopped, everything is kept; the same command goes on", file=sys.stderr)
        return INTERRUPTED
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.paper.fidelity", description=(__doc__ or "").splitlines()[0]
    )
    add = parser.add_argument
    add_data(parser)
    add("--networks", type=positive, metavar="N", help="so many networks; fewer are the first ones")
    add("--scores", metavar="A,B", help=f"only these, {CONFIRMED} included; all when not given")
    add("--processes", type=positive, default=2, help="trainings at a time (2)")
    add("--only-print", action="store_true", help="train nothing")
    add("--results", type=Path, default=RESULTS, help="where what is trained is kept")
    add("--specification", type=Path, default=SPECIFICATION, help="what is compared")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
