from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gensynth.execution.jobs import Dispatcher, EverythingFails, Job
from gensynth.execution.journal import Journal
from gensynth.execution.units import Unit, cross_validation
from gensynth.genome import Activation, Flatten, Genome, InputShape
from gensynth.genome.operations import ActivationName
from gensynth.training import FoldResult


def network(op: ActivationName) -> Genome:
    return Genome(
        input=InputShape(channels=1, height=2, width=2),
        nodes=(Activation(id="a", op=op, inputs=("input",)), Flatten(id="f", inputs=("a",))),
        outputs={"logits": "f"},
    )


def trained(unit: Unit, correct: int = 1) -> FoldResult:
    return FoldResult(
        fold=unit.fold,
        epochs=unit.epochs,
        seed=unit.seed,
        predictions=(0, 1),
        total=2,
        seconds=0.5,
        loss=0.1,
        scores={"correct": correct},
    )


@dataclass
class Jobs:
    """A source of given jobs, each of which is wanted for so many results."""

    jobs: deque[Job]
    wanted: int = 99
    results: list[FoldResult] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    books: list[int] = field(default_factory=list)
    closed: int = 0
    late: bool = False

    def next(self) -> Job | None:
        return self.jobs.popleft() if self.jobs else None

    def exhausted(self) -> bool:
        return not self.jobs

    def overtime(self) -> bool:
        return self.late

    def result(self, job: Job, result: FoldResult) -> bool:
        self.results.append(result)
        return len(self.results) < self.wanted

    def failed(self, job: Job, reason: str) -> None:
        self.failures.append(reason)

    def idle(self) -> None:
        self.books.append(len(self.results))

    def close(self) -> None:
        self.closed += 1


def job(op: ActivationName, folds: int = 2, seed: int = 5) -> Job:
    return Job("search", network(op), cross_validation(range(folds), 1, seed))


def given(dispatcher: Dispatcher) -> tuple[int, Job]:
    """The next job, which there has to be."""
    found = dispatcher.next()
    assert found is not None
    return found


@pytest.fixture
def journal(tmp_path: Path):
    with Journal(tmp_path / "journal.jsonl") as opened:
        yield opened


def test_sources_follow_one_another_and_every_result_is_journaled(journal):
    first, second = Jobs(deque([job("relu")])), Jobs(deque([job("tanh")]))
    dispatcher = Dispatcher((first, second), journal)
    key, one = given(dispatcher)
    assert dispatcher.next() is None  # the second source waits for the first
    assert dispatcher.running == 1
    assert dispatcher.result(key, trained(one.units[0]))
    assert not dispatcher.result(key, trained(one.units[1]))
    key, two = given(dispatcher)
    assert two.genome.hash != one.genome.hash
    for unit in two.units:
        dispatcher.result(key, trained(unit))
    assert dispatcher.next() is None
    assert dispatcher.finished
    assert len(journal) == 4


def test_a_source_that_time_has_ended_does_not_hold_up_the_next(journal):
    first, second = Jobs(deque([job("relu")])), Jobs(deque([job("tanh")]))
    dispatcher = Dispatcher((first, second), journal)
    late, one = given(dispatcher)
    first.late = True
    key, two = given(dispatcher)
    assert second.jobs == deque()
    dispatcher.result(key, trained(two.units[0]))
    dispatcher.result(late, trained(one.units[0]))
    assert [len(first.results), len(second.results)] == [1, 1]
    dispatcher.close()
    assert (first.closed, second.closed) == (1, 1)


def test_a_known_fold_is_never_trained_again(journal):
    source = Jobs(deque([job("relu", folds=3)]))
    dispatcher = Dispatcher((source,), journal)
    key, one = given(dispatcher)
    dispatcher.result(key, trained(one.units[0]))
    again = Jobs(deque([job("relu", folds=3), job("relu", folds=1)]))
    other = Dispatcher((again,), journal)
    _, rest = given(other)
    assert [unit.fold for unit in rest.units] == [1, 2]
    assert [result.fold for result in again.results] == [0]
    assert other.next() is None  # the second job is wholly known
    assert [result.fold for result in again.results] == [0, 0]


def test_a_source_that_has_enough_ends_the_job(journal):
    source = Jobs(deque([job("relu", folds=5)]), wanted=2)
    dispatcher = Dispatcher((source,), journal)
    key, one = given(dispatcher)
    assert dispatcher.result(key, trained(one.units[0]))
    assert not dispatcher.result(key, trained(one.units[1]))
    assert dispatcher.running == 0
    assert dispatcher.next() is None
    assert dispatcher.finished


def test_a_failed_job_is_tried_once_more_without_the_folds_it_has(journal):
    source = Jobs(deque([job("relu", folds=3)]))
    dispatcher = Dispatcher((source,), journal)
    key, one = given(dispatcher)
    dispatcher.result(key, trained(one.units[0]))
    dispatcher.failed(key, "worker died")
    key, again = given(dispatcher)
    assert [unit.fold for unit in again.units] == [1, 2]
    dispatcher.failed(key, "worker died")
    assert source.failures == ["worker died"]
    assert dispatcher.next() is None
    assert dispatcher.error is None


def test_each_fold_of_a_job_may_fail_once(journal):
    source = Jobs(deque([job("relu", folds=3)]), wanted=99)
    dispatcher = Dispatcher((source,), journal)
    key, one = given(dispatcher)
    for unit in one.units:
        dispatcher.failed(key, "worker died")
        key, again = given(dispatcher)
        assert again.units[0] == unit
        dispatcher.result(key, trained(unit))
    assert dispatcher.next() is None
    assert source.failures == []


def test_when_everything_fails_the_run_ends_and_says_why(journal):
    source = Jobs(deque(job("relu", seed=seed) for seed in range(0, 500, 10)))
    dispatcher = Dispatcher((source,), journal, workers=1)
    count = 0
    while (found := dispatcher.next()) is not None:
        dispatcher.failed(found[0], "MemoryError: no")
        count += 1
    assert isinstance(dispatcher.error, EverythingFails)
    assert "MemoryError: no" in str(dispatcher.error)
    assert count < 20


def test_books_are_kept_between_every_job_and_the_next_result(journal):
    """Whether the executor finds time for it or not: proposals must not depend on timing."""
    source = Jobs(deque([job("relu"), job("tanh"), job("elu")]), wanted=99)
    dispatcher = Dispatcher((source,), journal)
    while (found := dispatcher.next()) is not None:
        key, one = found
        for unit in one.units:
            dispatcher.result(key, trained(unit))
    assert source.books == [0, 2, 4, 6]


def test_peeking_keeps_the_job_for_the_next_caller(journal):
    source = Jobs(deque([job("relu")]))
    dispatcher = Dispatcher((source,), journal)
    dispatcher.peek()
    dispatcher.peek()
    assert dispatcher.held
    assert not dispatcher.finished
    key, _ = given(dispatcher)
    assert (key, dispatcher.held) == (1, False)
