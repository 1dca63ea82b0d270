"""How long one epoch takes on one core, and what the recipe's choices cost.

    python benchmarks/training.py [--prototypes resnet20 emotionnet_nano_b] [--repeats 3]

Times are processor time of this process, so that a busy machine disturbs them little, as the
median over repeats of (three epochs less one epoch) / 2; 883 images, a fold of CK+.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from gensynth.cost import cost
from gensynth.genome import Genome
from gensynth.prototype import load
from gensynth.training import Augmentation, Recipe, augment, fit

IMAGES = 883
PROTOTYPES = Path(__file__).parents[1] / "prototypes"
VARIANTS: tuple[dict[str, Any], ...] = (
    {"precision": "float32"},
    {"precision": "bfloat16"},
    {"precision": "bfloat16", "batch_size": 16},
    {"precision": "bfloat16", "batch_size": 64},
    {"precision": "bfloat16", "augmentation": Augmentation()},
)


def images_for(genome: Genome) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise of the genome's input shape, and labels."""
    generator = torch.Generator().manual_seed(0)
    shape = (IMAGES, *genome.input.shape)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    return images, torch.arange(IMAGES) % 7


def seconds(genome: Genome, recipe: Recipe, epochs: int) -> float:
    """Processor time of one training."""
    images, labels = images_for(genome)
    started = time.process_time()
    fit(genome, images, labels, epochs=epochs, seed=0, recipe=recipe)
    return time.process_time() - started


def epoch_seconds(genome: Genome, recipe: Recipe, repeats: int) -> float:
    """Processor time of one epoch."""
    seconds(genome, recipe, 1)
    return statistics.median(
        (seconds(genome, recipe, 3) - seconds(genome, recipe, 1)) / 2 for _ in range(repeats)
    )


def augmentation_seconds(genome: Genome, recipe: Recipe, repeats: int) -> float:
    """Processor time of the augmentation of one epoch."""
    images = images_for(genome)[0].float()
    generator = torch.Generator().manual_seed(0)
    times = []
    torch.set_num_threads(1)
    for _ in range(repeats + 1):
        started = time.process_time()
        augment(images, recipe.augmentation, generator)
        times.append(time.process_time() - started)
    return statistics.median(times[1:])


def main() -> None:
    """Prints one table a prototype."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--prototypes", nargs="+", default=["emotionnet_nano_b", "resnet20"])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    for name in options.prototypes:
        genome = load(PROTOTYPES / f"{name}.yaml", classes=7)
        static = cost(genome)
        share = augmentation_seconds(genome, Recipe(), options.repeats)
        print(f"\n{name}: {static.params} parameters, {static.macs / 1e6:.1f} M MACs")
        print(f"augmentation {1000 * share:.0f} ms an epoch\n")
        print("| recipe | ms an epoch | GMAC/s (forward and backward) |\n|---|---|---|")
        for variant in VARIANTS:
            recipe = Recipe().model_copy(update=variant)
            taken = epoch_seconds(genome, recipe, options.repeats)
            rate = 3 * static.macs * IMAGES / taken / 1e9
            shown = {key: "off" if key == "augmentation" else v for key, v in variant.items()}
            label = ", ".join(f"{key} {value}" for key, value in shown.items())
            print(f"| {label} | {1000 * taken:.0f} | {rate:.1f} |", flush=True)


if __name__ == "__main__":
    main()
