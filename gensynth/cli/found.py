"""What a search found, as the terminal shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from gensynth.search.results import FoundNetwork, Results

WIDTH = 120
_VERDICTS = {
    "confirmed": "yes",
    "searched": "not confirmed",
    "refuted": "refuted",
    "violated": "no",
    "diverged": "diverged",
}


def print_results(results: Results) -> None:
    """Prints the networks of a search and its counts."""
    from gensynth.cli.terminal import Terminal

    console = Terminal()
    console.width = max(console.width, WIDTH)
    console.print(_table(results))
    counts, minutes = results.counts, results.seconds["total"] / 60
    refused = ", ".join(f"{name} {count}" for name, count in counts.refused.items())
    diverged = f" ({counts.diverged} diverged)" if counts.diverged else ""
    console.print(
        f"trained {counts.trained}, stopped {counts.stopped}{diverged}, failed {counts.failed}; "
        f"refused before training: {refused or 'none'}; {minutes:.1f} minutes"
    )
    if results.ended:
        console.print(f"ended early: {results.ended}", markup=False)
    if not counts.trained:
        console.print("no candidate was trained in full: raise budget, or lower fidelity.rungs")
    elif not any(network.verdict.satisfied for network in results.networks):
        console.print(f"no network satisfies {results.constraint.name} yet")


def _table(results: Results) -> Table:
    from rich.table import Table

    from gensynth.cli.describe import grouped

    metric = results.task.headline
    data = "SYNTHETIC faces" if results.synthetic else results.data
    table = Table(title=f"{results.name} ({data})", box=None, header_style="bold")
    table.add_column("trial", justify="right")
    table.add_column(f"satisfies {results.constraint.name}")
    for name in (
        "parameters",
        "M MACs",
        f"{metric.label} in search",
        "confirmed",
        "95 % interval",
        "U dB",
    ):
        table.add_column(name, justify="right")
    for network in results.networks:
        searched, confirmed = network.search, network.confirmed
        interval = confirmed.interval if confirmed else None
        table.add_row(
            str(network.trial),
            verdict_on(network),
            grouped(network.params),
            f"{network.macs / 1e6:.2f}",
            f"{metric.shown(searched.value(metric))} ({searched.folds} folds)" if searched else "",
            metric.shown(confirmed.value(metric)) if confirmed else "",
            " to ".join(map(metric.shown, interval)) if interval else "",
            "" if network.performance is None else f"{network.performance:.1f}",
        )
    return table


def verdict_on(network: FoundNetwork) -> str:
    """Whether a network satisfies the constraint, in a word or two."""
    words = _VERDICTS[network.verdict]
    return f"{words} after {network.refuted.folds} folds" if network.refuted else words
