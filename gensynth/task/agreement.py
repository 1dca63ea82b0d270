"""How well answers agree with the truth, beyond the share that is right and the size of errors.

Where a figure is undefined, as where only one class or one value occurs, it is that of chance: 0,
or for areas under curves what guessing gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gensynth.registry import Registry
from gensynth.task.metric import Metric

Classes = NDArray[np.int64]
Values = NDArray[np.float64]


def f1(targets: Classes, predictions: Classes) -> float:
    """Harmonic mean of precision and recall, the mean over the classes that occur."""
    from sklearn.metrics import f1_score

    return float(f1_score(targets, predictions, average="macro", zero_division=0))


def kappa(targets: Classes, predictions: Classes) -> float:
    """Agreement beyond chance of answers and truth, by the frequencies of both (Cohen 1960)."""
    from sklearn.metrics import cohen_kappa_score

    if len(np.union1d(targets, predictions)) < 2:
        return 0.0
    return float(cohen_kappa_score(targets, predictions))


def krippendorff_alpha(targets: Classes, predictions: Classes) -> float:
    """Krippendorff's alpha, nominal: as kappa, by the frequencies of both together."""
    import krippendorff

    if len(np.union1d(targets, predictions)) < 2:
        return 0.0
    found = krippendorff.alpha(
        reliability_data=np.stack([targets, predictions]), level_of_measurement="nominal"
    )
    return float(found)


def areas(targets: Classes, scores: Values) -> dict[str, float]:
    """Areas under the curves of one class against the others, the means over the classes tested.

    Args:
        targets: Class indices, (N,).
        scores: Of each class, the greater the likelier, (N, classes).

    Returns:
        ``auc`` under the receiver operating characteristic; ``auc_pr`` under precision against
        recall, as the average precision.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    roc, precision = [], []
    for label in np.unique(targets):
        mine = targets == label
        if not mine.all():
            roc.append(roc_auc_score(mine, scores[:, label]))
        precision.append(average_precision_score(mine, scores[:, label]))
    return {
        "auc": float(np.mean(roc)) if roc else 0.5,
        "auc_pr": float(np.mean(precision)),
    }


def corr(targets: Values, predictions: Values) -> float:
    """Pearson's correlation of one number, (N,)."""
    spreads = float(targets.std()) * float(predictions.std())
    return _covariance(targets, predictions) / spreads if spreads > 0 else 0.0


def ccc(targets: Values, predictions: Values) -> float:
    """Concordance correlation of one number (Lin 1989): correlation, less for shift and scale."""
    shift = float(targets.mean() - predictions.mean())
    total = float(targets.var() + predictions.var()) + shift**2
    return 2 * _covariance(targets, predictions) / total if total > 0 else 0.0


def sagr(targets: Values, predictions: Values) -> float:
    """Share of images whose answer has the sign of the truth (Nicolaou, Gunes, Pantic 2011)."""
    return float(np.mean(np.sign(targets) == np.sign(predictions)))


def _covariance(first: Values, second: Values) -> float:
    covariance = float(np.mean((first - first.mean()) * (second - second.mean())))
    return covariance if math.isfinite(covariance) else 0.0


@dataclass(frozen=True)
class Agreement:
    """A metric of classifications: a figure of the true and the predicted classes.

    Attributes:
        metric: What it is called and which values it can have.
        of: Computes it from the class indices of all test images, true ones first, each (N,).
    """

    metric: Metric
    of: Callable[[Classes, Classes], float]


AGREEMENTS: Registry[Agreement] = Registry("measure of agreement", "gensynth.agreements")
"""Metrics of classifications by the names that bounds use; packages add theirs by entry points."""


def _add(name: str, label: str, of: Callable[[Classes, Classes], float], low: float) -> None:
    metric = Metric(name=name, label=label, low=low, high=1.0, monotone=False)
    AGREEMENTS.add(name, Agreement(metric, of))


_add("f1", "F1, mean over classes", f1, 0.0)
_add("kappa", "Cohen's kappa", kappa, -1.0)
_add("krippendorff_alpha", "Krippendorff's alpha", krippendorff_alpha, -1.0)
