"""An evaluation drawn: what was taken for what, and how much of each class was right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from gensynth.errors import UserError
from gensynth.report.style import PLOT, rendered

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAR, LETTERS = "#a9c8e8", "#212529"
DARK = 0.5
"""Share of a class from which on white letters stand out from the blue."""


def draw_evaluation(figures: Mapping[str, Any], format: str) -> bytes:
    """Draws the confusion matrix and the recalls.

    Args:
        figures: What ``gensynth.search.evaluate_network`` returns, or ``evaluation.json`` holds.
        format: ``"svg"`` or ``"png"``.

    Returns:
        The file, the same bytes for the same figures.
    """
    with matplotlib.rc_context(PLOT):
        figure = Figure(figsize=(8.6, 4.6), layout="constrained")
        matrix, bars = figure.subplots(1, 2, width_ratios=(5, 3), sharey=True)
        _matrix(matrix, figures)
        _recalls(bars, figures)
        figure.suptitle("\n".join(_title(figures)), x=0.01, ha="left", fontsize=10)
        return rendered(figure, format)


def write_evaluation(figures: Mapping[str, Any], path: Path) -> None:
    """Writes the drawing to an .svg or .png file.

    Raises:
        UserError: For a path that cannot be written.
    """
    try:
        path.write_bytes(draw_evaluation(figures, path.suffix.removeprefix(".")))
    except OSError as error:
        raise UserError(f"cannot be written ({error.strerror})", where=str(path)) from error


def _title(figures: Mapping[str, Any]) -> list[str]:
    suffix = " (SYNTHETIC faces)" if figures["synthetic"] else ""
    seeds, tested = len(figures["seeds"]), len(figures["protocol"]["folds"]["tested"])
    lines = [
        f"{figures['name']} on {figures['data']}{suffix}: {_accuracy(figures)}",
        f"{figures['images']} images of {figures['sequences']} sequences, "
        f"{_counted(tested, 'fold')} by {figures['protocol']['folds']['by']}, "
        f"{_counted(seeds, 'training seed')}, {_counted(figures['epochs'], 'epoch')}",
    ]
    for chosen in figures["chosen"]:
        if chosen["unseen"] and chosen["seen"]:
            folds = _counted(len(chosen["unseen"]["folds"]), "fold")
            lines.append(
                f"on {folds} that did not choose the {chosen['what']}: "
                f"{_accuracy(chosen['unseen'])}"
            )
    return lines


def _accuracy(figures: Mapping[str, Any]) -> str:
    low, high = figures["interval"]
    return f"{figures['accuracy']:.1%} (95 % interval {low:.1%} to {high:.1%})"


def _percent(share: float) -> str:
    return "<1" if share < 0.005 else f"{100 * share:.0f}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


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
