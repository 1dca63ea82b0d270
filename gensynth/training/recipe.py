"""How networks are trained, as data that people write in YAML."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gensynth.training.schedule import OneCycle, Schedule

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Precision = Literal["float32", "bfloat16"]
Engine = Literal["plain", "fused"]
Device = Literal["cpu", "cuda"]


def _is_none(value: object) -> bool:
    return value is None


def _is_false(value: bool) -> bool:
    return not value


def _is_auto(value: str) -> bool:
    return value == "auto"


def _is_empty(value: tuple[object, ...]) -> bool:
    return not value


class Augmentation(BaseModel):
    """Random changes of the training images, drawn anew every epoch.

    Attributes:
        rotation: Greatest angle, degrees, to either side.
        shift: Greatest shift along each axis, as a share of the image's side.
        zoom: Greatest change of scale, as a share: 0.1 draws from 0.9 to 1.1.
        flip: Whether half of the images are mirrored left to right.
        erase: Share of the images that lose a rectangle to the mean gray (random erasing, Zhong
            et al. 2017).
        erase_area: Least and greatest area of that rectangle, as shares of the image.
        mixup: α of the Beta(α, α) that images are blended with (Zhang et al. 2018); 0 is off.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rotation: Annotated[float, Field(ge=0, le=180, allow_inf_nan=False)] = 0.0
    shift: Share = 0.0
    zoom: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = 0.0
    flip: bool = False
    erase: Share = 0.0
    erase_area: tuple[Share, Share] = (0.02, 0.2)
    mixup: NonNegative = 0.0

    @model_validator(mode="after")
    def _areas_in_order(self) -> Augmentation:
        if self.erase_area[0] > self.erase_area[1]:
            raise ValueError("erase_area must be [least, greatest]")
        return self


class LocalContrast(BaseModel):
    """Tones measured against their surroundings, before anything else is done to images.

    Attributes:
        window: Side of the square around a pixel that its surroundings are, as a share of the
            image's side (of each side, where they differ); 2 always holds the whole image.
        floor: Gray levels that the surroundings' standard deviation is raised by, so that noise on
            even skin stays small.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    window: Annotated[float, Field(gt=0, le=2, allow_inf_nan=False)] = 0.3
    floor: Positive = 12.0

    def reach(self, side: int) -> int:
        """Pixels that the window reaches beyond its middle one, at least 1.

        Args:
            side: That of the image, in pixels.
        """
        return max(1, math.floor(self.window * side / 2 + 1e-9))


class Tuned(BaseModel):
    """Whose images chose the values of a recipe.

    Attributes:
        data: Name of the data set.
        folds: Number of its folds by subject that ``seen`` counts.
        seen: Those with people of these images in their test parts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    folds: Annotated[int, Field(ge=2)]
    seen: tuple[Annotated[int, Field(ge=0)], ...]


