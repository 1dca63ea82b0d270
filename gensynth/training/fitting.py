"""Trains one network on one set of images."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, update_bn

from gensynth.genome import Genome
from gensynth.network import Network, build
from gensynth.training.augmentation import augment, mixup
from gensynth.training.columns import column_seed, columns, together
from gensynth.training.isolation import isolated, keep_freed_memory
from gensynth.training.normalisation import Normalisation
from gensynth.training.precision import autocast, keep_slow_layers_in_float32
from gensynth.training.recipe import Recipe

PREDICTION_BATCH = 256
_MAX_SEED = 2**63 - 1

Loss = Callable[[Tensor, Tensor], Tensor]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A trained network with what it needs to read images.

    Attributes:
        network: The network, in evaluation mode, float32 weights, channels last, on the recipe's
            device.
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
            float32 (N, size), the heads side by side, the mean over both views with
            ``recipe.flip_test``; on the CPU.
        """
        with isolated(0, self.recipe.device):
            parts = [self._batch_logits(part) for part in _parts(images)]
        return torch.cat(parts).cpu()

    def _batch_logits(self, images: Tensor) -> Tensor:
        normalised = self.normalisation(images)
        batch = normalised.to(self.recipe.device, memory_format=torch.channels_last)
        with autocast(self.recipe):
            logits = side_by_side(self.network(batch))
            if self.recipe.flip_test:
                logits = (logits + side_by_side(self.network(batch.flip(-1)))) / 2
        return logits


Watch = Callable[[int, Fitted], None]
"""Is shown a training: the number of an epoch that has ended, from 1, and the network so far."""


def fit(
    genome: Genome,
    images: Tensor,
    targets: Tensor,
    *,
    loss: Loss,
    epochs: int,
    seed: int,
    recipe: Recipe,
    start: Mapping[str, Tensor] | None = None,
    watch: Watch | None = None,
) -> Fitted:
    """Trains a network: the same to the bit in any process on one kind of processor.

    Columns side by side are trained one after the other if the recipe has them ``apart``. Nothing
    is chosen along the way: the result has the last weights, or the average of the last ones as the
    recipe says. A loss that is no longer finite ends the training early.

    Args:
        genome: A network with flat outputs.
        images: uint8 (N, C, H, W), of the genome's input shape.
        targets: What its task asks for, (N,) or (N, numbers).
        loss: Mean loss of outputs, float32 (N, size), against targets, as a scalar.
        epochs: Passes over the images, at least 1.
        seed: Of the weights, the order, the augmentation and dropout.
        recipe: How; its ``pretraining`` is left to whoever gives ``start``.
        start: State of the network to begin with, by name; None draws its weights.
        watch: Called after every epoch with a copy of the network as it stands: the weights of the
            last step, never their average, and running statistics; its loss is that epoch's. What
            it does changes the training by no bit. Columns trained apart are shown one after the
            other, each by itself; the network's logits are the sum of theirs.
    """
    parts = columns(genome) if recipe.apart else (genome,)
    if len(parts) == 1:
        return _fit(genome, images, targets, loss, epochs, seed, recipe.resolved(), start, watch)
    fitted = [
        fit(
            part,
            images,
            targets,
            loss=loss,
            epochs=epochs,
            seed=column_seed(seed, number),
            recipe=recipe,
            start=start and {name: start[name] for name in build(part, seed=0).state_dict()},
            watch=watch,
        )
        for number, part in enumerate(parts)
    ]
    losses = [one.loss for one in fitted if one.loss is not None]
    return Fitted(
        network=together(genome, [one.network for one in fitted]),
        normalisation=fitted[0].normalisation,
        recipe=fitted[0].recipe,
        loss=sum(losses) / len(losses) if len(losses) == len(fitted) else None,
    )


def _fit(
    genome: Genome,
    images: Tensor,
    targets: Tensor,
    loss: Loss,
    epochs: int,
    seed: int,
    recipe: Recipe,
    start: Mapping[str, Tensor] | None,
    watch: Watch | None,
) -> Fitted:
    generator = torch.Generator().manual_seed(seed)
    network_seed, dropout_seed = torch.randint(_MAX_SEED, (2,), generator=generator).tolist()
    with isolated(dropout_seed, recipe.device):
        normalisation = Normalisation.of(images, recipe.local_contrast)
        network = build(genome, seed=network_seed, device=recipe.device)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if start:
            network.load_state_dict(start)
        if recipe.device == "cpu":
            keep_slow_layers_in_float32(network)
        fitted = partial(Fitted, normalisation=normalisation, recipe=recipe)
        run = _Run(network, normalisation(images), targets, loss, epochs, recipe, generator)

        def ended(epoch: int, mean: float) -> None:
            if watch is not None:
                with isolated(0, recipe.device):
                    watch(epoch, fitted(network=copy.deepcopy(network).eval(), loss=mean))

        last = run.train(ended)
    return fitted(network=run.trained, loss=last)


