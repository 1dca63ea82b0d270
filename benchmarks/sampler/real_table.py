"""A table of networks trained on real faces: what a search could have found out, and at what cost.

    python -m benchmarks.sampler.real_table ck48 --draw                     draws the networks, once
    python -m benchmarks.sampler.real_table ck48 --data-root DIR --rows FILE trains what is missing
    python -m benchmarks.sampler.real_table ck48                            prints what there is

``benchmarks/sampler/data/real_table.yaml`` says which networks, the same for every table, and how
each table trains them; ``real_networks.jsonl`` holds their decisions and costs, ``real_NAME.jsonl``
one line for each training of a network on a fold: no image, but what is said of each test image,
and the cross-entropy at some temperatures, after some epochs. The scores after an epoch are of the
weights that the network has then; ``averaged`` are those of the result, as the recipe averages its
last weights.

Every line is written as soon as its training ends, so the command can be stopped at any time and
goes on where it was. Several of them may run at once: each takes what no other one has begun. The
networks come in an order in which every beginning of the table is spread over the prices; second
seeds come last. Seconds are processor time, of one thread, without that of the scores.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from torch import Tensor
from torch.nn.functional import cross_entropy

from benchmarks.options import INTERRUPTED, add_data, overridden, selected, specified
from gensynth import config
from gensynth.cost import cost
from gensynth.data import Dataset, FER2013Config, Fold, load
from gensynth.errors import UserError
from gensynth.evaluation.directory import fingerprint
from gensynth.execution import base_seed
from gensynth.experiment import Experiment
from gensynth.generator import Generator
from gensynth.genome import Genome
from gensynth.space import Value, decode, load_space
from gensynth.training import Fitted, Recipe, check_fits, fit, pretrained
from gensynth.validation import validate

DATA = Path(__file__).parent / "data"
SPECIFICATIONS = DATA / "real_table.yaml"
NETWORKS = DATA / "real_networks.jsonl"
AVERAGED = "averaged"
COSTS = ("params", "macs", "peak_memory")
FIXED = 5e6
TEMPERATURES = tuple(2 ** (quarter / 4) for quarter in range(-10, 9))
"""That class scores are divided by, from 0.18 to 4."""

Positive = Annotated[int, Field(ge=1)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Drawing(_Data):
    """Which networks.

    Attributes:
        experiment: The experiment, by name, whose space, static bounds, data and recipe it is.
        networks: Number of networks.
        draws: Of G₀, to choose them from.
        strata: Ranges of the price, of equal width in its logarithm, that have equally many.
        seed: Of the draws and of the trainings.
    """

    experiment: str
    networks: Positive
    draws: Positive
    strata: Positive
    seed: Annotated[int, Field(ge=0)]


class Parts(_Data):
    """Which official parts of FER2013 are trained and tested on."""

    train: Literal["train", "validation", "test"]
    test: Literal["train", "validation", "test"]


class Specification(Drawing):
    """Which networks, and how a table trains them.

    Attributes:
        again: Number of networks that are trained with a second seed.
        folds: Folds that each is trained on, the first ones.
        epochs: Passes over the training part.
        watched: Epochs after which it is scored too.
        fer2013: If given, the data are these parts of FER2013 and not the experiment's.
    """

    again: Annotated[int, Field(ge=0)]
    folds: Positive
    epochs: Positive
    watched: tuple[Positive, ...]
    fer2013: Parts | None = None


class Specifications(_Data):
    """A file of tables: the networks of all, and the rest of each by name."""

    networks: Drawing
    tables: Mapping[str, dict[str, JsonValue]]


class Network(_Data):
    """A network of the table.

    Attributes:
        decisions: What it is, in the order asked.
        hash: The genome's.
        costs: Static metrics.
    """

    decisions: Mapping[str, Value]
    hash: str
    costs: Mapping[str, float]

    @property
    def price(self) -> float:
        """What an epoch costs, as a search has it, in multiply-accumulates for one image."""
        return self.costs["macs"] + FIXED


class Score(_Data):
    """What a network says about the test images.

    Attributes:
        right: Number of right answers.
        predictions: A digit for each test image, the index of its class.
        cross_entropy: Mean over the test images, in nats, at each of :data:`TEMPERATURES`.
    """

    right: int
    predictions: str
    cross_entropy: tuple[float, ...]


class Row(_Data):
    """One training of one network on one fold.

    Attributes:
        hash: The genome's.
        repetition: Number of the training seed.
        seed: Of the training.
        fold: Index of the fold.
        total: Number of test images.
        scores: By epoch, and ``averaged`` of the result.
        diverged: Whether its loss ceased to be finite: later scores are those of the shares that
            the classes have in the training part.
        seconds: Processor time of the training.
        pretraining: Processor time of a pretraining that was made for it.
    """

    hash: str
    repetition: int
    seed: int
    fold: int
    total: int
    scores: Mapping[str, Score]
    diverged: bool
    seconds: float
    pretraining: float


class Header(_Data):
    """First line of the rows: what they are made of.

    Attributes:
        specification: What is trained.
        images: Of what data (:func:`gensynth.evaluation.directory.fingerprint`).
        recipe: How, resolved.
    """

    specification: Specification
    images: str
    recipe: Recipe


@dataclass(frozen=True)
class Table:
    """Networks and their trainings.

    Attributes:
        specification: What it is of.
        networks: All networks, trained or not.
        rows: What is trained.
    """

    specification: Specification
    networks: tuple[Network, ...]
    rows: tuple[Row, ...]

    @cached_property
    def trainings(self) -> dict[tuple[str, int], tuple[Row, ...]]:
        """The folds of each training that has all of them, by hash and repetition."""
        found: dict[tuple[str, int], dict[int, Row]] = {}
        for row in self.rows:
            found.setdefault((row.hash, row.repetition), {})[row.fold] = row
        return {
            key: tuple(folds[index] for index in sorted(folds))
            for key, folds in found.items()
            if len(folds) == self.specification.folds
        }

    @property
    def trained(self) -> tuple[Network, ...]:
        """Networks that are trained with the first seed at least."""
        return tuple(one for one in self.networks if (one.hash, 0) in self.trainings)

    def accuracy(self, key: tuple[str, int], at: str = AVERAGED) -> float:
        """Share of the test images of all folds that a training has right, 0 to 1."""
        rows = self.trainings[key]
        return sum(row.scores[at].right for row in rows) / sum(row.total for row in rows)

    def cross_entropy(
        self, key: tuple[str, int], at: str = AVERAGED, *, calibrated: bool = True
    ) -> float:
        """Mean cross-entropy over the test images of all folds, in nats.

        Args:
            key: Hash and repetition.
            at: Epoch.
            calibrated: Whether each fold's scores are divided by the temperature, of
                :data:`TEMPERATURES`, that is best on the test images of the other folds (on its
                own, where there is only one fold).
        """
        rows = self.trainings[key]
        weights = np.asarray([row.total for row in rows], dtype=np.float64)
        found = np.asarray([row.scores[at].cross_entropy for row in rows]) * weights[:, None]
        if not calibrated:
            return float(found[:, TEMPERATURES.index(1)].sum() / weights.sum())
        others = found.sum(axis=0) - found if len(rows) > 1 else found
        chosen = others.argmin(axis=1)
        return float(found[np.arange(len(rows)), chosen].sum() / weights.sum())

    def reliability(self, values: Mapping[tuple[str, int], float]) -> float:
        """Correlation between the two seeds of the networks that have two; NaN below three."""
        twice = [one.hash for one in self.trained if (one.hash, 1) in self.trainings]
        if len(twice) < 3:
            return math.nan
        pairs = np.asarray([[values[name, 0], values[name, 1]] for name in twice])
        return float(np.corrcoef(pairs.T)[0, 1])


def draw(specification: Drawing, experiment: Experiment) -> list[Network]:
    """Different networks that G₀ draws within the static bounds, spread over the prices.

    They come in rounds of one network from each stratum, in a random order.

    Raises:
        UserError: If a stratum has too few networks.
    """
    space = load_space(experiment.search_space, experiment.prototype)
    generator = Generator(start=dict(space.start))
    first = specification.seed * 10**6
    found: dict[str, Network] = {}
    for seed in range(first, first + specification.draws):
        plan = generator.sample(seed, space)
        costs = cost(plan.outcome).metrics()
        if experiment.constraint.static.feasible(costs):
            kept = {name: costs[name] for name in COSTS}
            one = Network(decisions=plan.decisions, hash=plan.outcome.hash, costs=kept)
            found.setdefault(one.hash, one)
    networks = list(found.values())
    prices = np.log([one.price for one in networks])
    edges = np.linspace(prices.min(), prices.max(), specification.strata + 1)
    places = np.digitize(prices, edges[1:-1])
    rounds = math.ceil(specification.networks / specification.strata)
    rng = np.random.default_rng(specification.seed)
    chosen = []
    for stratum in range(specification.strata):
        inside = rng.permutation(np.flatnonzero(places == stratum))
        if len(inside) < rounds:
            raise UserError(
                f"{len(inside)} networks in stratum {stratum + 1}, {rounds} are wanted",
                where="draws",
                remedy="draw more, or ask for fewer strata",
            )
        chosen.append(inside[:rounds])
    order = [rng.permutation(column) for column in np.transpose(chosen)]
    return [networks[index] for index in np.concatenate(order)[: specification.networks]]


def images(
    specification: Specification, experiment: Experiment, root: Path | None
) -> tuple[Dataset, tuple[Fold, ...]]:
    """The data and the folds that are trained on.

    Raises:
        UserError: If they cannot be loaded.
    """
    if specification.fer2013 is not None:
        if root is None:
            raise UserError("no folder of FER2013", remedy="name it with --data-root")
        dataset = FER2013Config(root=root).load()
        assert dataset.splits is not None
        train, test = (
            np.flatnonzero(dataset.splits == part)
            for part in (specification.fer2013.train, specification.fer2013.test)
        )
        return dataset, (Fold(index=0, train=train, test=test),)
    dataset = load(experiment.data)
    return dataset, experiment.folds.lay(dataset)[: specification.folds]


class Trainer:
    """Trains networks on folds as a search does, and scores them along the way.

    Args:
        specification: Epochs and what is watched.
        dataset: The images.
        recipe: How, resolved.
    """

    def __init__(self, specification: Specification, dataset: Dataset, recipe: Recipe) -> None:
        self._specification = specification
        self._dataset = dataset
        self._recipe = recipe

    def __call__(self, genome: Genome, fold: Fold, repetition: int) -> Row:
        """One training: what :func:`gensynth.training.train_fold` computes, to the bit."""
        specification, data, recipe = self._specification, self._dataset, self._recipe
        check_fits(genome, data)
        base = base_seed(specification.seed, genome.hash, "search", repetition)
        shown, labels = torch.from_numpy(data.images), torch.from_numpy(data.labels)
        objective = data.task.objective(labels[fold.train], smoothing=recipe.label_smoothing)
        test = shown[fold.test]
        logits: dict[str, Tensor] = {}
        looking = 0.0

        def watch(epoch: int, fitted: Fitted) -> None:
            nonlocal looking
            began = time.process_time()
            if epoch in specification.watched:
                seen = fitted.logits(test)
                logits[str(epoch)] = logits.get(str(epoch), torch.zeros_like(seen)) + seen
            looking += time.process_time() - began

        began = time.process_time()
        start = (
            pretrained(genome, data.task, recipe, seed=base)
            if recipe.pretraining is not None
            else None
        )
        started = time.process_time()
        fitted = fit(
            genome,
            shown[fold.train],
            labels[fold.train],
            loss=objective.loss,
            epochs=specification.epochs,
            seed=base + fold.index,
            recipe=recipe,
            start=start,
            watch=watch,
        )
        ended = time.process_time()
        if fitted.loss is not None:
            logits[AVERAGED] = fitted.logits(test)
        prior = _prior(data, fold)
        truth = labels[fold.test]
        return Row(
            hash=genome.hash,
            repetition=repetition,
            seed=base + fold.index,
            fold=fold.index,
            total=len(truth),
            scores={
                at: score(logits.get(at, prior), truth)
                for at in (*map(str, specification.watched), AVERAGED)
            },
            diverged=fitted.loss is None,
            seconds=round(ended - started - looking, 3),
            pretraining=round(started - began, 3),
        )


def score(logits: Tensor, labels: Tensor) -> Score:
    """Scores class scores, float32 (N, classes), against int64 (N,)."""
    predictions = logits.argmax(1)
    return Score(
        right=int((predictions == labels).sum()),
        predictions="".join(map(str, predictions.tolist())),
        cross_entropy=tuple(
            round(float(cross_entropy(logits.double() / temperature, labels)), 6)
            for temperature in TEMPERATURES
        ),
    )


def _prior(dataset: Dataset, fold: Fold) -> Tensor:
    counts = np.bincount(dataset.labels[fold.train], minlength=len(dataset.classes))
    shares: NDArray[np.float32] = (counts / counts.sum()).astype(np.float32)
    return torch.from_numpy(shares).log().expand(len(fold.test), -1)


def build(
    specification: Specification,
    experiment: Experiment,
    networks: Sequence[Network],
    rows: Path,
    *,
    root: Path | None = None,
    limit: int | None = None,
) -> int:
    """Trains what the rows lack and no other process has begun.

    Args:
        specification: What is trained.
        experiment: The experiment that it names.
        networks: Its networks.
        rows: File of the rows, begun if it does not exist.
        root: Folder of the images, where the experiment does not say it.
        limit: Stop after so many trainings.

    Returns:
        Trainings done.

    Raises:
        UserError: If the data cannot be loaded, or the rows are of something else.
    """
    torch.set_num_threads(1)
    dataset, folds = images(specification, experiment, root)
    recipe = experiment.training.resolved()
    header = Header(
        specification=specification, images=fingerprint(dataset), recipe=recipe
    ).model_dump_json()
    _append(rows, header, first=True)
    if rows.read_text(encoding="utf-8").splitlines()[0] != header:
        raise UserError(
            "was made by another specification, recipe or of other images",
            where=str(rows),
            remedy="move it away to begin anew",
        )
    space = load_space(experiment.search_space, experiment.prototype, len(dataset.classes))
    train = Trainer(specification, dataset, recipe)
    tasks = [(one, 0) for one in networks]
    tasks += [(one, 1) for one in networks[: specification.again]]
    count = 0
    for network, repetition in tasks:
        with _claimed(rows, f"{network.hash}-{repetition}") as mine:
            if not mine:
                continue
            there = {
                row.fold
                for row in read(rows)
                if (row.hash, row.repetition) == (network.hash, repetition)
            }
            for fold in folds:
                if fold.index in there:
                    continue
                if count == limit:
                    return count
                row = train(decode(space, network.decisions), fold, repetition)
                _append(rows, row.model_dump_json())
                count += 1
    return count


def read(rows: Path) -> list[Row]:
    """All whole rows of a file; a line that a kill tore is left out."""
    return [Row.model_validate(line) for line in _lines(rows)[1:]]


def read_specification(name: str) -> Specification:
    """What the table of a name is of.

    Raises:
        UserError: If there is no such table.
    """
    known = specified(Specifications, SPECIFICATIONS)
    (name,) = selected(known.tables, name, what="table")
    whole = {**known.networks.model_dump(), **known.tables[name]}
    return validate(Specification, whole, where=f"{SPECIFICATIONS}: tables.{name}")


def rows_of(name: str) -> Path:
    """The repository's rows of a table."""
    return DATA / f"real_{name}.jsonl"