class Pretraining(BaseModel):
    """A training on drawn faces, whose weights the training on the data begins with.

    Attributes:
        populations: Number of data sets that are drawn, of one image of each of 327 sequences.
        seed: Of the first data set, the next ones have the numbers after it. 0, the data set that
            searches without data use, is not among the default ones. What else chance decides is
            the training's: each cross-validation has a start of its own.
        epochs: Passes over them.
        batch_size: Least number of images a step.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    populations: Annotated[int, Field(ge=1)] = 12
    seed: Annotated[int, Field(ge=0)] = 2000
    epochs: Annotated[int, Field(ge=1)] = 24
    batch_size: Annotated[int, Field(ge=2)] = 64

    def recipe(self, recipe: Recipe) -> Recipe:
        """How to train on the drawn faces: as on the data, but for the size of a batch."""
        return recipe.model_copy(update={"pretraining": None, "batch_size": self.batch_size})


class Recipe(BaseModel):
    """Everything about training except the network, the images, the epochs and the seed.

    Attributes:
        optimizer: ``adam`` (weight decay as an L2 penalty) or ``adamw`` (decoupled).
        learning_rate: Peak rate, which the schedule scales.
        schedule: Course of the rate over the training, whatever its length.
        batch_size: Least number of images a step; what does not fill another batch is spread over
            the others.
        weight_decay: Of weights; biases and normalisation parameters are never decayed.
        label_smoothing: Probability spread over all classes in the target.
        gradient_clip: Greatest norm of the whole gradient; null does not clip. Keeps networks
            without normalisation from diverging at rates that suit the others.
        local_contrast: Local contrast normalisation of every image, in training and in use; null
            takes gray levels as they are.
        augmentation: Random changes of the training images.
        average: Final share of the steps whose weights are averaged into the trained network; 0
            takes the last weights. Normalisation statistics are estimated again for the averaged
            weights, on the training images.
        flip_test: Whether predictions are of the mean of the logits of an image and its mirror
            image: two forward passes, each of the multiply-accumulates that a network counts.
        precision: ``bfloat16`` multiplies in bfloat16 and accumulates in float32 (autocast),
            ``float32`` does everything in float32; ``auto`` is ``bfloat16`` on processors that
            have instructions for it, see :meth:`resolved`.
        engine: ``plain`` is ordinary PyTorch on any device; ``fused`` computes the same up to
            rounding in fewer passes over memory, on a CPU, and needs Numba; ``auto`` is ``fused``
            on a CPU and ``plain`` elsewhere.
        device: Where networks are trained; ``auto`` is ``cuda`` if torch finds a GPU and the engine
            is not ``fused``.
        apart: Whether columns side by side, of which the answer is the sum, are trained one after
            the other as networks of their own, each with chance of its own, and then put together
            (Cireşan, Meier, Schmidhuber 2012, arXiv:1202.2745), and not as one network.
        pretraining: Drawn faces to learn from first; null begins from scratch.
        tuned_on: Whose images chose these values; changes nothing about a training, and is stated
            beside the accuracies that come of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    optimizer: Literal["adam", "adamw"] = "adamw"
    learning_rate: Positive = 0.02
    schedule: Annotated[Schedule, Field(discriminator="kind")] = OneCycle()
    batch_size: Annotated[int, Field(ge=2)] = 32
    weight_decay: NonNegative = 0.05
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    gradient_clip: Positive | None = 1.0
    local_contrast: Annotated[LocalContrast | None, Field(exclude_if=_is_none)] = None
    augmentation: Augmentation = Augmentation(rotation=5, shift=0.05, zoom=0.05, flip=True)
    average: Share = 0.2
    flip_test: bool = False
    precision: Precision | Literal["auto"] = "auto"
    engine: Annotated[Engine | Literal["auto"], Field(exclude_if=_is_auto)] = "auto"
    device: Annotated[Device | Literal["auto"], Field(exclude_if=_is_auto)] = "auto"
    apart: Annotated[bool, Field(exclude_if=_is_false)] = False
    pretraining: Annotated[Pretraining | None, Field(exclude_if=_is_none)] = None
    tuned_on: Annotated[tuple[Tuned, ...], Field(exclude_if=_is_empty)] = ()

    @model_validator(mode="after")
    def _fused_on_cpu(self) -> Recipe:
        if self.engine == "fused" and self.device == "cuda":
            raise ValueError("engine fused runs on a CPU: set training.engine=plain")
        return self

    def resolved(self) -> Recipe:
        """The recipe with every ``auto`` replaced by what suits this machine.

        Whoever shares work between machines resolves once and passes the result on, so that all
        of them compute alike.
        """
        if "auto" not in (self.precision, self.engine, self.device):
            return self
        gpu = self.device == "cuda" or (
            self.device == "auto" and self.engine != "fused" and _finds_gpu()
        )
        found: dict[str, str] = {
            "device": "cuda" if gpu else "cpu",
            "engine": "plain" if gpu else "fused",
            "precision": "bfloat16" if _multiplies_bfloat16(gpu) else "float32",
        }
        chosen = {name: value for name, value in found.items() if getattr(self, name) == "auto"}
        return self.model_copy(update=chosen)

    def steps(self, images: int, epochs: int) -> tuple[int, int]:
        """Batches an epoch and steps in all.

        Args:
            images: Number of training images.
            epochs: Passes over them.
        """
        batches = max(1, images // self.batch_size)
        return batches, batches * epochs

    def first_averaged(self, steps: int) -> int:
        """Index of the first step, of ``steps``, after which the weights are averaged."""
        return steps - math.ceil(self.average * steps)


def _finds_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _multiplies_bfloat16(gpu: bool) -> bool:
    """Whether there are instructions for bfloat16 products; emulation is slower than float32."""
    import torch

    if gpu:
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    describe = getattr(torch.cpu, "get_capabilities", None)
    if describe is None:
        return False
    return any(present for name, present in describe().items() if name in _BFLOAT16)


_BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16", "sve_bf16", "bf16"})
