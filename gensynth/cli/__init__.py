"""The command line: thin commands over the rooms, one module each."""

from gensynth.cli.app import app, main

__all__ = ["app", "main"]
