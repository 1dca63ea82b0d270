from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import ray

from gensynth.errors import UserError
from gensynth.execution.cluster import LONGEST_FOLDER, cluster, worker_count

COUNT = "from gensynth.execution.cluster import worker_count as w; print(w(None))"


@pytest.mark.parametrize("name", ["Aufträge", "x" * LONGEST_FOLDER, "日本"])
def test_a_folder_in_which_ray_hangs_is_not_used(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    folders: list[str] = []

    def init(**options: object) -> None:
        folders.append(str(options["_temp_dir"]))

    (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / name))
    monkeypatch.setattr(ray, "init", init)
    with cluster(1) as folder:
        assert folder.is_dir()
    (chosen,) = folders
    assert chosen.isascii()
    assert len(chosen) < 2 * LONGEST_FOLDER
    assert not folder.exists()


@pytest.mark.parametrize(
    "said", ["cannot find libgcs.so", "Permission denied: '/x'", "No space left on device"]
)
def test_what_ray_says_comes_first_whatever_it_is(said: str, monkeypatch: pytest.MonkeyPatch):
    def init(**options: object) -> None:
        raise RuntimeError(f"{said}\nand 200 lines of a log")

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(UserError) as caught, cluster(1):
        pass
    assert f"Ray does not start: {said}" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not Path(caught.value.where.removeprefix("Ray in ")).exists()


def test_workers_are_as_many_as_a_process_may_use():
    core = {min(os.sched_getaffinity(0))}
    told = subprocess.run(
        [sys.executable, "-c", COUNT],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, core),
    )
    assert told.stdout == "1\n"
    assert worker_count(7) == 7


def test_the_quota_of_a_container_counts():
    """As joblib reads it; its own variable stands for the quota, which needs rights to set."""
    environment = {**os.environ, "LOKY_MAX_CPU_COUNT": "1"}
    told = subprocess.run(
        [sys.executable, "-c", COUNT], capture_output=True, text=True, check=True, env=environment
    )
    assert told.stdout == "1\n"
