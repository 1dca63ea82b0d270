from .formats import EXPORTERS, Exported, Exporter, deploy
from .model import Labels, Model, is_model, load_model
from .preprocessing import Preprocessing, Reader
from .quantised import exported_figures
from .training import calibration_images, train

__all__ = [
    "EXPORTERS",
    "Exported",
    "Exporter",
    "Labels",
    "Model",
    "Preprocessing",
    "Reader",
    "calibration_images",
    "deploy",
    "exported_figures",
    "is_model",
    "load_model",
    "train",
]
