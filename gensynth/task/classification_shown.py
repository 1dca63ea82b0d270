"""How a classification is shown: what was taken for what, and how much of each class was right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR, LETTERS = "#a9c8e8", "#212529"
DARK = 0.5
"""Share of a class from which on white letters stand out from the blue."""


def lines(figures: Mapping[str, Any]) -> Iterator[str]:
    """Means, and a line a class: its images by what they were taken for, and its recall."""
    yield f"  mean over folds    {figures['fold_mean']:.2%}"
    yield f"  sequences          {figures['sequence_accuracy']:.2%}"
    if figures.get("agreement"):
        yield "  agreement          " + ", ".join(
            f"{name} {value:.3f}" for name, value in figures["agreement"].items()
        )
    classes, counts = figures["classes"], figures["confusion"]
    width = max(9, *map(len, classes)) + 1
    yield "  class \\ taken for".ljust(2 + 2 * width) + "".join(f"{c:>{width}}" for c in classes)
    for name, row in zip(classes, counts, strict=True):
        recall = figures["recall"].get(name)
        told = "no images" if recall is None else f"{recall:.1%}"
        cells = "".join(f"{count:>{width}}" for count in row)
        yield f"    {name}".ljust(2 + 2 * width) + f"{cells}   recall {told}"


def pairs(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Accuracy by sequence, and the recalls in one line."""
    if figures.get("sequence_accuracy") is not None:
        yield "accuracy by sequence", f"{figures['sequence_accuracy']:.1%}"
    if figures.get("recall"):
        yield (
            "recall",
            ", ".join(f"{name} {value:.1%}" for name, value in figures["recall"].items()),
        )


def draw(figure: Figure, figures: Mapping[str, Any]) -> None:
    """Draws the confusion matrix and the recalls."""
    matrix, bars = figure.subplots(1, 2, width_ratios=(5, 3), sharey=True)
    _matrix(matrix, figures)
    _recalls(bars, figures)


def _percent(share: float) -> str:
    return "<1" if share < 0.005 else f"{100 * share:.0f}"


def _matrix(axes: Axes, figures: Mapping[str, Any]) -> None:
    classes = figures["classes"]
    counts = np.asarray(figures["confusion"])
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            share = shares[row, column]
            colour = "#ffffff" if share > DARK else LETTERS
            axes.text(column, row, _percent(share), ha="center", va="center", color=colour, size=8)
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("taken for (% of the class)")
    axes.set_ylabel("class")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _recalls(axes: Axes, figures: Mapping[str, Any]) -> None:
    recall, seeds = figures["recall"], len(figures["seeds"])
    images = np.asarray(figures["confusion"]).sum(axis=1) // seeds
    for row, name in enumerate(figures["classes"]):
        if name in recall:
            axes.barh(row, 100 * recall[name], height=0.62, color=BAR)
            words = f"{recall[name]:.1%} of {images[row]}"
            axes.text(2, row, words, va="center", color=LETTERS, size=8)
    axes.set_xlim(0, 100)
    axes.set_xlabel("recall (% of the class's images)")
    axes.tick_params(axis="y", length=0, labelleft=False)
    axes.spines["left"].set_visible(False)
