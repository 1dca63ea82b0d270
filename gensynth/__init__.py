"""Generative synthesis of small neural networks under human constraints.

A human writes a prototype φ and an indicator function 1_r; gensynth learns a generator of networks
that satisfy it and hands back the Pareto front as networks to read, train and deploy.

    >>> import gensynth
    >>> run = gensynth.search(constraint="nano_b", minutes=5)  # doctest: +SKIP
    >>> run.front  # a data frame  # doctest: +SKIP
    >>> network = run.best.genome.build()  # a torch.nn.Module  # doctest: +SKIP

Names are loaded on first use, so that ``import gensynth`` stays quick.
"""

import importlib

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
__version__ = "0.1.0"

importlib.import_module("gensynth.search")  # a room that can be called, see there