class _Run:
    """One training in progress."""

    def __init__(
        self,
        network: Network,
        images: Tensor,
        targets: Tensor,
        loss: Loss,
        epochs: int,
        recipe: Recipe,
        generator: torch.Generator,
    ) -> None:
        self.network = network.train()
        self.images, self.targets = images.to(recipe.device), targets.to(recipe.device)
        self.loss = loss
        self.epochs = epochs
        self.recipe = recipe
        self.generator = generator
        self.batches, self.steps = recipe.steps(len(images), epochs)
        self.computed = _computed_by(network, recipe)
        self.optimizer = optimizer_of(network, recipe)
        self.rate = LambdaLR(self.optimizer, lambda step: recipe.schedule.factor(step / self.steps))
        self.averaged: AveragedModel | None = None

    @property
    def trained(self) -> Network:
        """The network as it is, in evaluation mode: the average, if there is one."""
        network = self.network if self.averaged is None else self.averaged.module
        return cast(Network, network).eval()

    def train(self, ended: Callable[[int, float], None]) -> float | None:
        """All epochs.

        Args:
            ended: Is told the number of each epoch, from 1, and its mean loss.

        Returns:
            Mean loss of the last epoch, None if a loss was not finite.
        """
        loss = self._train(ended)
        if self.averaged is not None and loss is not None:
            with autocast(self.recipe):
                update_bn(self._in_batches(self.images), self.averaged)
        return loss

    def _train(self, ended: Callable[[int, float], None]) -> float | None:
        first_averaged = self.recipe.first_averaged(self.steps)
        done = 0
        mean = math.nan
        for epoch in range(1, self.epochs + 1):
            total = 0.0
            for images, targets in self._epoch():
                value = self._step(images, targets)
                if not math.isfinite(value):
                    _log.info("%s diverged at step %d", self.network.genome.name, done)
                    return None
                if done >= first_averaged:
                    self._average()
                done += 1
                total += value
            mean = total / self.batches
            ended(epoch, mean)
        return mean

    def _step(self, images: Tensor, targets: Tensor) -> float:
        """The loss; moves the weights against its gradient if it is finite."""
        loss = self._loss(images, targets)
        value = loss.item()
        if math.isfinite(value):
            self.optimizer.zero_grad()
            torch.autograd.backward(loss)
            if self.recipe.gradient_clip is not None:
                nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.gradient_clip)
            self.optimizer.step()
            self.rate.step()
        return value

    def _average(self) -> None:
        if self.averaged is None:
            self.averaged = AveragedModel(self.network)
        self.averaged.update_parameters(self.network)

    def _epoch(self) -> Iterator[tuple[Tensor, Tensor]]:
        images = augment(self.images, self.recipe.augmentation, self.generator)
        order = torch.randperm(len(images), generator=self.generator)
        for chosen in order.tensor_split(self.batches):
            yield images[chosen], self.targets[chosen]

    def _in_batches(self, images: Tensor) -> list[Tensor]:
        order = torch.randperm(len(images), generator=self.generator)
        return list(images[order].tensor_split(self.batches))

    def _loss(self, images: Tensor, targets: Tensor) -> Tensor:
        alpha = self.recipe.augmentation.mixup
        share = 1.0
        if alpha:
            images, partners, share = mixup(images, alpha, self.generator)
        with autocast(self.recipe):
            outputs = self.computed(images.to(memory_format=torch.channels_last))
        outputs = side_by_side(outputs)
        loss = self.loss(outputs, targets)
        if share == 1.0:
            return loss
        return share * loss + (1 - share) * self.loss(outputs, targets[partners])


def _computed_by(network: Network, recipe: Recipe) -> nn.Module:
    """What computes a network in training: itself, or the fused engine, which imports Numba."""
    if recipe.engine == "plain":
        return network
    from gensynth.training.fused import Fused

    keep_freed_memory()
    return Fused(network)


def optimizer_of(network: Network, recipe: Recipe) -> torch.optim.Optimizer:
    """That of a recipe: decays what has more than one dimension, no biases and no normalisation."""
    parameters = list(network.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, lr=recipe.learning_rate, fused=True)


def side_by_side(outputs: Tensor | Mapping[str, Tensor]) -> Tensor:
    """What a network gives as one tensor, float32 (N, size).

    Args:
        outputs: Of its only head, or of each by name; these are put in the alphabet's order.
    """
    if isinstance(outputs, Tensor):
        return outputs.float()
    return torch.cat([outputs[name].float() for name in sorted(outputs)], 1)


def _parts(images: Tensor) -> tuple[Tensor, ...]:
    return images.tensor_split(max(1, math.ceil(len(images) / PREDICTION_BATCH)))
