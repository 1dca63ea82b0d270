from __future__ import annotations

from itertools import chain, count
from pathlib import Path

import pytest

from gensynth.data import EMOTIONS, Dataset, SyntheticConfig, load, write_ckplus
from gensynth.data.synthetic.population import cast
from tests.data.layouts import add_sequence, gray

FEW = 3


@pytest.fixture(scope="session")
def synthetic() -> Dataset:
    return load(SyntheticConfig())


@pytest.fixture(scope="session")
def few() -> SyntheticConfig:
    """The first seed whose first three subjects show all seven expressions between them."""
    for seed in count():
        if set(chain(*cast(seed)[:FEW])) == set(EMOTIONS):
            return SyntheticConfig(seed=seed, subjects=FEW)
    raise AssertionError("unreachable")


@pytest.fixture(scope="session")
def written(few: SyntheticConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those subjects in CK+'s original layout."""
    root = tmp_path_factory.mktemp("ckplus")
    write_ckplus(few, root, frames=4)
    return root


@pytest.fixture
def small_ckplus(tmp_path: Path) -> Path:
    """CK+'s original layout with one sequence of four tiny frames for each expression."""
    root = tmp_path / "ckplus"
    for code in range(1, 8):
        add_sequence(root, subject=f"S{code:03d}", number="001", label=f"   {code}.0000000e+00")
    return root


@pytest.fixture
def small_ck48(tmp_path: Path) -> Path:
    """CK+48 with two images for each expression."""
    root = tmp_path / "ck48"
    for index, emotion in enumerate(EMOTIONS):
        (root / emotion).mkdir(parents=True)
        for frame in (7, 8):
            name = f"S{index:03d}_001_{frame:08d}.png"
            gray(seed=index * 10 + frame).save(root / emotion / name)
    return root
