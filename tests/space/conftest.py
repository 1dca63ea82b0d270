"""The shipped space around the shipped prototypes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gensynth.space import Space, load_space


def read(path: Path) -> dict[str, Any]:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


@pytest.fixture(scope="session")
def config(repository: Path) -> Mapping[str, Any]:
    return read(repository / "search_spaces" / "residual.yaml")


@pytest.fixture(scope="session")
def phi(repository: Path) -> Mapping[str, Any]:
    return read(repository / "prototypes" / "resnet20.yaml")


@pytest.fixture(scope="session")
def nano_b(repository: Path) -> Mapping[str, Any]:
    return read(repository / "prototypes" / "emotionnet_nano_b.yaml")


@pytest.fixture(scope="session")
def space(config, phi) -> Space:
    return load_space(config, phi)
