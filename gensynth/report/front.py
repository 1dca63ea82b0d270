"""The front of a run: its headline metric against parameters, for paper, page and dashboard."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from gensynth.errors import UserError
from gensynth.export import Run
from gensynth.indicator import Indicator
from gensynth.report.style import PLOT, rendered
from gensynth.search.outcome import Outcome
from gensynth.search.results import FoundNetwork
from gensynth.search.study import outcomes_of
from gensynth.search.verdict import Verdict
from gensynth.task import Classification, Metric, Task
from gensynth.task.published import METRIC, PUBLISHED, Published

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Symbols(NamedTuple):
    """How a candidate is drawn; shapes differ where colours may not be told apart.

    Attributes:
        colour: Of its face, or of its lines where ``filled`` is False.
        shape: As Matplotlib calls it.
        symbol: As Plotly calls it.
    """

    colour: str
    shape: str
    symbol: str

    @property
    def filled(self) -> bool:
        """Whether it has a face."""
        return self.shape in "os^"


MARKS: Mapping[Verdict, Symbols] = {
    Verdict.STOPPED: Symbols("#868e96", "x", "x-thin-open"),
    Verdict.DIVERGED: Symbols("#868e96", "+", "cross-thin-open"),
    Verdict.VIOLATED: Symbols("#868e96", "s", "square"),
    Verdict.REFUTED: Symbols("#b02a37", "^", "triangle-up"),
    Verdict.SEARCHED: Symbols("#74a4d4", "o", "circle"),
    Verdict.CONFIRMED: Symbols("#1f5f9f", "o", "circle"),
}
"""Later ones are drawn over earlier ones."""
UNFINISHED = (Verdict.STOPPED, Verdict.DIVERGED)
CONFIRMED, BOUND, KNOWN = "#c8601a", "#2f8a4c", "#7454b3"


@dataclass(frozen=True)
class FrontFigure:
    """What the figure shows.

    Attributes:
        name: Of the run.
        synthetic: Whether the data is drawn; the figure then says so.
        constraint: Its bounds on the headline metric and on parameters become lines.
        found: Candidates as the search saw them.
        confirmed: Networks trained again on all folds with fresh seeds.
        refused: Number of candidates refused before any training; they have no figure to show.
        task: What networks are asked.
    """

    name: str
    synthetic: bool
    constraint: Indicator
    found: Sequence[Outcome]
    confirmed: Sequence[FoundNetwork]
    refused: int = 0
    task: Task = field(default_factory=Classification)

    @property
    def metric(self) -> Metric:
        """What networks are compared by."""
        return self.task.headline

    @property
    def published(self) -> Sequence[Published]:
        """Published networks: none beside synthetic faces or of another metric."""
        return () if self.synthetic or self.metric.name != METRIC else PUBLISHED

    @property
    def known(self) -> Sequence[tuple[Outcome, float]]:
        """The candidates with the headline metric, as it is drawn."""
        name, scale = self.metric.name, self.metric.scale
        return [(one, scale * one.metrics[name]) for one in self.found if name in one.metrics]

    @property
    def interval_label(self) -> str:
        """What the intervals of confirmed networks are, for a legend."""
        return self.task.interval_by.partition(" intervals")[0]

    @property
    def limit(self) -> float | None:
        """The bound on the headline metric, as it is drawn: the worst allowed value."""
        end = "min" if self.metric.direction == "maximize" else "max"
        bound = self.bound(self.metric.name, end)
        return None if bound is None else self.metric.scale * bound

    @property
    def limit_in_words(self) -> str:
        """That bound, as it is written beside its line."""
        sign = "≥" if self.metric.direction == "maximize" else "≤"
        gap = " " if self.metric.share else ""
        return f"{self.metric.label} {sign} {self.limit:g}{gap}{self.metric.unit}"

    def bound(self, metric: str, end: str) -> float | None:
        """The value of a bound such as ``("params", "max")``."""
        bound = self.constraint.bounds.get(metric)
        return getattr(bound, end) if bound else None


def front_of(run: Run) -> FrontFigure:
    """Collects what the figure of a run shows, also while its search goes on."""
    results = run.results if run.finished else None
    networks = results.networks if results else ()
    judged = {one.trial: one.verdict for one in networks if one.confirmed or one.refuted}
    return FrontFigure(
        name=run.name,
        synthetic=results.synthetic if results else run.synthetic,
        constraint=results.constraint if results else run.constraint,
        found=[
            replace(one, confirmation=judged.get(one.trial, one.confirmation))
            for one in outcomes_of(run.study)
        ],
        confirmed=[one for one in networks if one.confirmed],
        refused=sum(results.counts.refused.values()) if results else 0,
        task=results.task if results else run.task,
    )


def draw_front(front: FrontFigure, format: str) -> bytes:
    """Draws the front.

    The headline metric over parameters on a logarithmic axis: every candidate as the search saw it,
    the confirmed networks with their 95 % intervals, the bounds as lines and the feasible region
    shaded.

    Args:
        front: What to show.
        format: ``"svg"`` or ``"png"``.

    Returns:
        The file, the same bytes for the same front.
    """
    with matplotlib.rc_context(PLOT):
        figure = Figure(figsize=(7.2, 4.4), layout="constrained")
        axes = figure.add_subplot()
        _candidates(axes, front)
        _confirmed(axes, front)
        _published(axes, front.published)
        _frame(axes, front)
        _bounds(axes, front)
        if front.refused:
            axes.plot([], [], " ", label=f"refused untrained ({front.refused})")
        if axes.get_legend_handles_labels()[0]:
            figure.legend(loc="outside right upper", frameon=False, fontsize=8)
        return rendered(figure, format)


def write_front(run: Run, path: str | Path) -> None:
    """Writes the figure of a finished run to a .png or .svg file.

    Raises:
        UserError: For another ending or a path that cannot be written.
    """
    target = Path(path)
    format = figure_format(target)
    try:
        target.write_bytes(draw_front(front_of(run), format))
    except OSError as error:
        raise UserError(f"cannot be written ({error.strerror})", where=str(path)) from error


def figure_format(path: Path) -> str:
    """The format that a file's ending stands for.

    Raises:
        UserError: If no figure is written in it.
    """
    format = path.suffix.lower().removeprefix(".")
    if format not in ("png", "svg"):
        raise UserError("a figure is written as .png or .svg", where=str(path))
    return format


def _candidates(axes: Axes, front: FrontFigure) -> None:
    for verdict, mark in MARKS.items():
        group = [(one, value) for one, value in front.known if one.verdict is verdict]
        if group:
            axes.scatter(
                [one.metrics["params"] for one, _ in group],
                [value for _, value in group],
                s=24 if verdict.satisfied else 16,
                c=mark.colour,
                marker=mark.shape,
                linewidths=0 if mark.filled else 1,
                label=f"{verdict.words} ({len(group)})",
                zorder=3,
            )


def _confirmed(axes: Axes, front: FrontFigure) -> None:
    label = f"confirmed, {front.interval_label}"
    metric = front.metric
    for network in front.confirmed:
        figure = network.confirmed
        if figure is None:
            continue
        if figure.interval:
            axes.vlines(
                network.params,
                metric.scale * figure.interval[0],
                metric.scale * figure.interval[1],
                color=CONFIRMED,
                linewidth=1.4,
                zorder=4,
            )
        axes.scatter(
            [network.params],
            [metric.scale * figure.value(metric)],
            s=32,
            marker="D",
            facecolor=CONFIRMED if network.verdict.satisfied else "#ffffff",
            edgecolor=CONFIRMED,
            linewidths=1.4,
            label=label,
            zorder=5,
        )
        label = "_"
        if network.search:
            ends = sorted((figure.value(metric), network.search.value(metric)))
            axes.vlines(
                network.params,
                metric.scale * ends[0],
                metric.scale * ends[1],
                color=MARKS[network.verdict].colour,
                linewidth=0.8,
                linestyle=":",
                zorder=2,
            )


def _published(axes: Axes, known: Sequence[Published]) -> None:
    for one in known:
        axes.scatter(
            [one.params],
            [one.percent],
            s=60,
            marker="*",
            facecolor="#ffffff",
            edgecolor=KNOWN,
            label="published (Lee et al. 2021)" if one is known[0] else "_",
            zorder=4,
        )
        axes.annotate(
            one.name.removeprefix("EmotionNet "),
            (one.params, one.percent),
            xytext=(5, 4),
            textcoords="offset points",
            color=KNOWN,
            fontsize=8,
        )


def _bounds(axes: Axes, front: FrontFigure) -> None:
    low, high = axes.get_xlim()
    bottom, top = axes.get_ylim()
    limit, ceiling = front.limit, front.bound("params", "max")
    left, right = front.bound("params", "min") or low, ceiling or high
    best, worst = (top, bottom) if front.metric.direction == "maximize" else (bottom, top)
    if limit is not None or ceiling is not None:
        least = worst if limit is None else limit
        axes.fill_between([left, right], least, best, color=BOUND, alpha=0.08, linewidth=0)
    if limit is not None:
        axes.axhline(limit, color=BOUND, linewidth=1, linestyle="--")
        axes.annotate(
            front.limit_in_words,
            (0, limit),
            xycoords=("axes fraction", "data"),
            xytext=(4, -3),
            textcoords="offset points",
            va="top",
            color=BOUND,
            fontsize=8,
        )
    if ceiling is not None:
        axes.axvline(ceiling, color=BOUND, linewidth=1, linestyle="--")
        axes.annotate(
            f"parameters ≤ {ceiling:,.0f}".replace(",", " "),
            (ceiling, 0),
            xycoords=("data", "axes fraction"),
            xytext=(3, 4),
            textcoords="offset points",
            ha="left",
            rotation=90,
            color=BOUND,
            fontsize=8,
        )
    axes.set_xlim(low, high)
    axes.set_ylim(bottom, top)


def _frame(axes: Axes, front: FrontFigure) -> None:
    axes.set_xscale("log")
    axes.set_xlabel("parameters")
    axes.set_ylabel(front.metric.axis)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(_thousands))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(color="#e9ecef", linewidth=0.7)
    axes.set_axisbelow(True)
    suffix = "  (SYNTHETIC faces)" if front.synthetic else ""
    axes.set_title(f"{front.name}{suffix}", loc="left", fontsize=10)
    sizes = [one.metrics["params"] for one in front.found] + [one.params for one in front.confirmed]
    sizes += [one.params for one in front.published]
    sizes += [end for end in (front.bound("params", "max"),) if end]
    if sizes:
        axes.set_xlim(min(sizes) / 1.25, max(sizes) * 1.25)
    low, high = _heights(front)
    axes.set_ylim(low, high)
    rising = front.metric.direction == "maximize"
    hidden = sum(
        one.verdict in UNFINISHED and (value < low if rising else value > high)
        for one, value in front.known
    )
    if hidden:
        axes.annotate(
            f"{hidden} stopped early {'below' if rising else 'above'}",
            (0, 0 if rising else 1),
            xycoords="axes fraction",
            xytext=(4, 4 if rising else -4),
            va="bottom" if rising else "top",
            textcoords="offset points",
            color="#868e96",
            fontsize=7,
        )


def _heights(front: FrontFigure) -> tuple[float, float]:
    """Limits as drawn: those of what was trained to the end, where there is any."""
    metric = front.metric
    finished = [value for one, value in front.known if one.verdict not in UNFINISHED]
    found = finished or [value for _, value in front.known]
    found += [one.percent for one in front.published]
    intervals = [one.confirmed.interval or () for one in front.confirmed if one.confirmed]
    found += [metric.scale * end for ends in intervals for end in ends]
    found += [] if front.limit is None else [front.limit]
    found = [value for value in found if math.isfinite(value)]
    if not found:
        return 0.0, metric.scale
    spread = max(found) - min(found)
    if metric.share:
        room = max(1.0, 0.06 * spread)
        return min(found) - room, min(100.5, max(found) + room)
    room = 0.06 * spread or 0.1 * abs(found[0]) or 1.0
    return max(metric.scale * metric.low, min(found) - room), max(found) + room


def _thousands(value: float, _: object = None) -> str:
    if value < 1000:
        return f"{value:g}"
    return f"{value / 1e6:g} M" if value >= 1e6 else f"{value / 1e3:g} k"
