"""Decisions as numbers for a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensynth.generator.decisions import Categorical, Range

Matrix = NDArray[np.float64]


class Encoder:
    """Turns decisions into rows.

    A number takes one column, its place in its range on the range's own scale; a choice takes one
    column a value, so that any two values are one apart; a choice among sets takes one column a
    name. A decision that a network does not have stands in the middle of its range, or at none of
    its values; where some networks have it and some do not, a column more says so.

    Args:
        decisions: The decisions to encode; their order fixes the columns.
        optional: Names of those that not every network has.
    """

    def __init__(
        self, decisions: Mapping[str, Categorical | Range], optional: frozenset[str]
    ) -> None:
        self._decisions = dict(decisions)
        self._optional = optional
        self.owners: list[str] = []
        for name, decision in self._decisions.items():
            self.owners += [name] * (_width(decision) + (name in optional))

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> Matrix:
        """Encodes networks.

        Args:
            rows: Decisions of each.

        Returns:
            (networks, columns). Two different choices are at squared distance 1.
        """
        matrix = np.zeros((len(rows), len(self.owners)))
        column = 0
        for name, decision in self._decisions.items():
            if isinstance(decision, Categorical):
                codes = _codes(decision)
                for index, row in enumerate(rows):
                    cell = decision.cell(row[name]) if name in row else None
                    if cell is not None:
                        matrix[index, column : column + codes.shape[1]] = codes[cell]
                column += codes.shape[1]
            else:
                matrix[:, column] = [
                    decision.unit(min(max(row[name], decision.low), decision.high))
                    if name in row
                    else 0.5
                    for row in rows
                ]
                column += 1
            if name in self._optional:
                matrix[:, column] = [float(name in row) for row in rows]
                column += 1
        return matrix


def _width(decision: Categorical | Range) -> int:
    return _codes(decision).shape[1] if isinstance(decision, Categorical) else 1


def _codes(choice: Categorical) -> Matrix:
    """The columns of every value of a choice, (values, columns)."""
    if choice.members:
        return np.asarray(np.asarray(choice.members, dtype=np.float64) * 0.5**0.5)
    return np.asarray(np.eye(len(choice.choices)) * 0.5**0.5)
