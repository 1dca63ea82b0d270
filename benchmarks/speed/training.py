"""Images a second of our training engine, of the loop that everybody writes first, and the limit.

    python -m benchmarks.speed.training [--networks resnet14_slim …] [--images 883] [--repeats 3]
        [--threads 1]

Both loops train the same networks on the same images of noise, 883 as in a fold of CK+ or fewer, by
the default recipe, in turns in one process: ours in one thread, as each worker of a search does;
the plain one (:mod:`benchmarks.speed.plain`) with torch's own number of threads, or ``--threads``:
on a busy machine threads that wait for each other burn processor time, one does not. Times are
processor time of all threads, since both leave no core idle (two workers, two threads) and a busy
machine disturbs processor time little; wall-clock time is beside them. The peak is the best of a
matrix product and a convolution of 64 channels, one thread, measured in between.

How long a ten-fold evaluation takes is printed as a projection, epochs times folds over two cores;
``gensynth evaluate`` measures it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

from benchmarks.markdown import markdown
from benchmarks.speed.plain import PlainLoop
from gensynth.cost import cost
from gensynth.genome import Genome
from gensynth.prototype import load
from gensynth.training import Recipe, augment, fit

FOLD = 883
EPOCHS = 60
FOLDS = 10
PROTOTYPES = Path(__file__).parents[2] / "prototypes"
NETWORKS = ("emotionnet_nano_b", "emotionnet_nano_b_normalised", "resnet20", "resnet14_slim")


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


def median(taken: list[Taken]) -> Taken:
    """Both medians."""
    return Taken(
        statistics.median(one.processor for one in taken),
        statistics.median(one.wall for one in taken),
    )


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

    def epoch(self) -> Taken:
        """An epoch."""
        short, long = self.fit(1), self.fit(3)
        return Taken((long.processor - short.processor) / 2, (long.wall - short.wall) / 2)


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


def augmentation(genome: Genome, recipe: Recipe, count: int) -> float:
    """Processor time of the augmentation of one epoch."""
    images = images_for(genome, count)[0].float()
    generator = torch.Generator().manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    times = [timed(lambda: augment(images, recipe.augmentation, generator)) for _ in range(4)]
    torch.set_num_threads(threads)
    return min(one.processor for one in times)


def compare(name: str, repeats: int, count: int) -> list[str]:
    """A row of the table."""
    genome = load(PROTOTYPES / f"{name}.yaml", classes=7)
    recipe = Recipe().resolved()
    plain = PlainLoop(genome, *images_for(genome, count), recipe, 2 * repeats + 2)
    engine = Engine(genome, recipe, count)
    plain.epoch()
    engine.fit(1)
    theirs, ours, peaks = [], [], []
    for _ in range(repeats):
        theirs.append(timed(plain.epoch))
        ours.append(engine.epoch())
        peaks.append(peak(torch.bfloat16 if recipe.precision == "bfloat16" else torch.float32))
    slow, fast = median(theirs), median(ours)
    ratios = [one.processor / other.processor for one, other in zip(theirs, ours, strict=True)]
    macs = cost(genome).macs
    scale = FOLD / count
    rate = 3 * macs * count / fast.processor / 1e9
    return [
        name,
        f"{macs / 1e6:.1f}",
        f"{scale * slow.processor:.2f} ({scale * slow.wall:.2f})",
        f"{scale * fast.processor:.2f} ({scale * fast.wall:.2f})",
        f"{count / slow.processor:.0f}",
        f"{count / fast.processor:.0f}",
        f"{statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]",
        f"{rate:.1f}",
        f"{100 * rate / max(peaks):.0f} %",
        f"{scale * fast.processor * EPOCHS * FOLDS / 2 / 60:.1f}",
        f"{100 * augmentation(genome, recipe, count) / fast.processor:.1f} %",
    ]


HEADS = (
    "network",
    "M MACs",
    "plain: s an epoch (wall)",
    "ours: s an epoch (wall)",
    "plain: images a core-second",
    "ours",
    "ratio [least, greatest]",
    "GMAC/s",
    "of the peak",
    f"minutes for {FOLDS} folds of {EPOCHS} epochs, projected",
    "augmentation",
)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--images", type=int, default=FOLD)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(
        f"One core: {peak(torch.float32):.0f} GMAC/s in float32, {peak(torch.bfloat16):.0f} in "
        f"bfloat16; plain loop: {torch.get_num_threads()} threads; {Recipe().resolved().precision}"
    )
    print(markdown(HEADS, []), flush=True)
    for name in options.networks:
        row = compare(name, options.repeats, options.images)
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
