"""Models with weights that were drawn and not trained, for what does not depend on training."""

from __future__ import annotations

import torch

from gensynth.device import Model, Preprocessing
from gensynth.genome import Genome
from gensynth.network import build
from gensynth.task import Readout
from gensynth.training import LocalContrast

CONTRAST = LocalContrast(window=0.3, floor=12)


def drawn(genome: Genome, seed: int = 0, *, contrast: bool = True, mirror: bool = False) -> Model:
    """A model of a network with flat outputs, statistics of normalisation drawn too."""
    network = build(genome, seed=seed).eval()
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            count = module.num_features
            module.running_mean = torch.randn(count, generator=generator) / 2
            module.running_var = torch.rand(count, generator=generator) + 0.5
            with torch.no_grad():
                module.weight.copy_(torch.rand(count, generator=generator) + 0.5)
                module.bias.copy_(torch.randn(count, generator=generator) / 2)
    channels, height, width = genome.input.shape
    preprocessing = Preprocessing.model_validate(
        {
            "channels": channels,
            "height": height,
            "width": width,
            "local_contrast": CONTRAST if contrast else None,
            "mean": [0.05] * channels if contrast else [110.0] * channels,
            "deviation": [0.6] * channels if contrast else [50.0] * channels,
            "mirror": mirror,
        }
    )
    single = len(genome.outputs) == 1
    heads = [
        readout("" if single else name, genome.shapes[node][0])
        for name, node in sorted(genome.outputs.items())
    ]
    return Model(network, preprocessing, heads, {"data": "nothing", "synthetic": True})


def readout(name: str, size: int) -> Readout:
    """Probabilities of so many classes, at a temperature."""
    labels = tuple(f"class {number}" for number in range(size))
    return Readout(
        name=name,
        kind="probabilities",
        labels=labels,
        scale=(0.7,) * size,
        offset=(0.0,) * size,
    )
