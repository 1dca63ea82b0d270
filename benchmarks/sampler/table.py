"""A table of trained networks: a small part of the residual space, every network of it trained.

``benchmarks/sampler/data/table.yaml`` says which networks, on which faces and how they are trained;
``benchmarks/sampler/data/table.csv`` holds what came out, so that searches can be compared without
training anything. ``python -m benchmarks.sampler.table`` prints what the table holds, ``--build``
trains what it lacks: one row a network is appended as soon as the network is trained, so it can be
stopped at any time and goes on where it was. The faces are SYNTHETIC: accuracies say nothing about
people.
"""

from __future__ import annotations

import argparse
import csv
import io
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch.nn.functional import cross_entropy

from benchmarks.sampler.subspace import Free, Specification, Steps, SubSpace
from gensynth.cost import cost
from gensynth.data import SyntheticConfig
from gensynth.data import load as load_data
from gensynth.genome import Genome
from gensynth.space import Chooser, Value
from gensynth.training import fit

DATA = Path(__file__).parent / "data"
SPECIFICATION = DATA / "table.yaml"
ROWS = DATA / "table.csv"
COSTS = ("params", "macs", "peak_memory")
ORDER_SEED = 0
_MARK = "# specification: "

Faces = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Entry:
    """A network of the table.

    Attributes:
        decisions: Value of every free decision that was asked.
        hash: The genome's.
        costs: Static metrics.
        accuracies: Share of the test images that are right, one a training seed.
        seconds: Processor time of one training, mean over the training seeds.
    """

    decisions: Mapping[str, Value]
    hash: str
    costs: Mapping[str, float]
    accuracies: tuple[float, ...]
    seconds: float


class Table:
    """A searching problem whose networks are all trained.

    Args:
        specification: What the table is of.
        entries: Its networks.
    """

    def __init__(self, specification: Specification, entries: Sequence[Entry]) -> None:
        self.specification = specification
        self.entries = tuple(entries)
        self.space = SubSpace(specification)
        self._by_decisions = {_identity(entry.decisions): entry for entry in entries}

    @property
    def start(self) -> Mapping[str, Value]:
        """φ's decisions."""
        return self.space.start

    def define(self, trial: Chooser) -> Entry:
        """The space as a define-by-run function.

        Args:
            trial: Decides: an Optuna trial, for example.

        Returns:
            The network's entry.

        Raises:
            LookupError: If the network is not trained yet.
        """
        return self.entry(self.space.ask(trial))

    def entry(self, decisions: Mapping[str, Value]) -> Entry:
        """The row of a network.

        Args:
            decisions: All that it asks, and no others.

        Raises:
            LookupError: If the network is not trained yet.
        """
        entry = self._by_decisions.get(_identity(decisions))
        if entry is None:
            raise LookupError(
                f"no row for {decisions}; "
                "python -m benchmarks.sampler.table --build trains what is missing"
            )
        return entry

    def metrics(self, entry: Entry) -> dict[str, float]:
        """``accuracy`` (mean over training seeds, 0 to 1), static costs, ``seconds``."""
        accuracy = float(np.mean(entry.accuracies))
        return {"accuracy": accuracy, **entry.costs, "seconds": entry.seconds}

    def key(self, entry: Entry) -> str:
        """Identity of the network."""
        return entry.hash

    def genome(self, entry: Entry) -> Genome:
        """The network."""
        return self.space.genome(entry.decisions)

    @cached_property
    def repeatability(self) -> float:
        """Share of the variance of one training's accuracy that is the network's, not the seed's.

        The one-way random-effects intraclass correlation ICC(1,1) of Shrout and Fleiss 1979.
        """
        found = np.asarray([entry.accuracies for entry in self.entries])
        repeats = found.shape[1]
        between = repeats * found.mean(axis=1).var(ddof=1)
        within = found.var(axis=1, ddof=1).mean()
        return float((between - within) / (between + (repeats - 1) * within))


def load(rows: Path = ROWS, specification: Path = SPECIFICATION) -> Table:
    """Reads the table; nothing is trained.

    Args:
        rows: CSV file.
        specification: YAML file.

    Raises:
        ValueError: If the rows were made by another specification.
    """
    known = read_specification(specification)
    return Table(known, _read(rows, known))


def read_specification(path: Path = SPECIFICATION) -> Specification:
    """Reads what is to be trained."""
    return Specification.model_validate(yaml.safe_load(path.read_text()))


def build(
    *,
    rows: Path = ROWS,
    specification: Path = SPECIFICATION,
    processes: int = 2,
    limit: int | None = None,
) -> int:
    """Trains what the table lacks, in an order that makes a part of it a fair sample.

    Args:
        rows: CSV file, appended to; begun if it does not exist.
        specification: YAML file.
        processes: How many networks are trained at a time, one thread each.
        limit: Stop after so many networks.

    Returns:
        Networks trained.
    """
    known = read_specification(specification)
    done = {_identity(entry.decisions) for entry in _read(rows, known)} if rows.exists() else set()
    points = list(SubSpace(known).points())
    np.random.default_rng(ORDER_SEED).shuffle(points)
    missing = [point for point in points if _identity(point) not in done][:limit]
    if not rows.exists():
        rows.write_text(_header(known))
    with rows.open("a", newline="") as file:
        for entry in _trained(known, missing, processes):
            file.write(_row(known, entry))
            file.flush()
    return len(missing)


