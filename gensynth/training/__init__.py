"""One network on one fold for so many epochs, as a pure function, and how well it did."""

from gensynth.training.augmentation import augment, mixup
from gensynth.training.evaluation import Evaluation, evaluate, mean_evaluation, metrics, wilson
from gensynth.training.fitting import Fitted, fit
from gensynth.training.fold import FoldResult, check_fits, train_fold
from gensynth.training.normalisation import Normalisation, local_contrast
from gensynth.training.pretraining import check_pretraining, pretrained
from gensynth.training.recipe import Augmentation, LocalContrast, Pretraining, Recipe, Tuned
from gensynth.training.schedule import Milestone, OneCycle, Schedule, Steps

__all__ = [
    "Augmentation",
    "Evaluation",
    "Fitted",
    "FoldResult",
    "LocalContrast",
    "Milestone",
    "Normalisation",
    "OneCycle",
    "Pretraining",
    "Recipe",
    "Schedule",
    "Steps",
    "Tuned",
    "augment",
    "check_fits",
    "check_pretraining",
    "evaluate",
    "fit",
    "local_contrast",
    "mean_evaluation",
    "metrics",
    "mixup",
    "pretrained",
    "train_fold",
    "wilson",
]
