"""An evaluation drawn, as its task does it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from gensynth.errors import UserError
from gensynth.report.style import PLOT, rendered
from gensynth.task import TASKS, Task


def draw_evaluation(figures: Mapping[str, Any], format: str) -> bytes:
    """Draws what a network says against what is true.

    Args:
        figures: What ``gensynth.search.evaluate_network`` returns, or ``evaluation.json`` holds.
        format: ``"svg"`` or ``"png"``.

    Returns:
        The file, the same bytes for the same figures.
    """
    with matplotlib.rc_context(PLOT):
        figure = Figure(figsize=(8.6, 4.6), layout="constrained")
        task = TASKS.read(figures.get("task", {"kind": "classification"}))
        task.draw(figure, figures)
        figure.suptitle("\n".join(_title(figures, task)), x=0.01, ha="left", fontsize=10)
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


def _title(figures: Mapping[str, Any], task: Task) -> list[str]:
    suffix = " (SYNTHETIC faces)" if figures["synthetic"] else ""
    seeds, tested = len(figures["seeds"]), len(figures["protocol"]["folds"]["tested"])
    lines = [
        f"{figures['name']} on {figures['data']}{suffix}: {task.stated(figures)}",
        f"{figures['images']} images of {figures['sequences']} sequences, "
        f"{_counted(tested, 'fold')} by {figures['protocol']['folds']['by']}, "
        f"{_counted(seeds, 'training seed')}, {_counted(figures['epochs'], 'epoch')}",
    ]
    for chosen in figures["chosen"]:
        if chosen["unseen"] and chosen["seen"]:
            folds = _counted(len(chosen["unseen"]["folds"]), "fold")
            lines.append(
                f"on {folds} that did not choose the {chosen['what']}: "
                f"{task.stated(chosen['unseen'])}"
            )
    return lines


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
