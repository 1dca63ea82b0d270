"""The front of a run: accuracy against parameters, for paper, page and dashboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from gensynth.errors import UserError
from gensynth.export import Run
from gensynth.indicator import Indicator
from gensynth.report.published import PUBLISHED, Published
from gensynth.report.style import PLOT, rendered
from gensynth.search.outcome import Ending, Outcome
from gensynth.search.results import FoundNetwork
from gensynth.search.study import outcomes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENDINGS: Mapping[Ending, str] = {
    "feasible": "satisfies the constraint",
    "infeasible": "violates the constraint",
    "stopped": "stopped early",
}
COLOURS: Mapping[Ending, str] = {
    "feasible": "#2f6fb2",
    "infeasible": "#adb5bd",
    "stopped": "#ced4da",
}
CONFIRMED, BOUND, KNOWN = "#c8601a", "#2f8a4c", "#7454b3"


@dataclass(frozen=True)
class FrontFigure:
    """What the figure shows.

    Attributes:
        name: Of the run.
        synthetic: Whether the data is drawn; the figure then says so.
        constraint: Its bounds on accuracy and parameters become lines.
        found: Candidates as the search saw them.
        confirmed: Networks trained again on all folds with fresh seeds.
        refused: Number of candidates refused before any training; they have no accuracy to show.
    """

    name: str
    synthetic: bool
    constraint: Indicator
    found: Sequence[Outcome]
    confirmed: Sequence[FoundNetwork]
    refused: int = 0

    @property
    def published(self) -> Sequence[Published]:
        """Published networks: none beside synthetic faces, where they would mean nothing."""
        return () if self.synthetic else PUBLISHED

    def bound(self, metric: str, end: str) -> float | None:
        """The value of a bound such as ``("params", "max")``."""
        bound = self.constraint.bounds.get(metric)
        return getattr(bound, end) if bound else None


def front_of(run: Run) -> FrontFigure:
    """Collects what the figure of a run shows, also while its search goes on."""
    results = run.results if run.finished else None
    return FrontFigure(
        name=run.name,
        synthetic=results.synthetic if results else run.synthetic,
        constraint=results.constraint if results else run.constraint,
        found=outcomes_of(run.study),
        confirmed=[one for one in results.networks if one.confirmed] if results else [],
        refused=sum(results.counts.refused.values()) if results else 0,
    )


def draw_front(front: FrontFigure, format: str) -> bytes:
    """Draws the front.

    Accuracy over parameters on a logarithmic axis: every candidate as the search saw it, the
    confirmed networks with their Wilson 95 % intervals, the bounds as lines and the feasible region
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
        _candidates(axes, front.found)
        _confirmed(axes, front.confirmed)
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
    format = target.suffix.lower().removeprefix(".")
    if format not in ("png", "svg"):
        raise UserError("a figure is written as .png or .svg", where=str(path))
    try:
        target.write_bytes(draw_front(front_of(run), format))
    except OSError as error:
        raise UserError(f"cannot be written ({error.strerror})", where=str(path)) from error


def _candidates(axes: Axes, found: Sequence[Outcome]) -> None:
    endings: tuple[Ending, ...] = ("stopped", "infeasible", "feasible")
    for ending in endings:
        group = [one for one in found if one.ending == ending and one.accuracy is not None]
        if group:
            axes.scatter(
                [one.metrics["params"] for one in group],
                [100 * (one.accuracy or 0) for one in group],
                s=16 if ending != "feasible" else 24,
                c=COLOURS[ending],
                marker="x" if ending == "stopped" else "o",
                linewidths=1 if ending == "stopped" else 0,
                label=f"{ENDINGS[ending]} ({len(group)})",
                zorder=3,
            )


def _confirmed(axes: Axes, networks: Sequence[FoundNetwork]) -> None:
    label = "confirmed, Wilson 95 %"
    for network in networks:
        figure = network.confirmed
        if figure is None:
            continue
        if figure.interval:
            axes.vlines(
                network.params,
                100 * figure.interval[0],
                100 * figure.interval[1],
                color=CONFIRMED,
                linewidth=1.4,
                zorder=4,
            )
        axes.scatter(
            [network.params],
            [100 * figure.accuracy],
            s=32,
            marker="D",
            facecolor=CONFIRMED if network.feasible else "#ffffff",
            edgecolor=CONFIRMED,
            linewidths=1.4,
            label=label,
            zorder=5,
        )
        label = "_"
        if network.search:
            axes.vlines(
                network.params,
                100 * min(figure.accuracy, network.search.accuracy),
                100 * max(figure.accuracy, network.search.accuracy),
                color=COLOURS["feasible"],
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
    floor, ceiling = front.bound("accuracy", "min"), front.bound("params", "max")
    left, right = front.bound("params", "min") or low, ceiling or high
    lowest = 100 * floor if floor is not None else bottom
    if floor is not None or ceiling is not None:
        axes.fill_between([left, right], lowest, top, color=BOUND, alpha=0.08, linewidth=0)
    if floor is not None:
        axes.axhline(lowest, color=BOUND, linewidth=1, linestyle="--")
        words = f"accuracy ≥ {lowest:g} %"
        axes.annotate(
            words,
            (0, lowest),
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
    axes.set_ylabel("accuracy (%)")
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
    hidden = sum(one.ending == "stopped" and 100 * (one.accuracy or 0) < low for one in front.found)
    if hidden:
        axes.annotate(
            f"{hidden} stopped early below",
            (0, 0),
            xycoords="axes fraction",
            xytext=(4, 4),
            textcoords="offset points",
            color="#868e96",
            fontsize=7,
        )


def _heights(front: FrontFigure) -> tuple[float, float]:
    """Limits in percent: those of what was trained to the end, where there is any."""
    trained = [one for one in front.found if one.ending != "stopped"] or front.found
    found = [one.accuracy or 0.0 for one in trained]
    found += [one.percent / 100 for one in front.published]
    found += [end for n in front.confirmed if n.confirmed for end in n.confirmed.interval or ()]
    found += [end for end in (front.bound("accuracy", "min"),) if end is not None]
    if not found:
        return 0.0, 100.0
    room = max(1.0, 6 * (max(found) - min(found)))
    return 100 * min(found) - room, min(100.5, 100 * max(found) + room)


def _thousands(value: float, _: object = None) -> str:
    if value < 1000:
        return f"{value:g}"
    return f"{value / 1e6:g} M" if value >= 1e6 else f"{value / 1e3:g} k"
