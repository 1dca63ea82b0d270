"""Intervals by people: a share's by Wilson's formula, everything else's by resampling."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

NORMAL_95 = NormalDist().inv_cdf(0.975)
RESAMPLES = 1000
SEED = 0
"""Of the resampling: an interval is a function of the answers alone."""


def wilson(correct: float, total: float, *, z: float = NORMAL_95) -> tuple[float, float]:
    """Score interval of a binomial proportion (Wilson 1927).

    Args:
        correct: Successes; need not be whole, so that a share of images can be judged by the
            number of sequences behind it.
        total: Trials.
        z: Quantile of the standard normal distribution; the default gives 95 %.

    Returns:
        Lower and upper end, within [0, 1]; (0, 1) without trials.

    Raises:
        ValueError: If ``correct`` is not within 0 and ``total``.
    """
    if not 0 <= correct <= total:
        raise ValueError(f"{correct} of {total} is not a proportion")
    if total == 0:
        return 0.0, 1.0
    share = correct / total
    centre = share + z**2 / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    scale = 1 + z**2 / total
    low, high = (centre - half) / scale, (centre + half) / scale
    return min(share, max(0.0, low)), max(share, min(1.0, high))


def bootstrap(
    groups: NDArray[np.str_], statistic: Callable[[NDArray[np.float64]], float]
) -> tuple[float, float]:
    """95 % percentile interval of a figure by resampling groups (Efron and Tibshirani 1993).

    Whole groups are drawn with replacement, since the images of one person are not independent.

    Args:
        groups: Who is on each image, (N,).
        statistic: The figure under a weight for each image, float64 (N,): how often its group was
            drawn.

    Returns:
        Lower and upper end, the same for the same arguments; NaN where there is only one group.
    """
    from scipy.stats import bootstrap as resample

    names, members = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        return math.nan, math.nan

    def drawn(chosen: NDArray[np.int64]) -> float:
        return statistic(np.bincount(chosen, minlength=len(names)).astype(float)[members])

    found = resample(
        (np.arange(len(names)),),
        drawn,
        n_resamples=RESAMPLES,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(SEED),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
