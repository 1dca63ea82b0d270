"""How a regression is shown: errors of each number, and what was said against what is true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gensynth.task.regression import KINDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gensynth.task.regression import Regression

DOT, TRUE = "#2f6fb2", "#868e96"


def lines(task: Regression, figures: Mapping[str, Any]) -> Iterator[str]:
    """A table: a line for all numbers together and for each."""
    width = max(9, *map(len, task.named)) + 2
    titles = [title.partition(" of ")[0] for title in _row(task, task.name, figures)]
    wide = [max(12, len(title)) for title in titles]
    for name, cells in (("", titles), *((n, _row(task, n, figures).values()) for n in task.named)):
        yield f"    {name}".ljust(4 + width) + "  ".join(
            f"{cell:>{room}}" for cell, room in zip(cells, wide, strict=True)
        )


def pairs(task: Regression, figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is known of all numbers and of each, beyond the headline."""
    for metric in task.metrics[1:]:
        if metric.name in figures:
            yield metric.label, metric.shown(figures[metric.name])


def draw(task: Regression, figure: Figure, figures: Mapping[str, Any]) -> None:
    """Draws each number as said against as it is."""
    truth = np.concatenate([np.asarray(fold["truth"], dtype=float) for fold in figures["folds"]])
    said = np.concatenate(
        [np.asarray(fold["predictions"], dtype=float) for fold in figures["folds"]]
    )
    unit = f" ({task.unit})" if task.unit else ""
    panels = figure.subplots(1, task.size, squeeze=False)[0]
    for column, (axes, name) in enumerate(zip(panels, task.numbers, strict=True)):
        x, y = truth[:, column], said[:, column]
        ends = min(x.min(), y.min()), max(x.max(), y.max())
        axes.plot(ends, ends, color=TRUE, linewidth=1, linestyle="--")
        axes.scatter(x, y, s=6, color=DOT, alpha=0.4, linewidths=0)
        axes.set_aspect("equal")
        axes.set_xlabel(f"{name}, true{unit}")
        axes.set_ylabel(f"{name}, predicted{unit}")
        words = ", ".join(list(_row(task, name, figures).values())[: len(KINDS)])
        axes.set_title(words, fontsize=8)


def _row(task: Regression, name: str, figures: Mapping[str, Any]) -> dict[str, str]:
    """The figures of a number, by their labels."""
    return {
        metric.label: metric.shown(figures[metric.name])
        for metric in task.metrics
        if metric.name.partition("_")[2] == name and metric.name in figures
    }
