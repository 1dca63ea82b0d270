from .api import evaluate, search, settings
from .errors import GensynthError, UserError
from .export import Run
from .generator import GenerativeSynthesisSampler
from .genome import Genome, load

__all__ = [
    "GenerativeSynthesisSampler",
    "Genome",
    "GensynthError",
    "Run",
    "UserError",
    "__version__",
    "evaluate",
    "load",
    "search",
    "settings",
]

__version__: str
