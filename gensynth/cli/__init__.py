"""The command line: thin commands over the rooms.

Each command is a module of this folder that adds itself to :data:`app`, and imports what is heavy
(torch, ray, optuna) only inside the command, so that ``gensynth --help`` answers at once.
"""

from gensynth.cli import (
    audit,
    dashboard,
    describe,
    evaluate,
    export,
    faces,
    generate,
    predict,
    report,
    runs,
    search,
    train,
    verify,
)
from gensynth.cli.app import app, main

__all__ = [
    "app",
    "audit",
    "dashboard",
    "describe",
    "evaluate",
    "export",
    "faces",
    "generate",
    "main",
    "predict",
    "report",
    "runs",
    "search",
    "train",
    "verify",
]
