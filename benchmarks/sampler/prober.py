"""Takes looks at networks of the table, and says what their decisions would take away."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from torch.nn import functional

from benchmarks.sampler.looks import ZERO_COST, Look, look, zero_cost
from benchmarks.sampler.subspace import Steps
from benchmarks.sampler.table import DATA, Entry, Table, faces
from gensynth.cost import layer_table
from gensynth.generator.tracing import trace
from gensynth.genome import Genome
from gensynth.space import Value
from gensynth.training import Normalisation, fit

LOOKS = DATA / "probes.csv"
SEED = 100
VALIDATION = 1500
BATCH = 64
LOOKED_AT = 256
EPOCHS = (1, 2)
BRIEF = (
    "accuracy",
    "loss",
    "dead",
    "dead.worst",
    "scale",
    "scale.least",
    "importance",
    "importance.per_param",
    "importance.least_per_param",
)
MOVE = "move."
DEAREST_FIRST = {"stage2.module1.convolution"}
COSTLESS = {"merge"}


class Prober:
    """Takes all looks at networks of a table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.images, self.labels = faces(table.specification, table.specification.train)
        self.others = faces(table.specification, [VALIDATION])
        self.normalised = Normalisation.of(self.images)(self.images[:BATCH])

    def __call__(self, entry: Entry) -> dict[str, float]:
        """Every look at one network by name."""
        genome = self.table.genome(entry)
        found = zero_cost(genome, self.normalised, self.labels[:BATCH], seed=SEED)
        for epochs in EPOCHS:
            found |= self._trained(genome, epochs, entry)
        return found

    def _trained(self, genome: Genome, epochs: int, entry: Entry) -> dict[str, float]:
        recipe = self.table.specification.recipe
        fitted = fit(
            genome,
            self.images,
            self.labels,
            loss=partial(functional.cross_entropy, label_smoothing=recipe.label_smoothing),
            epochs=epochs,
            seed=SEED,
            recipe=recipe,
        )
        images, labels = self.others
        right = fitted.logits(images).argmax(1) == labels
        seen = look(fitted, self.images[:LOOKED_AT], self.labels[:LOOKED_AT])
        loss = math.inf if fitted.loss is None else fitted.loss
        found = {"accuracy": float(right.float().mean()), "loss": loss, **seen.summary()}
        named = {f"{name}@{epochs}": found[name] for name in BRIEF}
        if epochs == EPOCHS[-1]:
            for name, cheaper in moves(self.table, entry):
                smaller = self.table.space.genome(cheaper)
                named[MOVE + name] = taken_away(seen, genome, smaller)
        return named


def moves(table: Table, entry: Entry) -> Iterator[tuple[str, dict[str, Value]]]:
    """What a network becomes when one decision takes its next cheaper value.

    Yields:
        The decision, and all decisions of the cheaper network.
    """
    for name, value in entry.decisions.items():
        options = table.specification.free[name]
        ordered: list[Value] = (
            list(range(options.low, options.high + 1, options.step))
            if isinstance(options, Steps)
            else list(options)
        )
        if name in DEAREST_FIRST:
            ordered.reverse()
        at = ordered.index(value)
        if at and name not in COSTLESS:
            known = {**table.start, **entry.decisions, name: ordered[at - 1]}
            yield name, trace(table.space.ask, partial(known_value, known)).outcome


def known_value(decisions: Mapping[str, Value], name: str, _: Any) -> Value:
    """Answers a space with known decisions."""
    return decisions[name]


def taken_away(seen: Look, genome: Genome, smaller: Genome) -> float:
    """Importance of what a network has and a smaller one has not.

    A layer that shrinks loses importance in proportion to its parameters. A sum that reads less,
    or gives way to the one thing that is left of it, loses the importance of what is read no more.
    """
    params = {layer.id: layer.params for layer in layer_table(smaller)}
    layers = sum(
        importance * max(0.0, 1 - params.get(node, 0) / seen.params[node])
        for node, importance in seen.importance.items()
    )
    present = {node.id for node in smaller.nodes}
    reads = {(node.id, source) for node in smaller.nodes for source in node.inputs}
    instead: dict[str, list[str]] = {}
    for node in genome.nodes:
        for source in node.inputs:
            instead.setdefault(source, [source]).append(node.id)
    edges = sum(
        importance
        for (total, source), importance in seen.edges.items()
        if source in present and not any((one, source) in reads for one in instead[total])
    )
    return layers + edges


def columns(table: Table) -> list[str]:
    """Names of all looks, in the order of the file."""
    brief = [f"{name}@{epochs}" for epochs in EPOCHS for name in BRIEF]
    return [
        *ZERO_COST,
        *brief,
        *(MOVE + name for name in table.specification.free if name not in COSTLESS),
    ]


def measure(table: Table, *, networks: int, processes: int, path: Path = LOOKS) -> None:
    """Takes the looks that the file lacks, at the table's first networks, which are random ones."""
    done = read(path) if path.exists() else {}
    missing = [entry for entry in table.entries[:networks] if entry.hash not in done]
    names = columns(table)
    with (
        path.open("a", newline="") as file,
        get_context("spawn").Pool(processes, _prepare, (table,)) as pool,
    ):
        writer = csv.writer(file, lineterminator="\n")
        if not done:
            writer.writerow(["hash", *names])
        for network, found in pool.imap_unordered(_probe, missing):
            cells = [f"{found[name]:.6g}" if name in found else "" for name in names]
            writer.writerow([network, *cells])
            file.flush()


_prober: Prober


def _prepare(table: Table) -> None:
    global _prober
    _prober = Prober(table)


def _probe(entry: Entry) -> tuple[str, dict[str, float]]:
    return entry.hash, _prober(entry)


def read(path: Path = LOOKS) -> dict[str, dict[str, float]]:
    """Looks by genome hash and name."""
    with path.open(newline="") as file:
        return {
            row.pop("hash"): {name: float(cell) for name, cell in row.items() if cell}
            for row in csv.DictReader(file)
        }
