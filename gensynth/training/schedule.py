"""Courses of the learning rate over a training, of whatever length it is."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class OneCycle(BaseModel):
    """Rises linearly, then falls along half a cosine (after Smith and Topin 2018).

    Attributes:
        warmup: Share of the training in which the rate rises.
        start: Share of the peak rate at the beginning.
        end: Share of the peak rate at the end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["one_cycle"] = "one_cycle"
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.2
    start: Share = 0.05
    end: Share = 0.0

    def factor(self, progress: float) -> float:
        """What the peak rate is multiplied by.

        Args:
            progress: Share of the training that is over, from 0 up to but not including 1.
        """
        if progress < self.warmup:
            return self.start + (1 - self.start) * progress / self.warmup
        falling = (progress - self.warmup) / (1 - self.warmup)
        return self.end + (1 - self.end) * (1 + math.cos(math.pi * falling)) / 2


class Milestone(BaseModel):
    """From the given epoch on (counted from 1), the rate is multiplied by ``factor``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: Annotated[int, Field(ge=1)]
    factor: Share


class Steps(BaseModel):
    """Piecewise constant; stretched or squeezed in proportion to the epochs that are asked for.

    Attributes:
        epochs: Length of the training that the milestones are written for.
        milestones: Where the rate changes, in order. Factors are relative to the first rate, not
            to the one before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["steps"] = "steps"
    epochs: Annotated[int, Field(ge=1)]
    milestones: tuple[Milestone, ...]

    @model_validator(mode="after")
    def _in_order(self) -> Steps:
        epochs = [milestone.epoch for milestone in self.milestones]
        if epochs != sorted(set(epochs)) or (epochs and epochs[-1] > self.epochs):
            raise ValueError(f"milestones must rise and lie within the {self.epochs} epochs")
        return self

    def factor(self, progress: float) -> float:
        """What the first rate is multiplied by.

        Args:
            progress: Share of the training that is over, from 0 up to but not including 1.
        """
        passed = [m.factor for m in self.milestones if progress >= (m.epoch - 1) / self.epochs]
        return passed[-1] if passed else 1.0


Schedule = OneCycle | Steps
