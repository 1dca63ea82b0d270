from .preparation import Setting, prepare
from .run import search

__all__ = ["Setting", "prepare", "search"]
