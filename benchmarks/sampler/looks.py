"""Cheap looks inside networks: at initialisation, and after a brief training.

Zero-cost scores are those of Abdelfattah, Mehrotra, Dudziak, Lane 2021 (Zero-Cost Proxies for
Lightweight NAS, arXiv:2101.08134), section 3.2, taken over the weights of convolutions and linear
layers, greater is better:

* ``grad_norm``: the sum over layers of the Euclidean norm of the gradient of the loss of one batch.
* ``snip``: Σ |θ ∂L/∂θ| (Lee, Ajanthan, Torr 2019, arXiv:1810.02340).
* ``synflow``: Σ θ ∂R/∂θ, where R is the sum of the outputs for an image of ones, with absolute
  weights and without normalisation (Tanaka, Kunin, Yamins, Ganguli 2020, arXiv:2006.05467); its
  logarithm here.
* ``jacob_cov``: −Σ (log(v + k) + 1/(v + k)) over the eigenvalues v of the correlation matrix of
  the input gradients of a batch's images, k = 1e-5 (the first version of Mellor et al.,
  arXiv:2006.04647v1; ``jacob_cov`` in Abdelfattah et al.).
* ``naswot``: log |K|, where K counts for each pair of a batch's images the rectifiers that are on
  for both or off for both (Mellor, Turner, Storkey, Crowley 2021, arXiv:2006.04647).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gensynth.genome import Activation, Add, BatchNorm, Genome
from gensynth.network import Network, build
from gensynth.training import Fitted

EPSILON = 1e-5

ZERO_COST = ("grad_norm", "snip", "synflow", "jacob_cov", "naswot")


def zero_cost(genome: Genome, images: Tensor, labels: Tensor, *, seed: int) -> dict[str, float]:
    """Scores of a network that was not trained.

    Args:
        genome: The network.
        images: One batch, normalised, float32 (N, C, H, W).
        labels: int64 (N,).
        seed: Of the weights.

    Returns:
        By name, see the module.
    """
    network = build(genome, seed=seed)
    with _recorded(network, Activation) as active:
        loss = functional.cross_entropy(network(images), labels)
    codes = [record.output > 0 for record in active.values()]
    weights = _weights(network)
    gradients = torch.autograd.grad(loss, weights)
    products = [(w.detach() * g).abs() for w, g in zip(weights, gradients, strict=True)]
    return {
        "grad_norm": sum(float(gradient.norm()) for gradient in gradients),
        "snip": sum(float(product.sum()) for product in products),
        "synflow": synflow(genome, seed=seed),
        "jacob_cov": jacob_cov(network, images),
        "naswot": naswot(codes),
    }


def synflow(genome: Genome, *, seed: int) -> float:
    """Logarithm of the synaptic flow of a network that was not trained, see the module."""
    network = build(genome, seed=seed).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    ones = torch.ones(1, *genome.input.shape, dtype=torch.float64)
    weights = _weights(network)
    gradients = torch.autograd.grad(network(ones).sum(), weights)
    products = [w.detach() * g for w, g in zip(weights, gradients, strict=True)]
    return math.log(sum(float(product.sum()) for product in products))


def jacob_cov(network: nn.Module, images: Tensor) -> float:
    """How little the input gradients of different images have in common, see the module."""
    images = images.clone().requires_grad_()
    (jacobian,) = torch.autograd.grad(network(images).sum(), images)
    correlation = np.corrcoef(jacobian.flatten(1).double().numpy())
    values = np.linalg.eigvalsh(np.nan_to_num(correlation)) + EPSILON
    values = np.maximum(values, EPSILON)
    return -float(np.sum(np.log(values) + 1 / values))


def naswot(codes: list[Tensor]) -> float:
    """How differently the rectifiers answer to different images, see the module.

    Args:
        codes: For each layer whether its rectifiers are on, bool (N, ...).
    """
    kernel = torch.zeros(len(codes[0]), len(codes[0]), dtype=torch.float64)
    for layer in codes:
        on = layer.flatten(1).double()
        off = 1 - on
        kernel += on @ on.T + off @ off.T
    return float(torch.linalg.slogdet(kernel).logabsdet)


class Record(NamedTuple):
    """What a node read, one tensor or a list of them, and gave."""

    inputs: Any
    output: Tensor


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a trained network shows on one batch; every mapping by node.

    Attributes:
        dead: Share of an activation's channels that are 0 everywhere for every image.
        scale: Mean absolute scale of a normalisation.
        importance: Σ |θ ∂L/∂θ| of a node's parameters.
        params: Number of a node's parameters.
        edges: By sum and what it reads: the mean over images of |Σ a ∂L/∂a| over the activations
            a that go along that edge (Molchanov et al. 2019, arXiv:1906.10771, with a gate on the
            edge).
    """

    dead: Mapping[str, float]
    scale: Mapping[str, float]
    importance: Mapping[str, float]
    params: Mapping[str, int]
    edges: Mapping[tuple[str, str], float]

    def summary(self) -> dict[str, float]:
        """One figure for each kind of look, whole network and worst layer."""
        density = [self.importance[node] / self.params[node] for node in self.params]
        total = sum(self.importance.values())
        dead = list(self.dead.values()) or [0.0]
        scale = list(self.scale.values()) or [1.0]
        return {
            "dead": float(np.mean(dead)),
            "dead.worst": max(dead),
            "scale": float(np.mean(scale)),
            "scale.least": min(scale),
            "importance": total,
            "importance.per_param": total / sum(self.params.values()),
            "importance.least_per_param": min(density),
        }


