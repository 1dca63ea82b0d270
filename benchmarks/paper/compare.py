"""Evaluations compared: the difference of their accuracies beside Welch's test of it.

An evaluation gives one accuracy a training seed, and the test is over those (Welch 1947, Biometrika
34:28-35). It says whether other starts would leave the difference, and nothing of other people: all
networks are tested on the same faces.

    python -m benchmarks.paper.compare FIRST OTHER …    directories of ``gensynth evaluate -o``
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import ttest_ind

from benchmarks.markdown import markdown, probability
from gensynth.errors import UserError
from gensynth.evaluation import EvaluationDirectory

HEADS = ("first", "other", "points more", "95 %", "Welch's t", "degrees of freedom", "p")
SAME = ("data", "epochs", "protocol")
"""What two evaluations must have in common to be compared."""


@dataclass(frozen=True)
class Comparison:
    """What two samples of accuracies say of their means.

    Attributes:
        difference: First mean less other mean.
        interval: Its 95 % interval.
        t: Welch's statistic.
        freedom: Its degrees of freedom.
        p: Two-sided.
    """

    difference: float
    interval: tuple[float, float]
    t: float
    freedom: float
    p: float


def welch(first: Sequence[float], other: Sequence[float]) -> Comparison:
    """Compares two means whose samples have variances of their own.

    Args:
        first: Accuracies, one a training seed.
        other: Others.

    Raises:
        ValueError: If one of them has fewer than two.
    """
    if min(len(first), len(other)) < 2:
        raise ValueError("one training seed does not tell its spread")
    found = ttest_ind(first, other, equal_var=False)
    low, high = found.confidence_interval(0.95)
    return Comparison(
        difference=sum(first) / len(first) - sum(other) / len(other),
        interval=(float(low), float(high)),
        t=float(found.statistic),
        freedom=float(found.df),
        p=float(found.pvalue),
    )


def row(first: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """A line of the table.

    Args:
        first: What an ``evaluation.json`` holds.
        other: What another one holds.

    Raises:
        UserError: If they are of different data, epochs or protocols.
    """
    for key in SAME:
        if first[key] != other[key]:
            raise UserError(
                f"{first['name']} and {other['name']} differ in {key}",
                remedy="compare evaluations by one command",
            )
    labels = [_label(first), _label(other)]
    try:
        found = welch(first["per_seed"], other["per_seed"])
    except ValueError as error:
        return [
            *labels,
            f"{100 * (first['accuracy'] - other['accuracy']):+.1f}",
            "",
            "",
            "",
            str(error),
        ]
    low, high = (100 * end for end in found.interval)
    return [
        *labels,
        f"{100 * found.difference:+.1f}",
        f"{low:+.1f} to {high:+.1f}",
        f"{found.t:.2f}",
        f"{found.freedom:.1f}",
        probability(found.p),
    ]


def _label(figures: Mapping[str, Any]) -> str:
    seeds = ", ".join(f"{100 * accuracy:.1f}" for accuracy in figures["per_seed"])
    return f"{figures['name']}: {100 * figures['accuracy']:.1f} % ({seeds})"


def read(folder: Path) -> dict[str, Any]:
    """What an evaluation's directory holds as figures.

    Raises:
        UserError: If there are none.
    """
    path = EvaluationDirectory(folder).figures
    try:
        figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"no figures ({error})", where=str(path)) from error
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.paper.compare", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("first", type=Path, help="directory of an evaluation")
    parser.add_argument("others", type=Path, nargs="+", help="those to compare it with")
    options = parser.parse_args(arguments)
    try:
        first = read(options.first)
        rows = [row(first, read(other)) for other in options.others]
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(markdown(HEADS, rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
