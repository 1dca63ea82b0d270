"""The append-only memory of every fold that was trained.

One JSON object a line. A line is written with one call and flushed, so a crash loses at most the
line that it interrupts; such a torn line is left out when the journal is read, and ended before the
next one is written.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, BinaryIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gensynth.errors import UserError
from gensynth.execution.units import Phase, Unit
from gensynth.reading import parse_json, read_lines
from gensynth.task.base import Score
from gensynth.training import FoldResult

Number = Annotated[int, Field(ge=0, lt=2**63)]
Answer = int | float | str | None


@dataclass(frozen=True)
class Entry:
    """One trained fold.

    Attributes:
        phase: What it was trained for.
        trial: Number of the trial, if it belongs to one.
        genome: Canonical hash of the network.
        fold: Index of the fold.
        epochs: Passes over its training part.
        seed: Training seed.
        total: Test images.
        predictions: What is said of each test image, as the task decodes it.
        loss: Final training loss; None if the training diverged.
        seconds: Time that the training took.
        scores: What else the task keeps, by name. In a line they stand among the other keys; a line
            that an earlier version wrote may have fewer.
        pretraining: Time of the pretraining that was made for it, if one was.
    """

    phase: Phase
    trial: int | None
    genome: str
    fold: int
    epochs: int
    seed: int
    total: int
    predictions: tuple[Any, ...]
    loss: float | None
    seconds: float
    scores: Mapping[str, Score] = field(default_factory=dict)
    pretraining: float = 0.0

    @property
    def unit(self) -> Unit:
        """What was asked for."""
        return Unit(fold=self.fold, epochs=self.epochs, seed=self.seed)

    @property
    def result(self) -> FoldResult:
        """What came out."""
        return FoldResult(
            fold=self.fold,
            epochs=self.epochs,
            seed=self.seed,
            predictions=self.predictions,
            total=self.total,
            seconds=self.seconds,
            loss=self.loss,
            scores=self.scores,
            pretraining=self.pretraining,
        )

    @classmethod
    def of(cls, phase: Phase, trial: int | None, genome: str, result: FoldResult) -> Entry:
        """The entry of a result."""
        return cls(phase=phase, trial=trial, genome=genome, **asdict(result))


_OWN = frozenset(one.name for one in fields(Entry)) - {"scores"}


class Journal:
    """A journal on disk, owned by one process at a time.

    Args:
        path: The file; made if it is missing.

    Raises:
        UserError: If another process has it open, or a line in the middle is not an entry.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO = path.open("ab+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise UserError(
                "another process is at work here",
                where=str(path.parent),
                remedy="wait for it, or choose another place",
            ) from error
        self._known: dict[tuple[str, Unit], Entry] = {}
        try:
            for entry in _read(path):
                self._known.setdefault((entry.genome, entry.unit), entry)
        except UserError:
            self._file.close()
            raise
        self._end_torn_line()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._known.values())

    def find(self, genome: str, unit: Unit) -> Entry | None:
        """What is known of a unit of a network, by its canonical hash."""
        return self._known.get((genome, unit))

    def append(self, entry: Entry) -> None:
        """Writes one line and flushes it."""
        written = asdict(entry)
        scores = written.pop("scores")
        line = json.dumps({**written, **scores}, separators=(",", ":")) + "\n"
        self._file.write(line.encode())
        self._file.flush()
        self._known.setdefault((entry.genome, entry.unit), entry)

    def close(self) -> None:
        """Gives the file back."""
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def _end_torn_line(self) -> None:
        if self._file.seek(0, os.SEEK_END) == 0:
            return
        self._file.seek(-1, os.SEEK_END)
        if self._file.read(1) != b"\n":
            self._file.write(b"\n")
            self._file.flush()


def read(path: Path) -> tuple[Entry, ...]:
    """The entries of a journal that nobody need own; torn lines are left out.

    Raises:
        UserError: If a line is JSON but not an entry.
    """
    return tuple(_read(path))


class _Line(BaseModel):
    """What a line holds, to the type; other keys are scores."""

    model_config = ConfigDict(extra="allow", strict=True)

    __pydantic_extra__: dict[str, int | float | None]

    phase: Phase
    trial: Number | None
    genome: Annotated[str, Field(max_length=256)]
    fold: Number
    epochs: Number
    seed: Number
    total: Number
    predictions: list[Answer | list[Answer]]
    loss: float | None
    seconds: float
    pretraining: float = 0.0


def _read(path: Path) -> Iterator[Entry]:
    for number, line in read_lines(path):
        where = f"{path}:{number}"
        try:
            data = parse_json(line.decode(), where=where)
        except (UserError, UnicodeDecodeError):
            continue
        yield _entry(data, where)


def _entry(data: Any, where: str) -> Entry:
    try:
        line = _Line.model_validate(data)
    except ValidationError as error:
        key = ".".join(map(str, error.errors(include_url=False)[0]["loc"][:1]))
        raise UserError(
            f"not a line of this journal{f' ({key})' if key else ''}",
            where=where,
            remedy="remove the line, or the run",
        ) from error
    own = {key: value for key, value in line if key in _OWN}
    own["predictions"] = tuple(
        tuple(one) if isinstance(one, list) else one for one in line.predictions
    )
    return Entry(**own, scores=line.model_extra or {})
