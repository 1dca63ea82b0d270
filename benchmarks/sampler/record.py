"""The books of one run: what was trained, what was refused, and the seconds spent on asking."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from benchmarks.sampler.problem import Evaluation, Problem
from gensynth.generator.tracing import Trace

DUPLICATE = "duplicate"
PATIENCE = 50


class Record:
    """Trains networks and counts; a refused network costs no evaluation, whoever proposed it.

    Args:
        problem: Problem.
        seed: Seed of the run.
        budget: Evaluations.

    Attributes:
        evaluations: One a trained network, in their order.
        refused: Proposals refused, by violated bound, and ``"duplicate"``.
        seconds: Processor time spent on proposals.
    """

    def __init__(self, problem: Problem, seed: int, budget: int) -> None:
        self.problem = problem
        self.seed = seed
        self.budget = budget
        self.evaluations: list[Evaluation] = []
        self.refused: Counter[str] = Counter()
        self.seconds = 0.0
        self._seen: set[Hashable] = set()
        self._beginnings = problem.beginnings(seed)

    @property
    def full(self) -> bool:
        """Whether the budget is spent."""
        return len(self.evaluations) >= self.budget

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Counts the processor time of a proposal."""
        began = time.process_time()
        yield
        self.seconds += time.process_time() - began

    def refuses(self, network: Any) -> bool:
        """Whether it violates a static bound or was trained before; counted."""
        violated = [name for name, value in self.problem.static(network).items() if value > 0]
        if not violated and self.problem.key(network) in self._seen:
            violated = [DUPLICATE]
        self.refused.update(violated)
        return bool(violated)

    def train(self, network: Any, decisions: Mapping[str, Any]) -> Evaluation:
        """One evaluation.

        Raises:
            ValueError: If the budget is spent or the network is one to refuse.
        """
        if self.full or self.refuses(network):
            raise ValueError("there is nothing left to spend, or this may not be trained")
        self._seen.add(self.problem.key(network))
        self.evaluations.append(self.problem.evaluate(network, decisions))
        return self.evaluations[-1]

    def beginning(self) -> Trace[Any]:
        """The next admissible one of φ and what G₀ draws."""
        return next(plan for plan in self._beginnings if not self.refuses(plan.outcome))

    def admissible(
        self, propose: Callable[[int], Trace[Any]], *, patience: int = PATIENCE
    ) -> Trace[Any]:
        """The first proposal that may be trained; after so many refusals one of G₀'s.

        Args:
            propose: Proposes, given the number of refusals since the last evaluation.
            patience: Refusals borne.
        """
        for attempt in range(patience):
            plan = propose(attempt)
            if not self.refuses(plan.outcome):
                return plan
        return self.beginning()
