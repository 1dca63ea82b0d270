from .augmentation import augment, mixup
from .evaluation import answers, evaluate, evaluate_all, metrics, truth
from .fitting import Fitted, Watch, fit
from .fold import FoldResult, check_fits, train_fold
from .normalisation import Normalisation, local_contrast
from .pretraining import check_pretraining, pretrained
from .recipe import Augmentation, LocalContrast, Pretraining, Recipe, Tuned
from .schedule import Milestone, OneCycle, Schedule, Steps

__all__ = [
    "Augmentation",
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
    "answers",
    "augment",
    "check_fits",
    "check_pretraining",
    "evaluate",
    "evaluate_all",
    "fit",
    "local_contrast",
    "metrics",
    "mixup",
    "pretrained",
    "train_fold",
    "truth",
]
