from .formats import EXPORTERS, Exported, Exporter, deploy
from .meters import METERS, Estimate, Meter, Subject, measure, untrained
from .model import Labels, Model, is_model, load_model
from .preprocessing import Preprocessing, Reader
from .quantised import exported_figures
from .training import calibration_images, train
from .verification import BoundCheck, Verification, verify

__all__ = [
    "EXPORTERS",
    "METERS",
    "BoundCheck",
    "Estimate",
    "Exported",
    "Exporter",
    "Labels",
    "Meter",
    "Model",
    "Preprocessing",
    "Reader",
    "Subject",
    "Verification",
    "calibration_images",
    "deploy",
    "exported_figures",
    "is_model",
    "load_model",
    "measure",
    "train",
    "untrained",
    "verify",
]
