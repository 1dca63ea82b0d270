"""Keeps a training from depending on its process, and what it asks of that process."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache

import torch

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT, _LARGEST = 1 << 29, 1 << 25


@cache
def keep_freed_memory() -> None:
    """Lets the process keep up to 512 MiB of what it frees, for good, where there is glibc.

    A step of training frees the maps that the next one allocates; handed back in between, every
    page is asked for, and cleared, anew. By ``mallopt(3)``, which leaves what is larger than 32 MiB
    as it was.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(_MMAP_THRESHOLD, _LARGEST)
        mallopt(_TRIM_THRESHOLD, _KEPT)


@contextmanager
def isolated(seed: int, device: str = "cpu") -> Iterator[None]:
    """One thread, denormals as zeros and fresh global generators; all restored afterwards.

    Sums come out differently with another number of threads, so one thread is what makes results
    equal to the bit everywhere. The global generators are for dropout, which can take no other. On
    a GPU cuDNN's deterministic algorithms are asked for.

    Args:
        seed: Of the global generators inside.
        device: What is computed on: ``cpu`` or ``cuda``.
    """
    threads = torch.get_num_threads()
    flushed = _flushes_denormals()
    gpu = device == "cuda"
    deterministic = torch.backends.cudnn.flags(deterministic=True) if gpu else nullcontext()
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if gpu else []), deterministic:
        torch.default_generator.manual_seed(seed)
        if gpu:
            torch.cuda.manual_seed(seed)
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        try:
            yield
        finally:
            torch.set_flush_denormal(flushed)
            torch.set_num_threads(threads)


def _flushes_denormals() -> bool:
    smallest = torch.tensor([torch.finfo(torch.float32).tiny])
    return bool((smallest * 0.5 == 0).item())
