"""Images a second of a whole machine: our workers against the loop that everybody writes first.

    python -m benchmarks.speed.throughput [--networks resnet14_slim …] [--images 883] [--repeats 3]

The plain loop (:mod:`benchmarks.speed.plain`) trains one fold at a time with as many threads as
torch likes, ours as a search does: one worker of one thread for each core, a fold each. Both take
the same images of noise by the default recipe, in turns, and wall-clock time counts, so nothing
else should run; :mod:`benchmarks.speed.training` compares the engines, and says what each part
brings.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

from benchmarks.markdown import markdown
from benchmarks.options import positive
from benchmarks.speed.plain import PlainLoop
from gensynth.cost import cost
from gensynth.genome import Genome
from gensynth.prototype import load
from gensynth.training import Recipe, fit

FOLD = 883
PROTOTYPES = Path(__file__).parents[2] / "prototypes"
NETWORKS = ("emotionnet_nano_b", "emotionnet_nano_b_normalised", "resnet20", "resnet14_slim")
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


@dataclass(frozen=True)
class Taken:
    """Seconds."""

    processor: float
    wall: float


def timed(run: Callable[[], object]) -> Taken:
    """How long something takes."""
    processor, wall = time.process_time(), time.perf_counter()
    run()
    return Taken(time.process_time() - processor, time.perf_counter() - wall)


def images_for(genome: Genome, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise of the genome's input shape, and labels."""
    generator = torch.Generator().manual_seed(0)
    shape = (count, *genome.input.shape)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    return images, torch.arange(count) % 7


class Engine:
    """Ours: an epoch is what three take longer than one, halved."""

    def __init__(self, genome: Genome, recipe: Recipe, count: int) -> None:
        self._genome, self._recipe = genome, recipe
        self._images, self._labels = images_for(genome, count)

    def fit(self, epochs: int) -> Taken:
        """A training."""
        return timed(
            lambda: fit(
                self._genome,
                self._images,
                self._labels,
                loss=partial(cross_entropy, label_smoothing=self._recipe.label_smoothing),
                epochs=epochs,
                seed=0,
                recipe=self._recipe,
            )
        )


def peak(dtype: torch.dtype) -> float:
    """Multiply-accumulates a second of one core, in units of 10⁹, at sizes that suit it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    matrix = torch.randn(1024, 1024).to(dtype)
    last = torch.channels_last
    images = torch.randn(32, 64, 24, 24).to(dtype).contiguous(memory_format=last)
    weights = torch.randn(64, 64, 3, 3).to(dtype).contiguous(memory_format=last)
    product = [timed(lambda: matrix @ matrix).processor for _ in range(8)]
    convolution = [
        timed(lambda: torch.conv2d(images, weights, None, 1, 1)).processor for _ in range(8)
    ]
    torch.set_num_threads(threads)
    return max(1024**3 / min(product), 32 * 24 * 24 * 64 * 64 * 9 / min(convolution)) / 1e9


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
