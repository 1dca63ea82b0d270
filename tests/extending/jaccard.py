"""A metric: what two sets have in common, the mean over classes (Jaccard 1901)."""

from sklearn.metrics import jaccard_score

from gensynth.task import Agreement, Metric


def _jaccard(targets, predictions):
    return float(jaccard_score(targets, predictions, average="macro", zero_division=0))


JACCARD = Agreement(Metric(name="jaccard", label="Jaccard", high=1.0, monotone=False), _jaccard)
