"""Trained networks to keep: models, their exports with the preprocessing inside, measured costs.

* :mod:`~gensynth.device.training` trains a network to keep, and calibrates it.
* :mod:`~gensynth.device.model` is such a network, in memory and as a folder.
* :mod:`~gensynth.device.preprocessing` takes an image as the user has it.
* :mod:`~gensynth.device.formats` are the files that other runtimes read.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