def read_networks(path: Path = NETWORKS) -> list[Network]:
    """The networks of all tables."""
    return [Network.model_validate(line) for line in _lines(path)]


def read_table(name: str, rows: Path | None = None) -> Table:
    """The table of a name, from the repository's data.

    Args:
        name: Of the table.
        rows: Other rows than the repository's.

    Raises:
        UserError: If there is no such table.
    """
    path = rows or rows_of(name)
    trained = read(path) if path.exists() else []
    return Table(read_specification(name), tuple(read_networks()), tuple(trained))


def _lines(path: Path) -> list[Any]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def _append(path: Path, line: str, *, first: bool = False) -> None:
    """Adds a line; the ``first`` one only to a file that is empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        if first and size:
            return
        file.seek(max(size - 1, 0))
        torn = size and file.read(1) != b"\n"
        file.write(("\n" if torn else "").encode() + line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _claimed(rows: Path, name: str) -> Iterator[bool]:
    """Whether this process has a task to itself; however it ends, the claim ends with it."""
    folder = rows.with_suffix(".claims")
    folder.mkdir(exist_ok=True)
    with (folder / name).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def describe(table: Table) -> str:
    """What a table holds, in lines."""
    trained = table.trained
    wanted = (table.specification.networks, table.specification.again)
    second = sum(repetition == 1 for _, repetition in table.trainings)
    lines = [
        f"{len(trained)} of {wanted[0]} networks are trained, {second} of {wanted[1]} a second time"
    ]
    if not trained:
        return lines[0]
    seconds = [
        sum(row.seconds + row.pretraining for row in rows) for rows in table.trainings.values()
    ]
    measured: dict[str, dict[tuple[str, int], float]] = {
        "accuracy": {key: 100 * table.accuracy(key) for key in table.trainings},
        "cross-entropy": {
            key: table.cross_entropy(key, calibrated=False) for key in table.trainings
        },
        "cross-entropy, one temperature": {
            key: table.cross_entropy(key) for key in table.trainings
        },
    }
    shown: dict[str, Sequence[float]] = {
        name: [values[one.hash, 0] for one in trained] for name, values in measured.items()
    }
    for name in COSTS:
        shown[name] = [one.costs[name] for one in trained]
    shown["seconds"] = seconds
    for name, values in shown.items():
        low, first, middle, third, high = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
        text = f"{name:<31} {middle:.6g} [{first:.6g}, {third:.6g}], from {low:.6g} to {high:.6g}"
        if name in measured:
            text += f"; between seeds r = {table.reliability(measured[name]):.2f}"
        lines.append(text)
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Draws, trains or describes; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sampler.real_table", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("name", help="of a table in data/real_table.yaml: ck48, fer2013")
    parser.add_argument("--draw", action="store_true", help="draw the networks anew")
    parser.add_argument("--rows", type=Path, help="file of the rows, if not the repository's")
    parser.add_argument("--limit", type=int, help="train at most so many folds")
    add_data(parser)
    options = parser.parse_args(arguments)
    try:
        return _done(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped, everything is kept; the same command goes on", file=sys.stderr)
        return INTERRUPTED


def _done(options: argparse.Namespace) -> int:
    specification = read_specification(options.name)
    rows = options.rows or rows_of(options.name)
    if options.draw or options.data_root is not None:
        overrides = overridden(options) if specification.fer2013 is None else options.overrides
        chosen = [f"experiment={specification.experiment}", *overrides]
        experiment = config.load(Experiment, chosen)
        if options.draw:
            drawn = draw(specification, experiment)
            NETWORKS.write_text("".join(f"{one.model_dump_json()}\n" for one in drawn))
        else:
            build(
                specification,
                experiment,
                read_networks(),
                rows,
                root=options.data_root,
                limit=options.limit,
            )
    print(describe(read_table(options.name, rows)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
