"""Composes an experiment from the files that people write, with Hydra's compose API.

The groups ``prototype``, ``search_space``, ``constraint`` and ``experiment`` are read from the
folders of the plural names, in the working directory first and then in what gensynth ships;
``data`` and ``training`` from what gensynth ships. In any group the path of a YAML file will do.
"""

from gensynth.config.compose import Base, compose, load
from gensynth.config.folders import FOLDERS, GROUPS, find, folders, options

__all__ = ["FOLDERS", "GROUPS", "Base", "compose", "find", "folders", "load", "options"]
