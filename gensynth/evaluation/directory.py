"""The directory of an evaluation: what is evaluated how, what is trained of it, what came out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gensynth.data import Dataset
from gensynth.errors import UserError
from gensynth.execution.files import first_difference, make_folder, replace_file
from gensynth.execution.journal import Journal
from gensynth.genome import Genome, dumps
from gensynth.reading import read_json


@dataclass(frozen=True)
class EvaluationDirectory:
    """The files of one evaluation.

    Attributes:
        path: The directory.
    """

    path: Path

    @property
    def protocol(self) -> Path:
        """What decides the result of a training, apart from fold, epochs and seed."""
        return self.path / "protocol.json"

    @property
    def genome(self) -> Path:
        """The network."""
        return self.path / "genome.json"

    @property
    def journal(self) -> Path:
        """One line a trained fold, as in a run directory."""
        return self.path / "journal.jsonl"

    @property
    def figures(self) -> Path:
        """The figures and all predictions."""
        return self.path / "evaluation.json"

    @property
    def drawing(self) -> Path:
        """What the network says against what is true, drawn."""
        return self.path / "evaluation.svg"


@contextmanager
def open_evaluation(
    directory: EvaluationDirectory, genome: Genome, protocol: Mapping[str, Any]
) -> Iterator[Journal]:
    """Opens a directory, or makes it, and owns it for the duration.

    Args:
        directory: The directory.
        genome: The network.
        protocol: What has to be the same when the evaluation goes on, as plain data. Epochs and
            seeds may differ: the journal keeps what is trained with each.

    Yields:
        Its journal.

    Raises:
        UserError: If another process has it, it is of something else, naming the first key that
            differs, or it cannot be made.
    """
    _make(directory)
    with Journal(directory.journal) as journal:
        wanted = json.loads(json.dumps(protocol))
        if directory.protocol.exists():
            _check_same(directory, wanted)
        replace_file(directory.protocol, json.dumps(wanted, indent=2) + "\n")
        replace_file(directory.genome, dumps(genome))
        yield journal


def fingerprint(dataset: Dataset) -> str:
    """A digest of the images and of who and what is on them, wherever they lie."""
    digest = hashlib.sha256(repr(dataset.images.shape).encode())
    digest.update(dataset.images.data)
    subjects = [] if dataset.subjects is None else dataset.subjects.tolist()
    told = [dataset.labels.tolist(), dataset.classes, subjects, dataset.sequences.tolist()]
    if not dataset.task.indices:
        told.append(dataset.targets.tolist())
    digest.update(json.dumps(told).encode())
    return digest.hexdigest()


def _make(directory: EvaluationDirectory) -> None:
    make_folder(directory.path, remedy="give --output a folder that can be written to")
    foreign = any(path != directory.journal for path in directory.path.iterdir())
    if foreign and not directory.protocol.exists():
        raise UserError(
            "is not of an evaluation but is not empty",
            where=str(directory.path),
            remedy="give --output another folder",
        )


def _check_same(directory: EvaluationDirectory, wanted: Mapping[str, Any]) -> None:
    try:
        known = read_json(directory.protocol)
    except UserError:
        known = {}
    found = first_difference(known, wanted)
    if found is not None:
        key, before, now = found
        raise UserError(
            f"{key} is {before} in this evaluation but {now} now",
            where=str(directory.protocol),
            remedy="give --output another folder, or the old value",
        )
