"""The training loop that everybody writes first, to measure ours against.

float32, channels first, one network on one fold at a time, as many threads as torch likes, each
image moved by itself. The recipe is the default one, but for the averaging.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from gensynth.genome import Genome
from gensynth.network import build
from gensynth.training import Recipe


class PlainLoop:
    """A training in progress.

    Args:
        genome: The network.
        images: uint8 (N, 1, H, W).
        labels: int64 (N,).
        recipe: Rates, batch size, augmentation.
        epochs: Length of the schedule.
    """

    def __init__(
        self, genome: Genome, images: Tensor, labels: Tensor, recipe: Recipe, epochs: int
    ) -> None:
        self._network = build(genome, seed=0)
        self._images = [Image.fromarray(image[0].numpy()) for image in images]
        self._labels = labels
        self._recipe = recipe
        levels = images.float()
        self._mean, self._deviation = levels.mean().item(), levels.std().item()
        self._random = np.random.default_rng(0)
        self._optimizer = torch.optim.AdamW(
            self._network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self._batches, self._steps = recipe.steps(len(images), epochs)
        self._done = 0

    def epoch(self) -> float:
        """Trains for an epoch and returns its mean loss."""
        self._network.train()
        total = 0.0
        order = self._random.permutation(len(self._images))
        for chosen in np.array_split(order, self._batches):
            images = torch.stack([self._image(self._images[index]) for index in chosen])
            factor = self._recipe.schedule.factor(min(self._done / self._steps, 1))
            for group in self._optimizer.param_groups:
                group["lr"] = self._recipe.learning_rate * factor
            self._optimizer.zero_grad()
            logits = self._network(images)
            loss = functional.cross_entropy(
                logits, self._labels[chosen], label_smoothing=self._recipe.label_smoothing
            )
            torch.autograd.backward(loss)
            if self._recipe.gradient_clip is not None:
                nn.utils.clip_grad_norm_(self._network.parameters(), self._recipe.gradient_clip)
            self._optimizer.step()
            total += loss.item()
            self._done += 1
        return total / self._batches

    def _image(self, image: Image.Image) -> Tensor:
        """Rotated, zoomed, shifted and mirrored, as float32 (1, H, W)."""
        ranges = self._recipe.augmentation
        width, height = image.size
        angle = math.radians(self._random.uniform(-ranges.rotation, ranges.rotation))
        zoom = 1 / (1 + self._random.uniform(-ranges.zoom, ranges.zoom))
        right, down = self._random.uniform(-ranges.shift, ranges.shift, 2) * image.size
        cosine, sine = math.cos(angle) * zoom, math.sin(angle) * zoom
        across = width / 2 - cosine * width / 2 + sine * height / 2 + right
        along = height / 2 - sine * width / 2 - cosine * height / 2 + down
        moved = image.transform(
            image.size,
            Image.Transform.AFFINE,
            (cosine, -sine, across, sine, cosine, along),
            Image.Resampling.BILINEAR,
        )
        if ranges.flip and self._random.random() < 0.5:
            moved = moved.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        levels = torch.from_numpy(np.array(moved, dtype=np.float32))[None]
        return (levels - self._mean) / self._deviation
