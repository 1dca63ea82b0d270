"""Training configs as shipped."""

from pathlib import Path

import yaml

import gensynth
from gensynth.training import Recipe


def shipped(name: str) -> Recipe:
    file = Path(gensynth.__file__).parent / "conf" / "training" / f"{name}.yaml"
    return Recipe.model_validate(yaml.safe_load(file.read_text()))
