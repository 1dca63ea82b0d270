"""A Ray of our own: quiet, local, and gone without a trace when the run ends."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

import joblib
import ray

from gensynth.errors import UserError, first_line
from gensynth.seams.ray import FOLDER_ARGUMENT, PENDING, QUIET, TOKEN_PATH
from gensynth.training import Recipe

OBJECT_STORE = 200 * 2**20
LONGEST_FOLDER = 40
FOLDER = "gs-"
LOCK = "lock"
STARTING = (
    "if that says nothing, set TMPDIR to another folder, or try again when more memory is free"
)
"""What to do where Ray does not start: its own error is often that something took too long."""


@contextmanager
def cluster(
    workers: int, address: str | None = None, images: int = 0, *, gpus: bool = False
) -> Iterator[Path]:
    """A Ray of our own, or a running one that is joined, for the duration.

    Our own listens on every interface, which Ray lets nobody change, and answers to whoever has
    Ray's token; its file is made this user's alone.

    Args:
        workers: Processes of our own Ray.
        address: Of a Ray cluster to join instead.
        images: Bytes of the data that workers share.
        gpus: Whether our own Ray gives out this machine's GPUs.

    Yields:
        A temporary folder that goes when Ray goes.

    Raises:
        UserError: If Ray does not start or cannot be joined.
    """
    settings = {**QUIET, PENDING: str(workers)}
    with _own_folder() as folder, _environment(settings), _silenced("ray.tune"):
        try:
            _start(workers, address, folder, images, count_gpus() if gpus else 0)
            _keep_token_private()
            yield folder
        finally:
            ray.shutdown()


def worker_count(asked: int | None) -> int:
    """Number of workers: as asked, else one a core that this process may use.

    The affinity of the process and the quota of its container count (joblib's rule).
    """
    return int(joblib.cpu_count()) if asked is None else asked


def count_gpus() -> int:
    """GPUs of this machine that torch finds."""
    import torch

    return torch.cuda.device_count()


def gpu_share(recipe: Recipe, asked: float | None, workers: int, address: str | None) -> float:
    """What Ray sets aside for each worker, in GPUs; below 1, workers share one.

    Args:
        recipe: Resolved; without the device ``cuda`` nothing is set aside.
        asked: GPUs for each worker; None gives all workers the same share of this machine's, and
            in a cluster one each.
        workers: Number of workers.
        address: Of the Ray cluster that is joined; None for our own.

    Raises:
        UserError: If this machine is to train on more GPUs than it has.
    """
    if recipe.device != "cuda":
        return 0.0
    if address is not None:
        return 1.0 if asked is None else asked
    found = count_gpus()
    if not found:
        raise UserError(
            "is cuda, and torch finds no GPU here",
            where="training.device",
            remedy="set training.device=cpu, or install a torch with CUDA",
        )
    if asked is not None and asked > found:
        raise UserError(
            f"is {asked:g}, and this machine has {found}",
            where="gpus_per_worker",
            remedy=f"set gpus_per_worker to at most {found}",
        )
    return 1 / ceil(workers / found) if asked is None else asked


def _start(workers: int, address: str | None, folder: Path, images: int, gpus: int) -> None:
    start = partial(ray.init, log_to_driver=False, logging_level=logging.ERROR)
    # Ray opens its folder to everybody; nobody gets into the one around it.
    own: dict[str, Any] = {FOLDER_ARGUMENT: str(folder / "r")}
    try:
        if address is not None:
            start(address=address)
            return
        start(
            address="local",
            num_cpus=workers,
            num_gpus=gpus,
            include_dashboard=False,
            object_store_memory=OBJECT_STORE + 2 * images,
            **own,
        )
    except Exception as error:
        raise UserError(
            f"Ray does not start: {first_line(error)}",
            where="ray_address" if address else f"Ray in {folder}",
            remedy="check the address" if address else STARTING,
        ) from error


def _keep_token_private() -> None:
    """Ray writes its token for everybody to read."""
    token = Path(os.environ.get(TOKEN_PATH) or Path.home() / ".ray" / "auth_token")
    with suppress(OSError):
        token.chmod(0o600)


@contextmanager
def _own_folder() -> Iterator[Path]:
    """A temporary folder, removed afterwards.

    Its path leaves room for Ray's sockets (107 characters in all) and is ASCII, or Ray hangs. It is
    locked while it is in use, so that what a killed run has left behind can be told apart and
    removed.
    """
    parent = tempfile.gettempdir()
    if (len(parent) > LONGEST_FOLDER or not parent.isascii()) and os.path.isdir("/tmp"):
        parent = "/tmp"
    for old in Path(parent).glob(f"{FOLDER}*"):
        _remove_if_abandoned(old)
    folder = Path(tempfile.mkdtemp(prefix=FOLDER, dir=parent))
    try:
        with (folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_if_abandoned(folder: Path) -> None:
    with suppress(OSError):
        if time.time() - folder.stat().st_mtime < 60:
            return
        with (folder / LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _silenced(name: str) -> Iterator[None]:
    """Keeps a logger's errors off the terminal: failed jobs are told by the dispatcher."""
    silenced = logging.getLogger(name)
    before = silenced.level
    silenced.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        silenced.setLevel(before)


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
