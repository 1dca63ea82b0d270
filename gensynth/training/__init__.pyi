from .augmentation import augment, mixup
from .evaluation import Evaluation, evaluate, mean_evaluation, metrics, wilson
from .fitting import Fitted, Watch, fit
from .fold import FoldResult, check_fits, train_fold
from .normalisation import Normalisation, local_contrast
from .pretraining import check_pretraining, pretrained
from .recipe import Augmentation, LocalContrast, Pretraining, Recipe, Tuned
from .schedule import Milestone, OneCycle, Schedule, Steps

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
    "Watch",
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
