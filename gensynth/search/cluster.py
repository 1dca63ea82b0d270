"""A Ray of our own: quiet, local, and gone without a trace when the run ends."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import ray

from gensynth.errors import UserError

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "1",
    "TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S": "600",
}
"""Settings of Ray for a run: nothing is reported, logged or checkpointed by it."""

OBJECT_STORE = 200 * 2**20
LONGEST_FOLDER = 40


@contextmanager
def cluster(workers: int, address: str | None = None, images: int = 0) -> Iterator[None]:
    """A Ray of our own, or a running one that is joined, for the duration.

    Args:
        workers: Processes of our own Ray.
        address: Of a Ray cluster to join instead.
        images: Bytes of the data that workers share.

    Raises:
        UserError: If Ray does not start or cannot be joined.
    """
    folder = _short_folder()
    with _environment({**QUIET, "TUNE_MAX_PENDING_TRIALS_PG": str(workers)}):
        try:
            _start(workers, address, folder, images)
            yield
        finally:
            ray.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


def _start(workers: int, address: str | None, folder: Path, images: int) -> None:
    start = partial(ray.init, log_to_driver=False, logging_level=logging.ERROR)
    try:
        if address is not None:
            start(address=address)
            return
        start(
            address="local",
            num_cpus=workers,
            num_gpus=0,
            include_dashboard=False,
            object_store_memory=OBJECT_STORE + 2 * images,
            _temp_dir=str(folder),
        )
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise UserError(
            f"Ray does not start: {lines[0] if lines else type(error).__name__}",
            where="ray_address" if address else "workers",
            remedy="check the address" if address else "check free memory and disk, or workers=1",
        ) from error


def _short_folder() -> Path:
    """A temporary folder whose path leaves room for Ray's sockets (107 characters in all)."""
    parent = tempfile.gettempdir()
    if len(parent) > LONGEST_FOLDER and os.path.isdir("/tmp"):
        parent = "/tmp"
    return Path(tempfile.mkdtemp(prefix="gs-", dir=parent))


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
