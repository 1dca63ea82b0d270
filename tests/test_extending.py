"""What a package adds from outside, and a search with all of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ENTRY_POINTS = {
    "gensynth.operations": {"channel_shuffle": "tests.extending.channel_shuffle:ChannelShuffle"},
    "gensynth.datasets": {"stripes": "tests.extending.stripes:Stripes"},
    "gensynth.agreements": {"jaccard": "tests.extending.jaccard:JACCARD"},
    "gensynth.samplers": {"quasi": "tests.extending.quasi:make"},
    "gensynth.spaces": {"thickness": "tests.extending.thickness:Thickness"},
    "gensynth.tasks": {"focal": "tests.extending.focal:Focal"},
}
PROTOTYPE = {
    "name": "shuffled",
    "input": [1, 16, 16],
    "classes": 3,
    "network": [
        {"op": "conv", "out_channels": 16, "kernel": 3, "stride": 2, "bias": False},
        {"op": "batch_norm"},
        {"op": "relu"},
        {"op": "channel_shuffle", "groups": 2},
        {"op": "conv", "out_channels": 16, "kernel": 3, "groups": 2},
        {"op": "relu"},
        {"op": "global_avg_pool"},
        {"op": "flatten"},
        {"op": "linear", "out_features": "$classes"},
    ],
}


@pytest.fixture
def package(tmp_path: Path, repository: Path) -> dict[str, str]:
    """The environment of a process in which the package is installed."""
    metadata = tmp_path / "site" / "extending-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: extending\nVersion: 1.0\n")
    sections = [
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in points.items())])
        for group, points in ENTRY_POINTS.items()
    ]
    (metadata / "entry_points.txt").write_text("\n\n".join(sections) + "\n")
    return {**os.environ, "PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{repository}"}


@pytest.fixture
def written(tmp_path: Path) -> list[str]:
    """The overrides that choose files which use what the package adds."""
    files = {
        "prototype": PROTOTYPE,
        "data": {"kind": "stripes"},
        "search_space": {"kind": "thickness", "least": 2},
        "task": {"kind": "focal", "focus": 1.5},
        "constraint": {"name": "straight", "bounds": {"jaccard": {"min": 0.01}}},
    }
    for group, content in files.items():
        (tmp_path / f"{group}.yaml").write_text(yaml.safe_dump(content))
    return [f"{group}={tmp_path / group}.yaml" for group in files]


def gensynth(arguments: list[str], environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "gensynth", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_search_with_everything_that_a_package_adds(package, written, tmp_path):
    run = tmp_path / "runs" / "extended"
    small = [
        f"runs={run.parent}",
        f"name={run.name}",
        "workers=1",
        "folds.count=3",
        "fidelity.rungs=[{folds: 2, epochs: 2}]",
        "budget.candidates=3",
        "budget.minutes=null",
        "confirm.finalists=1",
    ]
    gensynth(["search", "sampler=quasi", *written, *small], package)
    results = json.loads((run / "results.json").read_text())
    assert results["counts"]["trained"] == 3
    (first, *_) = results["networks"]
    genome = json.loads((run / first["genome"]).read_text())
    assert {"channel_shuffle"} < {node["op"] for node in genome["nodes"]}
    drawing = tmp_path / "network.svg"
    gensynth(["describe", str(run / first["genome"]), "--svg", str(drawing)], package)
    assert ">CS<" in drawing.read_text()
