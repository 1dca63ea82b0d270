"""A task: classes, taught by the focal loss (Lin, Goyal, Girshick, He, Dollár 2017)."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn.functional import cross_entropy

from gensynth.task import TASKS, Classification, ClassObjective


@dataclass(frozen=True, kw_only=True)
class FocalObjective(ClassObjective):
    """Cross-entropy, less where the network is sure and right."""

    focus: float

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean of (1 - p)^focus times minus the logarithm of p."""
        surprise = cross_entropy(outputs, targets, reduction="none")
        return ((1 - (-surprise).exp()) ** self.focus * surprise).mean()


@TASKS.register
class Focal(Classification):
    """Judged as every classification is."""

    kind: Literal["focal"] = "focal"  # type: ignore[assignment]
    focus: float = 2.0

    def objective(self, targets: Tensor, *, smoothing: float = 0.0) -> FocalObjective:
        plain = super().objective(targets)
        return FocalObjective(prior=plain.prior, classes=plain.classes, focus=self.focus)
