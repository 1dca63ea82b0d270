"""A figure that a task gives: what it is called, what it can be, and how it is written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A figure by which networks are judged.

    Attributes:
        name: What bounds and files call it.
        label: What people call it.
        unit: Of its values, as it is written after a number; empty for none. A share is written in
            percent and its values are from 0 to 1 all the same.
        low: The least value that it can have, whatever the network.
        high: The greatest one.
        direction: Which values are better.
        monotone: Whether it never becomes worse when one image's answer becomes right, and never
            better when one becomes as wrong as can be. A bound on such a metric can be refuted
            before all folds are in: by the best case, or the worst, of what is not.
    """

    name: str
    label: str
    unit: str = ""
    low: float = 0.0
    high: float = math.inf
    direction: Literal["maximize", "minimize"] = "maximize"
    monotone: bool = True

    @property
    def share(self) -> bool:
        """Whether it is a share, from 0 to 1, and written in percent."""
        return self.unit == "%"

    @property
    def scale(self) -> float:
        """What a value is multiplied by where it is written or drawn."""
        return 100.0 if self.share else 1.0

    @property
    def axis(self) -> str:
        """Its label with its unit, for an axis or the head of a column."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def range(self) -> str:
        """What its values are, in words that follow "is"."""
        if self.share:
            return "a fraction between 0 and 1"
        if math.isinf(self.high):
            return "never negative" if self.low == 0 else "any number"
        return (
            f"at most {self.high:g}" if math.isinf(self.low) else f"{self.low:g} to {self.high:g}"
        )

    def shown(self, value: float, digits: int | None = None, gap: str = "") -> str:
        """A value as people read it.

        Args:
            value: As it is in files.
            digits: Behind the point; 1 for a share and 2 for the others when None.
            gap: Between a number and a percent sign.

        Example:
            >>> Metric(name="mae_roll", label="mean absolute error", unit="°").shown(1.234)
            '1.23°'
            >>> Metric(name="hits", label="hits", unit="%", high=1.0).shown(0.927)
            '92.7%'
        """
        places = digits if digits is not None else 1 if self.share else 2
        if not self.share:
            gap = " " if self.unit[:1].isalpha() else ""
        return f"{value * self.scale:.{places}f}{gap}{self.unit}"

    def spanned(self, interval: tuple[float, float]) -> str:
        """Both ends of an interval without the unit, for brackets behind a value that has it."""
        places = 1 if self.share else 2
        return ", ".join(f"{self.scale * end:.{places}f}" for end in interval)

    def merit(self, value: float) -> float:
        """The value, its sign turned where less is better, so that greater is better."""
        return value if self.direction == "maximize" else -value
