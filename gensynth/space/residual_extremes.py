"""The smallest and the largest networks of the residual space.

Why the candidates below contain them:

**Least parameters, multiply-accumulates and model bytes.** Each is a sum over nodes that grows with
every width and window and falls with the stem's stride. Every network has the stem, the classifier
and, into each later stage, the projection or that stage's first module. A network with nothing else
and the least of everything is therefore least; which way into a stage is cheaper depends on the
ranges, so every combination is tried.

**Least peak memory.** While a node runs, what it reads and what it writes are alive, so no network
has a lower peak than one that runs only a path from the image to the classifier, where nothing
else is. The paths are those combinations.

**Greatest parameters, multiply-accumulates and model bytes.** Everything as wide, tall and many as
can be, and every node in use.

**Greatest peak memory.** The maps of the first stage are at least about four times those of the
next, so the peak is there, in the last module: every earlier output and inner output is kept for
the projection or the exit, and beside them are the sum that the module reads, its layers and its
merge. An earlier sum can be alive as well only if the exit reads it: the projection's sum runs with
the last thing it reads, and if that is no later than an earlier module's sum, the projection keeps
nothing. Inner outputs are kept only at the stage's width, so where the two ranges end at different
widths, the common width competes with the greatest.

Columns run one after the other, so they multiply everything but the peak, to which each finished
one adds its class scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product

from gensynth.cost import STATIC_METRICS, cost
from gensynth.genome import Genome
from gensynth.space.choosing import Value
from gensynth.space.residual_config import ResidualConfig, subset

Point = dict[str, Value]


def extremes(
    config: ResidualConfig, build: Callable[[Mapping[str, Value]], Genome]
) -> dict[str, tuple[Genome, Genome]]:
    """Finds, for each static metric, a network with the least and one with the greatest value.

    Args:
        config: The space.
        build: From a point of the space to its network.

    Returns:
        Two networks by metric.
    """
    small = [build(point) for point in _smallest(config)]
    large = [build(point) for point in _largest(config)]
    return {
        metric: (min(small, key=_metric(metric)), max(large, key=_metric(metric)))
        for metric in STATIC_METRICS
    }


def _metric(name: str) -> Callable[[Genome], float]:
    return lambda genome: cost(genome).metrics()[name]


def _smallest(config: ResidualConfig) -> Iterator[Point]:
    modules = config.modules.low
    ways = ["projection", *config.convolution]
    for normalisation, merge, *entered in product(
        config.normalisation, config.merge, *[ways] * (config.stages - 1)
    ):
        point: Point = {
            "normalisation": normalisation,
            "merge": merge,
            "stem.kernel": min(config.stem.kernel),
            "stem.stride": max(config.stem.stride),
            "columns": config.columns.low,
            "grid": min(config.grid),
        }
        read = 0
        for stage, way in enumerate(["projection", *entered], 1):
            here = f"stage{stage}"
            if stage > 1:
                point[f"{here}.projection.of{modules}"] = subset(stage - 1, [read])
            read = 0 if way == "projection" else 1
            point |= {
                f"{here}.modules": modules,
                f"{here}.width": config.width.low,
                f"{here}.exit.of{modules}": subset(stage, [read]),
                f"{here}.module1.inner": config.inner.low,
                f"{here}.module1.inner.kernel": min(config.kernel),
                f"{here}.module1.outer.kernel": min(config.kernel),
            }
            if way != "projection":
                point[f"{here}.module1.convolution"] = way
        yield point


def _largest(config: ResidualConfig) -> Iterator[Point]:
    shared = min(config.width.high, config.inner.high)
    for normalisation, merge, convolution, width, inner, kept in product(
        config.normalisation,
        config.merge,
        config.convolution,
        {config.width.high, shared},
        {config.inner.high, shared},
        (True, False),
    ):
        point: Point = {
            "normalisation": normalisation,
            "merge": merge,
            "stem.kernel": max(config.stem.kernel),
            "stem.stride": min(config.stem.stride),
            "columns": config.columns.high,
            "grid": max(config.grid),
        }
        for stage in range(1, config.stages + 1):
            point |= _full_stage(config, stage, width, inner, kept)
            for module in range(1, config.modules.high + 1):
                point[f"stage{stage}.module{module}.convolution"] = convolution
        yield point


def _full_stage(config: ResidualConfig, stage: int, width: int, inner: int, kept: bool) -> Point:
    """A stage in which everything is read; ``kept``: module 2's sum until the stage's exit."""
    here, modules, kernel = f"stage{stage}", config.modules.high, max(config.kernel)
    everything = range(modules + 1)
    point: Point = {
        f"{here}.modules": modules,
        f"{here}.width": width,
        f"{here}.exit.of{modules}": subset(stage, everything[:2] if kept else everything),
    }
    if stage > 1:
        point[f"{here}.projection.of{modules}"] = subset(stage - 1, everything)
    for module in range(1, modules + 1):
        point |= {
            f"{here}.module{module}.inner": inner if module < modules else config.inner.high,
            f"{here}.module{module}.inner.kernel": kernel,
            f"{here}.module{module}.outer.kernel": kernel,
        }
        if module > 1:
            point[f"{here}.module{module}.sources"] = subset(stage, range(module))
        if stage > 1:
            point[f"{here}.projection.inner{module}"] = True
    return point
