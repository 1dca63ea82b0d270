"""The residual space as a person writes it, and the decisions that it makes of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Annotated, Any, Literal, TypeVar

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gensynth.genome.operations import ActivationName
from gensynth.prototype import Classes
from gensynth.space.choosing import Space, Value
from gensynth.space.kinds import SPACES, SpaceConfig

MAX_MODULES = 6
MAX_STAGES = 5

T = TypeVar("T")


def _all_different(values: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(values)) < len(values):
        raise ValueError("a value is given twice")
    return values


def _odd(values: tuple[int, ...]) -> tuple[int, ...]:
    even = [value for value in values if value % 2 == 0]
    if even:
        raise ValueError(f"kernel {even[0]} is even; an odd one keeps the size of a map")
    return values


Count = Annotated[int, Field(strict=True, ge=1, le=4096)]
Choices = Annotated[tuple[T, ...], Field(min_length=1), AfterValidator(_all_different)]
Kernels = Annotated[Choices[Annotated[int, Field(strict=True, le=31)]], AfterValidator(_odd)]
Grids = Choices[Annotated[int, Field(strict=True, ge=1, le=16)]]
Strides = Choices[Annotated[int, Field(strict=True, ge=1, le=8)]]


class IntRange(BaseModel):
    """Whole numbers from ``low`` to ``high``, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: Count
    high: Count

    @model_validator(mode="after")
    def _is_a_range(self) -> IntRange:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is greater than high {self.high}")
        return self


