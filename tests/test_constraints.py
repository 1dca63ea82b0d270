"""The indicator functions that are shipped."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

EXPECTED = {
    "accurate": {"accuracy": {"min": 0.955}, "params": {"max": 60_000}, "macs": {"max": 8e6}},
    "emotionnet": {"accuracy": {"min": 0.92}, "params": {"max": 1e6}},
    "fast": {"accuracy": {"min": 0.92}, "macs": {"max": 4.4e6}},
    "microcontroller": {
        "accuracy": {"min": 0.92},
        "peak_memory": {"max": 192 * 1024},
        "model_bytes": {"max": 768 * 1024},
    },
    "mobile_affect": {
        "accuracy": {"min": 0.6},
        "rmse_affect": {"max": 0.3},
        "params": {"max": 37_000},
        "macs": {"max": 8e6},
    },
    "nano_a": {"accuracy": {"min": 0.976}, "params": {"max": 232_000}},
    "nano_b": {"accuracy": {"min": 0.92}, "params": {"max": 136_000}},
    "pose": {"mae_pose": {"max": 4}, "params": {"max": 20_000}, "macs": {"max": 3e6}},
}


def test_there_are_these_and_no_others(repository: Path):
    assert {file.stem for file in (repository / "constraints").glob("*")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_bounds_are_the_documented_ones(repository: Path, name: str):
    file = repository / "constraints" / f"{name}.yaml"
    assert OmegaConf.to_container(OmegaConf.load(file)) == {"name": name, "bounds": EXPECTED[name]}
    assert file.read_text().startswith("# @package constraint\n# ")
