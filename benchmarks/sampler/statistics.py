"""Paired comparisons over seeds."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import wilcoxon

Alternative = Literal["two-sided", "greater", "less"]


def quartiles(values: ArrayLike) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile; NaN if one value is."""
    low, middle, high = np.quantile(np.asarray(values), [0.25, 0.5, 0.75])
    return float(low), float(middle), float(high)


def paired(ours: ArrayLike, theirs: ArrayLike, alternative: Alternative = "two-sided") -> float:
    """The p of Wilcoxon's signed-rank test over paired seeds (Wilcoxon 1945).

    Args:
        ours: One value a seed.
        theirs: The peer's value for the same seed.
        alternative: What is to be shown of ours.

    Returns:
        p; 1 where all pairs are equal. Equal pairs are left out, as Wilcoxon does.
    """
    differences = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    if not np.any(differences):
        return 1.0
    return float(wilcoxon(differences, alternative=alternative).pvalue)
