"""``report.html``: a run on one page that needs nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from gensynth.errors import UserError
from gensynth.export import Run
from gensynth.genome import Genome
from gensynth.indicator import Indicator
from gensynth.report.answer import answer, asked_and_used
from gensynth.report.drawing import draw
from gensynth.report.front import draw_front, front_of
from gensynth.report.style import STYLE
from gensynth.report.words import THIN, grouped, interval_of, millions, shown
from gensynth.search.results import (
    ConfirmedFigure,
    FoundNetwork,
    Results,
)
from gensynth.search.verdict import Verdict
from gensynth.task import Metric, Task
from gensynth.task.published import METRIC, PUBLISHED, SOURCE

FILE = "report.html"
_INDICATOR = "The indicator function 1<sub>r</sub>, which is 1 where every bound holds,"
_WORDS = (
    "U, in dB, is what the search maximises: quality against parameters and MACs. MACs are "
    "multiply-accumulates for one image. The search chose by its own folds, so the folds that it "
    "did not see are the sterner test."
)
_PHASES = {
    "setup": "setting up",
    "search_training": "training in the search, over all workers",
    "confirm_training": "training to confirm, over all workers",
    "pretraining": "learning drawn faces first, over all workers",
    "overhead": "workers on anything else",
    "total": "whole run, by the clock",
}


def write_report(run: Run, path: str | Path | None = None) -> Path:
    """Writes the report of a finished run.

    Args:
        run: The run.
        path: The file; ``report.html`` in the run directory when None.

    Returns:
        The file.

    Raises:
        UserError: If the run has no results or the file cannot be written.
    """
    target = run.path / FILE if path is None else Path(path)
    page = report(run)
    try:
        if path is None and target.is_symlink():
            target.unlink()  # what a stranger's run links to is not written to
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot be written ({error.strerror})", where=str(target)) from error
    return target


def report(run: Run) -> str:
    """The report of a finished run as HTML, figures and drawings inline."""
    results = run.results
    figure = draw_front(front_of(run), "svg").decode()
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(results.name)} - gensynth</title>",
        f"<style>{STYLE}</style></head><body>",
        _banner(results),
        f"<h1>{escape(results.name)}</h1>",
        answer(run),
        "<h2>This run</h2>",
        _about(run),
        "<h2>Constraint</h2>",
        _constraint(results.constraint, results.task),
        "<h2>Front</h2>",
        f"<figure>{_labelled(figure, results)}{_caption(results)}</figure>",
        "<h2>Networks</h2>",
        _networks(results),
        f"<p><small>{_WORDS}</small></p>",
        *(_drawing(network, run.genome(network), results.task) for network in _ordered(results)),
        "<h2>Search</h2>",
        _counts(results),
        _seconds(results.seconds),
        _protocol(results),
        "</body></html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _labelled(figure: str, results: Results) -> str:
    """The figure for a reader who does not see it, and as wide as the screen is."""
    label = f"{results.task.headline.label} against parameters of all candidates"
    drawn = figure[figure.index("<svg") + len("<svg") :]
    return f'<svg role="img" aria-label="{escape(label)}"{drawn}'


def _banner(results: Results) -> str:
    if not results.synthetic:
        return ""
    return (
        '<p class="banner"><strong>SYNTHETIC DATA.</strong> The faces are drawn, not photographed. '
        "Figures on them say nothing about CK+ or about people, and no published figure "
        "compares with them.</p>"
    )


def _about(run: Run) -> str:
    """Which run this is."""
    results = run.results
    rows = {
        "data": f"{results.data} ({results.source})" if results.source else results.data,
        "seed": str(results.seed),
        "time": asked_and_used(run),
        "command": results.command,
    }
    return _definitions(rows)


def _constraint(constraint: Indicator, task: Task) -> str:
    rows = []
    for metric, bound in constraint.bounds.items():
        ends = [
            f"{sign} {_value(task.metric(metric), value)}"
            for sign, value in (("≥", bound.min), ("≤", bound.max))
            if value is not None
        ]
        rows.append((escape(metric), " and ".join(ends)))
    return f"<p>{_INDICATOR} = {escape(constraint.name)}</p>" + _table(("metric", "bound"), rows)


def _caption(results: Results) -> str:
    words = (
        f"Dots: {results.task.headline.label} that the search saw, on the folds and epochs of its "
        "budget; it chose by this figure, which is therefore optimistic. Diamonds: the same "
        "networks trained again on all folds with fresh seeds, filled if they satisfy the "
        f"constraint, with {results.task.interval_by}. Shaded: the bounds on it and on parameters."
    )
    if not results.synthetic and results.task.headline.name == METRIC:
        names = ", ".join(one.name for one in PUBLISHED)
        words += f" Stars: published figures, not measured here ({names}: {SOURCE})."
    return f"<figcaption>{escape(words)}</figcaption>"


def _networks(results: Results) -> str:
    metric = results.task.headline
    head = (
        "trial",
        "parameters",
        "MACs",
        "peak memory",
        "model",
        f"{escape(metric.label)}, search",
        f"{escape(metric.label)}, confirmed [95 %]",
        "of these, folds the search did not see",
        "U (dB)",
        "1<sub>r</sub>",
    )
    return _table(head, [_row(network, metric) for network in _ordered(results)], numeric=True)


def _ordered(results: Results) -> list[FoundNetwork]:
    return sorted(
        results.networks,
        key=_importance,
    )


def _importance(network: FoundNetwork) -> tuple[bool, bool, int]:
    return not network.verdict.satisfied, network.confirmed is None, network.params


def _row(network: FoundNetwork, metric: Metric) -> Sequence[str]:
    seen, figure = network.search, network.confirmed
    return (
        f'<a href="#trial-{network.trial}">{network.trial}</a>',
        grouped(network.params),
        millions(network.macs),
        _kib(network.peak_memory),
        _kib(network.model_bytes),
        f"{shown(metric, seen)} <small>{seen.folds} folds</small>" if seen else "–",
        f"<strong>{shown(metric, figure)}</strong>{interval_of(metric, figure)}" if figure else "–",
        _unseen(metric, figure) if figure else "–",
        f"{network.performance:.1f}" if network.performance is not None else "–",
        _verdict(network),
    )


def _verdict(network: FoundNetwork) -> str:
    verdict = network.verdict
    if verdict.satisfied:
        return "satisfied" if network.confirmed else "satisfied in the search only"
    if network.refuted:
        how = "diverged" if verdict is Verdict.DIVERGED else f"refuted by {network.refuted.bound}"
        return f"{escape(how)} after {network.refuted.folds} folds"
    violated = [name for name, value in network.violations.items() if value > 0] or ["1_r"]
    how = "refuted: violates" if verdict is Verdict.REFUTED else "violates"
    return f"{how} {escape(', '.join(violated))}"


def _unseen(metric: Metric, figure: ConfirmedFigure) -> str:
    unseen = figure.unseen
    return f"{shown(metric, unseen)}{interval_of(metric, unseen)}" if unseen else "–"


def _drawing(network: FoundNetwork, genome: Genome, task: Task) -> str:
    stated = network.confirmed.stated if network.confirmed else {}
    rows = {
        "genome": network.genome,
        "hash": network.hash,
        **dict(task.pairs(stated)),
    }
    return (
        f'<details id="trial-{network.trial}"{" open" if network.confirmed else ""}>'
        f"<summary>Trial {network.trial}: {grouped(network.params)} parameters</summary>"
        f"{draw(genome).svg()}{_definitions(rows)}</details>"
    )


def _counts(results: Results) -> str:
    counts = results.counts
    rows = [
        ("asked for", counts.asked),
        *((f"refused untrained by {name}", number) for name, number in counts.refused.items()),
        ("duplicates, not trained again", counts.duplicates),
        ("trained to the end", counts.trained),
        ("stopped early", counts.stopped),
        ("failed", counts.failed),
    ]
    return _table(
        ("candidates", ""), [(escape(name), grouped(n)) for name, n in rows], numeric=True
    )


def _seconds(seconds: Mapping[str, float]) -> str:
    rows = [
        (escape(_PHASES.get(name, name)), f"{value:.1f}")
        for name, value in seconds.items()
        if name != "workers"
    ]
    if not rows:
        return ""
    workers = seconds.get("workers")
    title = f"time, with {workers:.0f} workers" if workers else "time"
    return _table((title, "seconds"), rows, numeric=True)


def _protocol(results: Results) -> str:
    seen = next((one.search for one in results.networks if one.search), None)
    figure = next((one.confirmed for one in results.networks if one.confirmed), None)
    words = []
    if seen:
        epochs = _epochs(seen.epochs)
        words.append(
            f"The search chose by {seen.folds} folds{epochs}, {grouped(seen.images)} test images, "
            f"with training seeds that follow from run seed {results.seed}."
        )
    if figure:
        seeds = ", ".join(map(str, figure.seeds))
        apart = figure.unseen is not None and figure.unseen.images == figure.images
        again = "again, on the test part" if apart else "on all folds again"
        sequences = f" of {grouped(figure.sequences)} sequences" if figure.sequences else ""
        words.append(
            f"Confirmation trained {again}{_epochs(figure.epochs)}, with seeds {seeds}, "
            f"which no search training used; {grouped(figure.images)} test images{sequences}."
        )
        words.append(
            "No test image of the confirmation had a part in choosing among the networks."
            if apart
            else "The search's folds are among those of the confirmation: networks were chosen by "
            "their test images. The folds that it did not see had no part in choosing among its "
            "networks."
        )
        words.append("No epoch was picked by test images, in the search or in confirmation.")
    words.append(results.recipe)
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    words.append(f"Versions: {versions}." if versions else "")
    return "".join(f"<p>{escape(line)}</p>" for line in words if line)


def _epochs(number: int | None) -> str:
    return f", {number} epochs" if number else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: bool = False) -> str:
    titles = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    kind = ' class="numbers"' if numeric else ""
    table = f"<table{kind}><thead><tr>{titles}</tr></thead><tbody>\n{body}</tbody></table>"
    return f'<div class="scroll" tabindex="0">{table}</div>'


def _definitions(rows: Mapping[str, str]) -> str:
    lines = "".join(
        f"<dt>{escape(name)}</dt><dd><code>{escape(value)}</code></dd>"
        for name, value in rows.items()
        if value
    )
    return f"<dl>{lines}</dl>"


def _value(metric: Metric | None, value: float) -> str:
    return grouped(value) if metric is None else metric.shown(value, gap=THIN)


def _kib(value: float) -> str:
    return f"{value / 1024:.0f}{THIN}KiB"
