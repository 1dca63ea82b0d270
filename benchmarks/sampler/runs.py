"""Single runs as data, so that an interrupted benchmark goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import gensynth.generator
from benchmarks.sampler.methods import ABLATIONS, OURS
from benchmarks.sampler.problem import Evaluation, Problem
from benchmarks.sampler.record import Record
from benchmarks.sampler.samples import Sampled, sampled
from gensynth.generator import Generator

DEFAULT = Path(__file__).parents[1] / "results"
LIBRARIES = {
    "Optuna": "optuna",
    "pymoo": "pymoo",
    "Nevergrad": "nevergrad",
    "SMAC3": "smac",
}


@dataclass(frozen=True)
class Run:
    """One method on one problem with one seed.

    Attributes:
        seed: Seed.
        made: Of what the run was made (:func:`made`).
        evaluations: (objectives, violation) of each trained network, in their order.
        refused: Proposals refused, by reason.
        seconds: Processor time of all proposals.
        generator: What the generator that it leaves makes by itself (:class:`Sampled`); None
            for methods without one.
    """

    seed: int
    made: str
    evaluations: Sequence[Evaluation]
    refused: dict[str, int]
    seconds: float
    generator: Sampled | None = None

    @classmethod
    def of(cls, record: Record, made: str, generator: Generator | None) -> Run:
        """What a finished record holds, and its generator's samples."""
        held_out = None if generator is None else sampled(record.problem, generator, record.seed)
        evaluations, refused = record.evaluations, dict(record.refused)
        return cls(record.seed, made, evaluations, refused, record.seconds, held_out)


def made(method: str, problem: Problem) -> str:
    """What a run depends on: the problem with its G₀, and our sources or a library's version."""
    if method == OURS or method in ABLATIONS:
        code = _sources()
    else:
        code = version(LIBRARIES.get(method.split()[0], "numpy"))
    return f"{_fingerprint(problem)} {code}"


class Results:
    """A folder with a file for each problem and method, one line a run.

    Args:
        folder: Where.
    """

    def __init__(self, folder: Path = DEFAULT) -> None:
        self._folder = folder

    def add(self, problem: str, method: str, run: Run) -> None:
        """Keeps a run."""
        path = self._path(problem, method)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(run)) + "\n")

    def of(self, problem: str, method: str, made: str, budget: int) -> dict[int, Run]:
        """Runs by seed, of one making and with at least so many evaluations."""
        runs = {run.seed: run for run in self._read(problem, method) if run.made == made}
        return {seed: run for seed, run in runs.items() if len(run.evaluations) >= budget}

    def latest(self, problem: str, method: str) -> dict[int, Run]:
        """Runs by seed, of whatever they were made; the last one where a seed was run again."""
        return {run.seed: run for run in self._read(problem, method)}

    def _read(self, problem: str, method: str) -> Iterator[Run]:
        path = self._path(problem, method)
        if not path.exists():
            return
        for line in path.read_text(encoding="utf-8").splitlines():
            data = json.loads(line)
            pairs, held_out = data.pop("evaluations"), data.pop("generator")
            yield Run(
                evaluations=[Evaluation(tuple(one), two) for one, two in pairs],
                generator=None if held_out is None else Sampled(**held_out),
                **data,
            )

    def _path(self, problem: str, method: str) -> Path:
        return self._folder / problem / f"{method.replace(' ', '_')}.jsonl"


@cache
def _sources() -> str:
    digest = blake2b(digest_size=6)
    for path in sorted(Path(gensynth.generator.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _fingerprint(problem: Problem) -> str:
    digest = blake2b(digest_size=6)
    for plan in islice(problem.beginnings(0), 20):
        found = problem.evaluate(plan.outcome, plan.decisions)
        digest.update(repr((sorted(plan.decisions.items()), found)).encode())
    return digest.hexdigest()
