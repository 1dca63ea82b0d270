"""Numbers and figures of networks in words, for HTML."""

from __future__ import annotations

from html import escape

from gensynth.search.results import ConfirmedFigure, Figure, UnseenFigure
from gensynth.task import Metric

THIN = "\N{NARROW NO-BREAK SPACE}"


def grouped(value: float) -> str:
    """A whole number with its digits in groups of three."""
    return f"{value:,.0f}".replace(",", THIN)


def millions(value: float) -> str:
    """A number in millions with one decimal."""
    return f"{value / 1e6:.1f}{THIN}M"


def shown(metric: Metric, figure: Figure) -> str:
    """The value of a metric, escaped."""
    return escape(metric.shown(figure.value(metric), gap=THIN))


def interval_of(metric: Metric, figure: ConfirmedFigure | UnseenFigure) -> str:
    """The 95 % interval of a figure in brackets; nothing where there is none."""
    if figure.interval is None:
        return ""
    return f" <small>[{metric.spanned(figure.interval)}]</small>"
