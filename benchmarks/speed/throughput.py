"""Images a second of a whole machine: our workers against the loop that everybody writes first.

    python -m benchmarks.speed.throughput [--networks resnet14_slim …] [--images 883] [--repeats 3]

The plain loop (:mod:`benchmarks.speed.plain`) trains one fold at a time with as many threads as
torch likes, ours as a search does: one worker of one thread for each core, a fold each. Both take
the same images of noise by the default recipe, in turns, and wall-clock time counts, so nothing
else should run; :mod:`benchmarks.speed.training` compares processor time, which a busy machine
disturbs little.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

import torch

from benchmarks.markdown import markdown
from benchmarks.options import positive
from benchmarks.speed.plain import PlainLoop
from benchmarks.speed.training import FOLD, NETWORKS, PROTOTYPES, Engine, images_for, peak, timed
from gensynth.cost import cost
from gensynth.prototype import load
from gensynth.training import Recipe

HEADS = (
    "network",
    "M MACs",
    "plain: images a second",
    "ours",
    "ratio [least, greatest]",
    "ours: GMAC/s of a core",
    "of the peak",
)
EPOCHS = 2


@cache
def _engine(name: str, count: int) -> Engine:
    torch.set_num_threads(1)
    return Engine(load(PROTOTYPES / f"{name}.yaml", classes=7), Recipe().resolved(), count)


def _train(name: str, count: int, epochs: int) -> None:
    _engine(name, count).fit(epochs)


def _together(pool: ProcessPoolExecutor, workers: int, name: str, count: int, epochs: int) -> float:
    """Wall-clock seconds until every worker has trained so many epochs."""
    began = time.perf_counter()
    for running in [pool.submit(_train, name, count, epochs) for _ in range(workers)]:
        running.result()
    return time.perf_counter() - began


def compare(name: str, pool: ProcessPoolExecutor, workers: int, repeats: int, count: int) -> str:
    """A row of the table."""
    genome = load(PROTOTYPES / f"{name}.yaml", classes=7)
    recipe = Recipe().resolved()
    plain = PlainLoop(genome, *images_for(genome, count), recipe, repeats + 1)
    plain.epoch()
    _together(pool, workers, name, count, 1)
    theirs, ours, peaks = [], [], []
    for _ in range(repeats):
        theirs.append(count / timed(plain.epoch).wall)
        short, long = (_together(pool, workers, name, count, epochs) for epochs in (1, 1 + EPOCHS))
        ours.append(workers * EPOCHS * count / (long - short))
        peaks.append(peak(torch.bfloat16 if recipe.precision == "bfloat16" else torch.float32))
    ratios = [fast / slow for fast, slow in zip(ours, theirs, strict=True)]
    macs = cost(genome).macs
    rate = 3 * macs * statistics.median(ours) / workers / 1e9
    cells = (
        name,
        f"{macs / 1e6:.1f}",
        f"{statistics.median(theirs):.0f}",
        f"{statistics.median(ours):.0f}",
        f"{statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]",
        f"{rate:.1f}",
        f"{100 * rate / max(peaks):.0f} %",
    )
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--repeats", type=positive, default=3)
    parser.add_argument("--images", type=positive, default=FOLD)
    parser.add_argument("--workers", type=positive, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    print(
        f"Plain loop: one fold, {torch.get_num_threads()} threads, float32. Ours: "
        f"{options.workers} workers, a fold each, {Recipe().resolved().precision}.",
        flush=True,
    )
    print(markdown(HEADS, []), flush=True)
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        for name in options.networks:
            row = compare(name, pool, options.workers, options.repeats, options.images)
            print(row, flush=True)


if __name__ == "__main__":
    main()