def look(fitted: Fitted, images: Tensor, labels: Tensor) -> Look:
    """Looks inside a trained network, in evaluation mode.

    Args:
        fitted: The network.
        images: One batch, uint8 (N, C, H, W).
        labels: int64 (N,).
    """
    network = fitted.network
    _keep_all_values(network)
    with _recorded(network, Activation) as active, _recorded(network, Add) as sums:
        logits = network(fitted.normalisation(images))
        loss = functional.cross_entropy(logits, labels)
    nodes = {node.id: node for node in network.genome.nodes}
    owned = dict(zip(nodes, map(_parameters, network.layers.values()), strict=True))
    flat = [parameter for parameters in owned.values() for parameter in parameters]
    ends = [record.output for record in sums.values()]
    gradients = iter(torch.autograd.grad(loss, [*flat, *ends]))
    importance = {
        node: sum(float((p.detach() * next(gradients)).abs().sum()) for p in parameters)
        for node, parameters in owned.items()
        if parameters
    }
    return Look(
        dead={
            node: float((record.output.amax((0, 2, 3)) <= 0).float().mean())
            for node, record in active.items()
        },
        scale={
            node: float(parameters[0].detach().abs().mean())
            for node, parameters in owned.items()
            if isinstance(nodes[node], BatchNorm)
        },
        importance=importance,
        params={node: sum(p.numel() for p in owned[node]) for node in importance},
        edges={
            (node, source): _along(value, gradient)
            for (node, record), gradient in zip(sums.items(), gradients, strict=True)
            for source, value in zip(nodes[node].inputs, record.inputs, strict=True)
        },
    )


def _parameters(layer: nn.Module) -> list[nn.Parameter]:
    return list(layer.parameters())


def _along(value: Tensor, gradient: Tensor) -> float:
    return float((value.detach() * gradient).flatten(1).sum(1).abs().mean())


def _weights(network: nn.Module) -> list[Tensor]:
    layers = (nn.Conv2d, nn.Linear)
    return [module.weight for module in network.modules() if isinstance(module, layers)]


@contextmanager
def _recorded(network: Network, kind: type) -> Iterator[dict[str, Record]]:
    """Fills a mapping from the nodes of one kind to what they read and give."""
    found: dict[str, Record] = {}
    handles = [
        layer.register_forward_hook(partial(_keep, found, node.id))
        for node, layer in zip(network.genome.nodes, network.layers.values(), strict=True)
        if isinstance(node, kind)
    ]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _keep(
    found: dict[str, Record], node: str, layer: nn.Module, inputs: tuple[Any], output: Tensor
) -> None:
    found[node] = Record(inputs[0], output)


def _keep_all_values(network: Network) -> None:
    """Lets no activation overwrite its input, whose gradient is wanted."""
    for module in network.modules():
        if isinstance(module, nn.ReLU | nn.LeakyReLU | nn.ELU):
            module.inplace = False
