"""A training step by the fused engine, without each of its parts, and by the plain engine.

    python -m benchmarks.speed.training [--networks ck48-10k …] [--precisions float32 bfloat16]
        [--rounds 9]

One table. All variants take the same steps on the same batches of noise, in turns in one run, so
that a busy machine disturbs all of them alike; figures are ratios of processor time to the whole
engine in the same turn, median and quartiles, and the same of wall-clock time. A variant lacks one
part, which torch's own functions replace:

* *normalisation*: compiled loops for batch normalisation with its sum and rectifier;
* *wide kernels*: several pixels at once where channels are few;
* *kept memory*: freed memory stays in the process (measured in a process of its own).
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.markdown import markdown
from benchmarks.options import positive
from gensynth.genome import Genome
from gensynth.genome import load as load_genome
from gensynth.network import Network, build
from gensynth.prototype import load
from gensynth.training import Recipe
from gensynth.training import convolution as convolution_module
from gensynth.training import steps as steps_module
from gensynth.training.columns import columns
from gensynth.training.fitting import optimizer_of
from gensynth.training.fused import Fused
from gensynth.training.isolation import isolated, keep_freed_memory
from gensynth.training.precision import autocast, keep_slow_layers_in_float32
from gensynth.training.recipe import Precision

ROOT = Path(__file__).parents[2]
NETWORKS = ("resnet14_slim", "ck48-10k", "ck48-33k")
BATCH = 32
SECONDS = 0.4
"""Of a variant in a turn, about."""


@dataclass(frozen=True)
class Taken:
    """Seconds a step."""

    processor: float
    wall: float


@contextmanager
def _replaced(owner: Any, **replacements: Any) -> Iterator[None]:
    before = {name: getattr(owner, name) for name in replacements}
    for name, value in replacements.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)


@contextmanager
def torch_normalises() -> Iterator[None]:
    """Normalisation, sum and rectifier by torch, one after the other."""

    def forward(norm: Any, x: Tensor, residual: Tensor | None, slope: float) -> Any:
        out, mean, deviation = torch.native_batch_norm(
            x, norm.weight, norm.bias, norm.running_mean, norm.running_var, True, 0.1, norm.eps
        )
        out = out if residual is None else out.add_(residual)
        if slope != 1:
            out = functional.leaky_relu_(out, slope) if slope else out.relu_()
        return out, torch.stack([mean, deviation])

    def backward(
        ctx: Any, gradient: Tensor, x: Tensor, moments: Tensor, seen: Tensor | None
    ) -> Any:
        norm = ctx.norm
        if seen is not None:
            gradient = torch.ops.aten.leaky_relu_backward(gradient, seen, ctx.slope, True)
        of_x, *of_parameters = torch.ops.aten.native_batch_norm_backward(
            gradient,
            x,
            norm.weight,
            norm.running_mean,
            norm.running_var,
            *moments,
            True,
            norm.eps,
            [True, True, True],
        )
        return of_x, gradient, torch.stack(of_parameters)

    with _replaced(steps_module, _normalise=forward, _back_over_normalisation=backward):
        yield


def one_pixel() -> AbstractContextManager[None]:
    """Convolutions as torch has them."""
    return _replaced(convolution_module, _pixels_at_once=lambda *_: 1)


class Variant:
    """A training in progress.

    Args:
        genome: The network.
        recipe: Resolved.
        wrapped: What computes it.
        context: What is replaced meanwhile.
    """

    def __init__(
        self,
        genome: Genome,
        recipe: Recipe,
        wrapped: Callable[[Network], nn.Module],
        context: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        network = build(genome, seed=0)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        keep_slow_layers_in_float32(network)
        self._network, self._recipe, self._context = network, recipe, context
        self._computed = wrapped(network).train()
        self._optimizer = optimizer_of(network, recipe)
        generator = torch.Generator().manual_seed(0)
        images = torch.randn(BATCH, *genome.input.shape, generator=generator)
        self._images = images.to(memory_format=torch.channels_last)
        self._labels = torch.arange(BATCH) % 7

    def time(self, steps: int) -> Taken:
        """A step's time, the mean over some."""
        with self._context(), isolated(0):
            processor, wall = time.process_time(), time.perf_counter()
            for _ in range(steps):
                self._step()
            return Taken(
                (time.process_time() - processor) / steps, (time.perf_counter() - wall) / steps
            )

    def _step(self) -> None:
        with autocast(self._recipe):
            outputs = self._computed(self._images)
        loss = functional.cross_entropy(outputs.float(), self._labels)
        loss.item()
        self._optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        self._optimizer.step()


def genome_of(name: str) -> Genome:
    """A prototype, or a network of ``genomes/``, of columns the first one."""
    prototype = ROOT / "prototypes" / f"{name}.yaml"
    if prototype.exists():
        return load(prototype, classes=7)
    return columns(load_genome(ROOT / "genomes" / f"{name}.json"))[0]


def recipe_of(precision: Precision) -> Recipe:
    """The default recipe on a CPU."""
    return Recipe(precision=precision, engine="fused", device="cpu")


def _forgetful(name: str, precision: Precision, pipe: Connection) -> None:
    """The whole engine in a process that gives freed memory back."""
    variant = Variant(genome_of(name), recipe_of(precision), Fused)
    while steps := pipe.recv():
        pipe.send(variant.time(steps))


@contextmanager
def forgetful(name: str, precision: Precision) -> Iterator[Callable[[int], Taken]]:
    """The timing of the engine without kept memory."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_forgetful, args=(name, precision, there), daemon=True
    )
    process.start()

    def timed(steps: int) -> Taken:
        here.send(steps)
        taken: Taken = here.recv()
        return taken

    try:
        yield timed
    finally:
        here.send(0)
        process.join()


def compare(name: str, precision: Precision, rounds: int) -> list[list[str]]:
    """Rows of the table: processor time, and wall-clock time."""
    genome, recipe = genome_of(name), recipe_of(precision)
    variants = (
        Variant(genome, recipe, Fused),
        Variant(genome, recipe, Fused, torch_normalises),
        Variant(genome, recipe, Fused, one_pixel),
    )
    plain = Variant(genome, recipe, lambda network: network)
    with forgetful(name, precision) as last:
        timings = [*(one.time for one in variants), last, plain.time]
        for timing in timings:
            timing(3)
        steps = max(2, round(SECONDS / timings[0](3).processor))
        found = [[timing(steps) for timing in timings] for _ in range(rounds)]
    return [
        _row(name, precision, "processor", [[one.processor for one in turn] for turn in found]),
        _row(name, precision, "wall", [[one.wall for one in turn] for turn in found]),
    ]


def _row(name: str, precision: str, clock: str, turns: list[list[float]]) -> list[str]:
    whole = 1000 * statistics.median(turn[0] for turn in turns)
    cells = [f"{name}, {precision}, {clock}", f"{whole:.1f}"]
    for variant in range(1, len(turns[0])):
        low, middle, high = statistics.quantiles([turn[variant] / turn[0] for turn in turns], n=4)
        cells.append(f"{middle:.2f} [{low:.2f}, {high:.2f}]")
    return cells


HEADS = (
    "network, precision, clock",
    "fused: ms a step",
    "without normalisation",
    "without wide kernels",
    "without kept memory",
    "plain",
)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--precisions", nargs="+", default=("float32", "bfloat16"))
    parser.add_argument("--rounds", type=positive, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    print(f"{torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}, one thread")
    print(markdown(HEADS, []), flush=True)
    for precision in options.precisions:
        for name in options.networks:
            for row in compare(name, precision, options.rounds):
                print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
