"""How a run is shown while it goes on: one live display on a terminal, else a line now and then."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gensynth.cli.describe import grouped
from gensynth.cli.terminal import Terminal, plain

if TYPE_CHECKING:
    from gensynth.execution.progress import Best, Progress

SPARSE = 30.0


class Display:
    """Shows a run on stderr. A context manager; outside of it nothing is shown.

    Args:
        console: Where to; stderr when None.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Terminal(stderr=True)
        self._live: Live | None = None
        self._line = 0.0
        self._stage = ""

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def banner(self, lines: tuple[str, ...]) -> None:
        """Prints what is about to run."""
        for line in lines:
            self.console.print(line, soft_wrap=True, markup=False)

    def update(self, progress: Progress) -> None:
        """Shows the state of the run."""
        if self.console.is_terminal:
            if self._live is None:
                self._live = Live(console=self.console, auto_refresh=False, transient=False)
                self._live.start()
            self._live.update(panel(progress), refresh=True)
            return
        now = time.monotonic()
        if progress.stage != self._stage or now - self._line >= SPARSE:
            self._stage, self._line = progress.stage, now
            self.console.print(line(progress), soft_wrap=True, markup=False)


def panel(progress: Progress) -> Group:
    """The live display."""
    counts = Table.grid(padding=(0, 2))
    counts.add_row(*(f"{name} {value}" for name, value in _counts(progress)))
    refused = ", ".join(f"{name} {grouped(count)}" for name, count in progress.refused.items())
    rows: list[RenderableType] = [Text(plain(_headline(progress)), style="bold"), counts]
    if refused:
        rows.append(Text(plain(f"refused before training: {refused}"), style="dim"))
    if progress.stage != "evaluate":
        rows.append(Text(f"best so far: {_best(progress.best)}"))
    return Group(*rows)


def line(progress: Progress) -> str:
    """The same in one line."""
    counts = ", ".join(f"{name} {value}" for name, value in _counts(progress))
    best = "" if progress.stage == "evaluate" else f"; best so far: {_best(progress.best)}"
    return f"{_headline(progress)}: {counts}{best}"


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _headline(progress: Progress) -> str:
    head = f"{progress.stage} {clock(progress.seconds)}"
    if progress.seconds_left is None or progress.stage == "done":
        return head
    if progress.seconds_left <= 0:
        return f"{head}, time is up, finishing what was begun"
    return f"{head}, {clock(progress.seconds_left)} left"


def _counts(progress: Progress) -> list[tuple[str, str]]:
    if progress.stage == "evaluate":
        return [("folds", f"{progress.done}/{progress.total}")]
    limit = "" if progress.candidates is None else f"/{progress.candidates}"
    counts = [
        ("asked", f"{progress.asked}{limit}"),
        ("refused", grouped(sum(progress.refused.values()))),
        ("trained", str(progress.trained)),
        ("stopped", str(progress.stopped)),
    ]
    if progress.failed:
        counts.append(("failed", str(progress.failed)))
    if progress.total is not None:
        counts.append(("confirmed", f"{progress.confirmed} ({progress.done}/{progress.total})"))
    return counts


def _best(best: Best | None) -> str:
    if best is None:
        return "none trained in full yet"
    figures = (
        f"trial {best.trial}, {best.shown}, "
        f"{grouped(best.metrics['params'])} parameters, {best.metrics['macs'] / 1e6:.1f} M MACs, "
        f"U {best.performance:.1f} dB"
    )
    return f"{figures} ({best.remark})" if best.remark else figures
