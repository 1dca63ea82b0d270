from .api import evaluate, search, settings, train
from .device import Model, load_model
from .errors import GensynthError, UserError
from .export import Run
from .generator import GenerativeSynthesisSampler
from .genome import Genome, load

__all__ = [
    "GenerativeSynthesisSampler",
    "Genome",
    "GensynthError",
    "Model",
    "Run",
    "UserError",
    "__version__",
    "evaluate",
    "load",
    "load_model",
    "search",
    "settings",
    "train",
]

__version__: str
