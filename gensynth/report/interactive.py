"""The front as a Plotly figure, which the Optuna dashboard draws; Plotly itself is not needed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gensynth.report.front import BOUND, CONFIRMED, KNOWN, MARKS, FrontFigure
from gensynth.search.outcome import Outcome
from gensynth.search.verdict import Verdict
from gensynth.task import Metric


@dataclass(frozen=True)
class PlotlyFigure:
    """A figure in Plotly's JSON schema."""

    data: Sequence[dict[str, Any]]
    layout: dict[str, Any]

    def to_json(self) -> str:
        """The figure as ``plotly.graph_objects.Figure.to_json`` writes it."""
        return json.dumps({"data": list(self.data), "layout": self.layout})


def interactive_front(front: FrontFigure) -> PlotlyFigure:
    """Draws the front for the dashboard: the same marks as :func:`draw_front`, with hovering."""
    data = [_candidates(front, verdict) for verdict in MARKS]
    data += [_confirmed(front), _published(front)]
    title = f"Front of {front.name}" + (" (SYNTHETIC faces)" if front.synthetic else "")
    shapes, notes = _bounds(front)
    layout = {
        "title": {"text": title},
        "xaxis": {
            "type": "log",
            "title": {"text": "parameters"},
            "tickformat": "~s",
            "dtick": "D2",
        },
        "yaxis": {"title": {"text": front.metric.axis}},
        "legend": {"orientation": "h", "y": -0.3},
        "height": 450,
        "shapes": shapes,
        "annotations": notes,
    }
    return PlotlyFigure([trace for trace in data if trace["x"]], layout)


def _candidates(front: FrontFigure, verdict: Verdict) -> dict[str, Any]:
    group = [(one, value) for one, value in front.known if one.verdict is verdict]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": verdict.words,
        "x": [one.metrics["params"] for one, _ in group],
        "y": [value for _, value in group],
        "text": [_hover(one, front.metric) for one, _ in group],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "color": MARKS[verdict].colour,
            "symbol": MARKS[verdict].symbol,
            "size": 8 if verdict.satisfied else 6,
        },
    }


def _hover(one: Outcome, metric: Metric) -> str:
    lines = [
        f"trial {one.trial}: {one.verdict.words}",
        f"{metric.label} {metric.shown(one.metrics[metric.name], gap=' ')}",
        f"{one.metrics['params']:,.0f} parameters",
        f"{one.metrics.get('macs', 0) / 1e6:.1f} M MACs",
        *(f"violates {name}" for name, value in one.violations.items() if value > 0),
    ]
    return "<br>".join(lines)


def _confirmed(front: FrontFigure) -> dict[str, Any]:
    known = [(one, one.confirmed) for one in front.confirmed if one.confirmed]
    metric = front.metric
    values = [figure.value(metric) for _, figure in known]
    spans = [
        (figure.interval or (value, value), value)
        for (_, figure), value in zip(known, values, strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"confirmed, {front.interval_label}",
        "x": [one.params for one, _ in known],
        "y": [metric.scale * value for value in values],
        "text": [
            f"trial {one.trial}, confirmed<br>{metric.shown(value, gap=' ')}"
            for (one, _), value in zip(known, values, strict=True)
        ],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": CONFIRMED, "symbol": "diamond", "size": 10},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [metric.scale * (span[1] - middle) for span, middle in spans],
            "arrayminus": [metric.scale * (middle - span[0]) for span, middle in spans],
            "color": CONFIRMED,
        },
    }


def _published(front: FrontFigure) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "published (Lee et al. 2021)",
        "x": [one.params for one in front.published],
        "y": [one.percent for one in front.published],
        "text": [one.name.removeprefix("EmotionNet ") for one in front.published],
        "textposition": "top right",
        "marker": {"color": KNOWN, "symbol": "star-open", "size": 12},
    }


def _bounds(front: FrontFigure) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    line = {"color": BOUND, "width": 1, "dash": "dash"}
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    y, ceiling = front.limit, front.bound("params", "max")
    if y is not None:
        shapes.append(
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line}
        )
        notes.append(_note(front.limit_in_words, xref="paper", x=0, y=y, xanchor="left"))
    if ceiling is not None:
        shapes.append(
            {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": ceiling, "x1": ceiling}
            | {"line": line}
        )
    return shapes, notes


def _note(text: str, **place: Any) -> dict[str, Any]:
    return {
        "text": text,
        "showarrow": False,
        "yanchor": "bottom",
        "font": {"color": BOUND, "size": 11},
        **place,
    }
