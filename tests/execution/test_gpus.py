from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray import tune

from gensynth.errors import UserError
from gensynth.execution import cluster as module
from gensynth.execution.cluster import cluster, gpu_share
from gensynth.execution.engine import execute
from gensynth.execution.jobs import Dispatcher
from gensynth.execution.journal import Journal
from gensynth.training import Recipe

GPU = Recipe(device="cuda", engine="plain", precision="float32")
CPU = Recipe(device="cpu", engine="plain", precision="float32")


@pytest.mark.parametrize(
    ("gpus", "workers", "asked", "address", "share"),
    [
        (1, 1, None, None, 1),
        (1, 4, None, None, 0.25),
        (2, 3, None, None, 0.5),
        (4, 2, None, None, 1),
        (1, 4, 0.5, None, 0.5),
        (2, 1, 2.0, None, 2),
        (0, 8, None, "ray://somewhere", 1),
        (0, 8, 0.1, "ray://somewhere", 0.1),
    ],
)
def test_gpus_are_shared_out(monkeypatch, gpus, workers, asked, address, share):
    monkeypatch.setattr(module, "count_gpus", lambda: gpus)
    assert gpu_share(GPU, asked, workers, address) == share
    assert gpu_share(CPU, asked, workers, address) == 0


@pytest.mark.parametrize(
    ("gpus", "asked", "where"), [(0, None, "training.device"), (1, 1.5, "gpus_per_worker")]
)
def test_more_gpus_than_there_are_is_a_mistake(monkeypatch, gpus, asked, where):
    monkeypatch.setattr(module, "count_gpus", lambda: gpus)
    with pytest.raises(UserError, match=where):
        gpu_share(GPU, asked, 2, None)


def test_ray_is_told_of_gpus_and_of_each_jobs_share(tmp_path: Path, monkeypatch):
    """Neither Ray nor a GPU is there: what they would be asked for is looked at."""
    started: list[dict[str, Any]] = []
    wanted: list[Any] = []
    monkeypatch.setattr(module, "count_gpus", lambda: 2)
    monkeypatch.setattr("ray.init", lambda **settings: started.append(settings))
    monkeypatch.setattr(tune, "with_parameters", lambda trainable, **_: trainable)
    monkeypatch.setattr(tune, "with_resources", lambda _, resources: wanted.append(resources))
    monkeypatch.setattr(tune, "Tuner", lambda *_, **__: SimpleNamespace(fit=lambda: None))
    material = SimpleNamespace(dataset=None, folds=(), recipe=GPU)
    with Journal(tmp_path / "journal.jsonl") as journal:
        for share in (0.5, 0.0):
            with cluster(1, gpus=share > 0) as folder:
                execute(Dispatcher((), journal), material, 1, folder, gpus=share)
    assert [settings["num_gpus"] for settings in started] == [2, 0]
    assert wanted == [{"cpu": 1, "gpu": 0.5}, {"cpu": 1}]
