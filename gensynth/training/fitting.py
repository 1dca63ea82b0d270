"""Trains one network on one set of images."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import update_bn

from gensynth.genome import Genome
from gensynth.network import Network, build
from gensynth.training.augmentation import augment, mixup
from gensynth.training.columns import column_seed, columns, together
from gensynth.training.fused import Fused
from gensynth.training.isolation import isolated, keep_freed_memory
from gensynth.training.normalisation import Normalisation
from gensynth.training.precision import autocast, keep_slow_layers_in_float32
from gensynth.training.recipe import Recipe
from gensynth.training.weights import Weights

PREDICTION_BATCH = 256
_MAX_SEED = 2**63 - 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A trained network with what it needs to read images.

    Attributes:
        network: The network, in evaluation mode, float32 weights, channels last.
        normalisation: Measured on the training images alone.
        recipe: How it was trained, resolved.
        loss: Mean training loss of the last epoch, of columns trained apart their mean; None if it
            ceased to be a finite number, and the training was given up.
    """

    network: Network
    normalisation: Normalisation
    recipe: Recipe
    loss: float | None

    @torch.inference_mode()
    def logits(self, images: Tensor) -> Tensor:
        """What the network says about images, in the recipe's precision.

        Args:
            images: uint8 (N, C, H, W).

        Returns:
            float32 (N, classes), the mean over both views with ``recipe.flip_test``.
        """
        with isolated(0):
            parts = [self._batch_logits(part) for part in _parts(images)]
        return torch.cat(parts)

    def _batch_logits(self, images: Tensor) -> Tensor:
        batch = self.normalisation(images).to(memory_format=torch.channels_last)
        with autocast(self.recipe):
            logits: Tensor = self.network(batch).float()
            if self.recipe.flip_test:
                logits = (logits + self.network(batch.flip(-1)).float()) / 2
        return logits


def fit(
    genome: Genome,
    images: Tensor,
    labels: Tensor,
    *,
    epochs: int,
    seed: int,
    recipe: Recipe,
    start: Mapping[str, Tensor] | None = None,
) -> Fitted:
    """Trains a network: the same to the bit in any process, which afterwards keeps freed memory.

    Columns side by side are trained one after the other if the recipe has them ``apart``. Nothing
    is chosen along the way: the result has the last weights, or the average of the last ones as the
    recipe says. A loss that is no longer finite ends the training early.

    Args:
        genome: A network with one flat output.
        images: uint8 (N, C, H, W), of the genome's input shape.
        labels: int64 (N,), indices of outputs.
        epochs: Passes over the images, at least 1.
        seed: Of the weights, the order, the augmentation and dropout.
        recipe: How; its ``pretraining`` is left to whoever gives ``start``.
        start: State of the network to begin with, by name; None draws its weights.
    """
    parts = columns(genome) if recipe.apart else (genome,)
    if len(parts) == 1:
        return _fit(genome, images, labels, epochs, seed, recipe.resolved(), start)
    fitted = [
        fit(
            part,
            images,
            labels,
            epochs=epochs,
            seed=column_seed(seed, number),
            recipe=recipe,
            start=start and {name: start[name] for name in build(part, seed=0).state_dict()},
        )
        for number, part in enumerate(parts)
    ]
    losses = [one.loss for one in fitted if one.loss is not None]
    return Fitted(
        network=together(genome, [one.network.state_dict() for one in fitted]),
        normalisation=fitted[0].normalisation,
        recipe=fitted[0].recipe,
        loss=sum(losses) / len(losses) if len(losses) == len(fitted) else None,
    )


def _fit(
    genome: Genome,
    images: Tensor,
    labels: Tensor,
    epochs: int,
    seed: int,
    recipe: Recipe,
    start: Mapping[str, Tensor] | None,
) -> Fitted:
    keep_freed_memory()
    generator = torch.Generator().manual_seed(seed)
    network_seed, dropout_seed = torch.randint(_MAX_SEED, (2,), generator=generator).tolist()
    with isolated(dropout_seed):
        normalisation = Normalisation.of(images, recipe.local_contrast)
        network = build(genome, seed=network_seed)
        if start:
            network.load_state_dict(start)
        keep_slow_layers_in_float32(network)
        run = _Run(network, normalisation(images), labels, epochs, recipe, generator)
        loss = run.train()
    return Fitted(network=network.eval(), normalisation=normalisation, recipe=recipe, loss=loss)


class _Run:
    """One training in progress."""

    def __init__(
        self,
        network: Network,
        images: Tensor,
        labels: Tensor,
        epochs: int,
        recipe: Recipe,
        generator: torch.Generator,
    ) -> None:
        self.network = Fused(network).train()
        self.images = images
        self.labels = labels
        self.epochs = epochs
        self.recipe = recipe
        self.generator = generator
        self.batches, self.steps = recipe.steps(len(images), epochs)
        self.weights = Weights(network, recipe)

    def train(self) -> float | None:
        """All epochs.

        Returns:
            Mean loss of the last epoch, None if a loss was not finite.
        """
        loss = self._train()
        averaged = self.weights.release()
        if averaged and loss is not None:
            with autocast(self.recipe):
                update_bn(self._in_batches(self.images), self.network)
        return loss

    def _train(self) -> float | None:
        first_averaged = self.recipe.first_averaged(self.steps)
        done = 0
        mean = math.nan
        for _ in range(self.epochs):
            total = 0.0
            for images, labels in self._epoch():
                loss = self._loss(images, labels)
                value = loss.item()
                if not math.isfinite(value):
                    _log.info("%s diverged at step %d", self.network.network.genome.name, done)
                    return None
                factor = self.recipe.schedule.factor(done / self.steps)
                self.weights.step(loss, self.recipe.learning_rate * factor)
                if done >= first_averaged:
                    self.weights.average()
                done += 1
                total += value
            mean = total / self.batches
        return mean

    def _epoch(self) -> Iterator[tuple[Tensor, Tensor]]:
        images = augment(self.images, self.recipe.augmentation, self.generator)
        order = torch.randperm(len(images), generator=self.generator)
        for chosen in order.tensor_split(self.batches):
            yield images[chosen], self.labels[chosen]

    def _in_batches(self, images: Tensor) -> list[Tensor]:
        order = torch.randperm(len(images), generator=self.generator)
        return list(images[order].tensor_split(self.batches))

    def _loss(self, images: Tensor, labels: Tensor) -> Tensor:
        alpha = self.recipe.augmentation.mixup
        smoothing = self.recipe.label_smoothing
        share = 1.0
        if alpha:
            images, partners, share = mixup(images, alpha, self.generator)
        with autocast(self.recipe):
            logits = self.network(images.to(memory_format=torch.channels_last))
        logits = logits.float()
        loss = functional.cross_entropy(logits, labels, label_smoothing=smoothing)
        if share == 1.0:
            return loss
        other = functional.cross_entropy(logits, labels[partners], label_smoothing=smoothing)
        return share * loss + (1 - share) * other


def _parts(images: Tensor) -> tuple[Tensor, ...]:
    return images.tensor_split(max(1, math.ceil(len(images) / PREDICTION_BATCH)))