def faces(specification: Specification, seeds: Sequence[int]) -> Faces:
    """Synthetic faces, the peak frame of each sequence.

    Args:
        specification: For the images' size.
        seeds: Data seeds, of 118 people each.

    Returns:
        Images, uint8 (N, 1, H, W), and labels, int64 (N,).
    """
    drawn = [
        load_data(SyntheticConfig(seed=seed, size=specification.image, frames=1)) for seed in seeds
    ]
    return (
        torch.from_numpy(np.concatenate([data.images for data in drawn])),
        torch.from_numpy(np.concatenate([data.labels for data in drawn])),
    )


class Trainer:
    """Trains networks as a specification says.

    Args:
        specification: What and how.
    """

    def __init__(self, specification: Specification) -> None:
        self.specification = specification
        self.space = SubSpace(specification)
        self.train = faces(specification, specification.train)
        self.test = faces(specification, specification.test)

    def __call__(self, decisions: Mapping[str, Value]) -> Entry:
        """Trains one network with every training seed."""
        genome = self.space.genome(decisions)
        costs = cost(genome).metrics()
        began = time.process_time()
        accuracies = tuple(self.accuracy(genome, seed) for seed in self.specification.seeds)
        seconds = (time.process_time() - began) / len(accuracies)
        return Entry(
            dict(decisions), genome.hash, {n: costs[n] for n in COSTS}, accuracies, seconds
        )

    def accuracy(self, genome: Genome, seed: int) -> float:
        """Share of the test images that are right after one training."""
        images, labels = self.train
        known = self.specification
        fitted = fit(
            genome,
            images,
            labels,
            loss=partial(cross_entropy, label_smoothing=known.recipe.label_smoothing),
            epochs=known.epochs,
            seed=seed,
            recipe=known.recipe,
        )
        shown, truth = self.test
        return float((fitted.logits(shown).argmax(1) == truth).float().mean())


def _trained(
    specification: Specification, points: Sequence[Mapping[str, Value]], processes: int
) -> Iterator[Entry]:
    if processes == 1:
        yield from map(Trainer(specification), points)
        return
    with get_context("spawn").Pool(processes, _prepare, (specification,)) as pool:
        yield from pool.imap_unordered(_train, points)


_trainer: Trainer


def _prepare(specification: Specification) -> None:
    global _trainer
    _trainer = Trainer(specification)


def _train(decisions: Mapping[str, Value]) -> Entry:
    return _trainer(decisions)


def _identity(decisions: Mapping[str, Value]) -> frozenset[tuple[str, Value]]:
    return frozenset(decisions.items())


def _columns(specification: Specification) -> list[str]:
    trained = [f"accuracy.{seed}" for seed in specification.seeds]
    return [*specification.free, "hash", *COSTS, *trained, "seconds"]


def _header(specification: Specification) -> str:
    versions = f"python {platform.python_version()}, torch {torch.__version__}"
    return (
        "# SYNTHETIC faces: these accuracies say nothing about people.\n"
        f"# made by python -m benchmarks.sampler.table --build ({versions}, {platform.machine()})\n"
        f"{_MARK}{specification.model_dump_json()}\n" + _line(_columns(specification))
    )


def _line(cells: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _row(specification: Specification, entry: Entry) -> str:
    return _line(
        [
            *(entry.decisions.get(name, "") for name in specification.free),
            entry.hash,
            *(int(entry.costs[name]) for name in COSTS),
            *(f"{accuracy:.5f}" for accuracy in entry.accuracies),
            f"{entry.seconds:.3f}",
        ]
    )


def _read(rows: Path, specification: Specification) -> list[Entry]:
    lines = rows.read_text().splitlines()
    made = [line.removeprefix(_MARK) for line in lines if line.startswith(_MARK)]
    if made != [specification.model_dump_json()]:
        raise ValueError(f"{rows} was made by another specification; move it away to begin anew")
    reader = csv.DictReader(line for line in lines if not line.startswith("#"))
    return [_entry(row, specification) for row in reader]


def _entry(row: Mapping[str, str], specification: Specification) -> Entry:
    return Entry(
        decisions={
            name: _value(options, row[name])
            for name, options in specification.free.items()
            if row[name]
        },
        hash=row["hash"],
        costs={name: float(row[name]) for name in COSTS},
        accuracies=tuple(float(row[f"accuracy.{seed}"]) for seed in specification.seeds),
        seconds=float(row["seconds"]),
    )


def _value(options: Free, cell: str) -> Value:
    if isinstance(options, Steps):
        return int(cell)
    return {str(option): option for option in options}[cell]


def describe(table: Table) -> str:
    """What a table holds, in lines."""
    networks = sum(1 for _ in table.space.points())
    found = [table.metrics(entry) for entry in table.entries]
    lines = [f"SYNTHETIC faces; {len(found)} of {networks} networks trained"]
    for name in ("accuracy", *COSTS, "seconds"):
        low, first, middle, third, high = np.quantile(
            [one[name] for one in found], [0, 0.25, 0.5, 0.75, 1]
        )
        lines.append(
            f"{name:<12} {middle:.6g} [{first:.6g}, {third:.6g}], from {low:.6g} to {high:.6g}"
        )
    lines.append(f"repeatability of one training (ICC): {table.repeatability:.2f}")
    return "\n".join(lines)


def main() -> None:
    """Builds the table or describes it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--build", action="store_true", help="train what is missing")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--limit", type=int, help="train at most so many networks")
    parser.add_argument("--rows", type=Path, default=ROWS)
    parser.add_argument("--specification", type=Path, default=SPECIFICATION)
    options = parser.parse_args()
    files = {"rows": options.rows, "specification": options.specification}
    if options.build:
        build(**files, processes=options.processes, limit=options.limit)
    print(describe(load(**files)))


if __name__ == "__main__":
    main()
