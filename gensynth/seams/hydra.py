"""Names of Hydra's core, which is not its public face. Seen to hold for 1.3.8; 1.3 is allowed.

==========================  ======================================================================
name                        why no public one does
==========================  ======================================================================
``Plugins``                 Registers a source of configuration in this process. The public way is
                            a ``hydra_plugins`` package, which every Hydra application of the
                            environment would load.
``ObjectType``              An argument of the public ``ConfigSource.list``.
``OverridesParser`` with    Reads one override, to say in one line which of them is wrong and why.
``Override``, ``Quote``,    ``hydra.compose`` reads all at once, and a value that is no word of its
``QuotedString``            grammar (a path with brackets) has to be quoted first.
==========================  ======================================================================
"""

from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.core.plugins import Plugins

SEEN = ("1.3.8",)

__all__ = ["ObjectType", "Override", "OverridesParser", "Plugins", "Quote", "QuotedString"]
