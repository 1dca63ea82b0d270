"""One network on one fold for so many epochs, as a pure function, and how well it did."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