class StemRanges(BaseModel):
    """The first convolution.

    Attributes:
        kernel: Window sizes in pixels.
        stride: Steps in pixels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kernel: Kernels
    stride: Strides


@SPACES.register
class ResidualConfig(SpaceConfig):
    """What may be changed about a residual network; :class:`gensynth.space.Residual` says how.

    Attributes:
        stages: Number of stages.
        modules: Modules in a stage.
        width: Output channels of a stage's modules.
        inner: Channels inside a module.
        kernel: Window sizes in pixels of a module's convolutions.
        convolution: Kinds of convolution.
        stem: The first convolution.
        merge: Where a module's shortcut joins.
        normalisation: What follows a convolution.
        activation: Non-linearities.
        columns: Networks side by side, alike but for their weights, whose class scores are added.
        grid: Cells along each side of the picture over which the last maps are averaged; 1 is
            global average pooling.
    """

    kind: Literal["residual"]
    stages: Annotated[int, Field(strict=True, ge=1, le=MAX_STAGES)]
    modules: IntRange
    width: IntRange
    inner: IntRange
    kernel: Kernels
    convolution: Choices[Literal["full", "separable"]]
    stem: StemRanges
    merge: Choices[Literal["before", "after"]]
    normalisation: Choices[Literal["batch_norm", "none"]]
    activation: Choices[ActivationName]
    columns: IntRange = IntRange(low=1, high=1)
    grid: Grids = (1,)

    @model_validator(mode="after")
    def _is_not_too_wide(self) -> ResidualConfig:
        if self.modules.high > MAX_MODULES:
            raise ValueError(f"more than {MAX_MODULES} modules a stage have too many connections")
        return self

    def around(self, prototype: Mapping[str, Any], classes: Classes | None) -> Space:
        """The space around a prototype whose ``decisions.residual`` decode to it."""
        from gensynth.space.residual import around

        return around(self, prototype, classes)


def entry(stage: int) -> str:
    """What a stage starts with, as junctions call it: the stem, or the projection ``p``."""
    return "p" if stage > 1 else "stem"


def subset(stage: int, outputs: Sequence[int]) -> str:
    """Names outputs of a stage: ``p+o1+o3`` for (0, 1, 3).

    Args:
        stage: The stage, from 1.
        outputs: 0 for what the stage starts with, k for the output of module k.
    """
    return "+".join(entry(stage) if output == 0 else f"o{output}" for output in outputs)


def subsets(stage: int, modules: int) -> dict[str, tuple[int, ...]]:
    """Every non-empty set of a stage's outputs by its name, fewest members first.

    Args:
        stage: The stage, from 1.
        modules: Outputs of how many modules there are, beside what the stage starts with.
    """
    outputs = range(modules + 1)
    return {
        subset(stage, chosen): chosen
        for size in range(1, modules + 2)
        for chosen in combinations(outputs, size)
    }


def distributions(config: ResidualConfig) -> dict[str, BaseDistribution]:
    """Every decision of a space, in the order of the network.

    What is chosen from depends on how many outputs there are, so that number is in the name:
    ``stage1.exit.of3``.
    """
    found: dict[str, BaseDistribution] = {
        name: CategoricalDistribution(choices)
        for name, choices in (
            ("normalisation", config.normalisation),
            ("activation", config.activation),
            ("merge", config.merge),
            ("stem.kernel", config.stem.kernel),
            ("stem.stride", config.stem.stride),
            ("grid", config.grid),
        )
    }
    found["columns"] = IntDistribution(config.columns.low, config.columns.high)
    for stage in range(1, config.stages + 1):
        here = f"stage{stage}"
        if stage > 1:
            found |= _projection(config, stage)
        found[f"{here}.modules"] = IntDistribution(config.modules.low, config.modules.high)
        found[f"{here}.width"] = _integer(config.width)
        for module in range(1, config.modules.high + 1):
            found |= _module(config, stage, module)
        for modules in _counts(config):
            found[f"{here}.exit.of{modules}"] = _junction(stage, modules)
    return found


def defaults(
    decided: Mapping[str, BaseDistribution], decisions: Mapping[str, Value]
) -> dict[str, Value]:
    """Fills in what ``decisions`` leave out, as near to ResNet v1 as the ranges allow.

    One column, three modules a stage of width 16, 32, 64, ..., two full 3x3 convolutions of that
    width in each, every module and projection reading the output before it, shortcuts that join
    before the activation, batch normalisation, ReLU, global average pooling.
    """
    filled: dict[str, Value] = {}
    for name, distribution in decided.items():
        if name in decisions:
            filled[name] = decisions[name]
        else:
            filled[name] = _nearest(distribution, _wished(name, filled))
    return filled


def _projection(config: ResidualConfig, stage: int) -> dict[str, BaseDistribution]:
    here = f"stage{stage}.projection"
    found: dict[str, BaseDistribution] = {
        f"{here}.of{modules}": _junction(stage - 1, modules) for modules in _counts(config)
    }
    for module in range(1, config.modules.high + 1):
        found[f"{here}.inner{module}"] = CategoricalDistribution((False, True))
    return found


def _module(config: ResidualConfig, stage: int, module: int) -> dict[str, BaseDistribution]:
    here = f"stage{stage}.module{module}"
    found: dict[str, BaseDistribution] = {}
    if module > 1:
        found[f"{here}.sources"] = _junction(stage, module - 1)
    found[f"{here}.inner"] = _integer(config.inner)
    found[f"{here}.inner.kernel"] = CategoricalDistribution(config.kernel)
    found[f"{here}.outer.kernel"] = CategoricalDistribution(config.kernel)
    found[f"{here}.convolution"] = CategoricalDistribution(config.convolution)
    return found


def _counts(config: ResidualConfig) -> range:
    return range(config.modules.low, config.modules.high + 1)


def _junction(stage: int, modules: int) -> CategoricalDistribution:
    return CategoricalDistribution(tuple(subsets(stage, modules)))


def _integer(values: IntRange) -> IntDistribution:
    return IntDistribution(values.low, values.high, log=True)


def _wished(name: str, filled: Mapping[str, Value]) -> Any:
    stage, _, rest = name.partition(".")
    _, _, last = name.rpartition(".")
    match last:
        case "modules" | "kernel":
            return 3
        case "columns" | "grid":
            return 1
        case "width":
            return 16 * 2 ** (int(stage.removeprefix("stage")) - 1)
        case "inner":
            return filled[f"{stage}.width"]
        case "sources":
            module = rest.partition(".")[0].removeprefix("module")
            return subset(int(stage.removeprefix("stage")), [int(module) - 1])
    if last.startswith("of"):
        return f"o{last.removeprefix('of')}"
    usual = {
        "normalisation": "batch_norm",
        "activation": "relu",
        "merge": "before",
        "stride": 1,
        "convolution": "full",
    }
    return usual.get(last, False)


def _nearest(distribution: BaseDistribution, wished: Any) -> Value:
    if isinstance(distribution, IntDistribution):
        return int(min(max(wished, distribution.low), distribution.high))
    assert isinstance(distribution, CategoricalDistribution)
    choices = distribution.choices
    if wished in choices:
        found: Value = wished
    elif isinstance(wished, int):
        found = min((choice for choice in choices if isinstance(choice, int)), key=_away(wished))
    else:
        found = str(choices[0])
    return found


def _away(wished: int) -> Any:
    return lambda choice: abs(choice - wished)
