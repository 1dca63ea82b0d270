"""What a run tells whoever watches it. The library itself prints nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol


@dataclass(frozen=True)
class Best:
    """The best network so far, by what was seen during the search.

    Attributes:
        trial: Number of its trial.
        metrics: Its metrics, static and trained.
        shown: The headline metric among them, in words.
        performance: U.
        remark: What has to be known of it, such as that it is confirmed; empty if nothing.
    """

    trial: int
    metrics: Mapping[str, float]
    performance: float
    remark: str
    shown: str


@dataclass(frozen=True)
class Progress:
    """A picture of a run.

    Attributes:
        stage: What is going on.
        asked: Networks that were proposed and admitted.
        refused: Networks refused before any training, by bound.
        duplicates: Networks proposed that had been proposed before.
        trained: Candidates trained to the full search fidelity.
        stopped: Candidates stopped before.
        failed: Candidates whose training failed.
        running: Jobs that are with the workers.
        best: The best network so far.
        confirmed: Finalists confirmed so far.
        done: Folds trained in this stage, if their number is known.
        total: Folds to train in this stage, if known.
        candidates: Limit of candidates.
        seconds: Time used, over all sessions of the run.
        seconds_left: Time left; None without a limit.
    """

    stage: Literal["search", "confirm", "evaluate", "done"]
    asked: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    duplicates: int = 0
    trained: int = 0
    stopped: int = 0
    failed: int = 0
    running: int = 0
    best: Best | None = None
    confirmed: int = 0
    done: int = 0
    total: int | None = None
    candidates: int | None = None
    seconds: float = 0.0
    seconds_left: float | None = None


class Watcher(Protocol):
    """Gets to see how a run is going; called from the thread of the run, often."""

    def banner(self, lines: tuple[str, ...]) -> None:
        """What is about to run, once."""

    def update(self, progress: Progress) -> None:
        """The state of the run, several times a second at most."""


class Silent:
    """Watches nothing."""

    def banner(self, lines: tuple[str, ...]) -> None:
        """Ignores it."""

    def update(self, progress: Progress) -> None:
        """Ignores it."""
