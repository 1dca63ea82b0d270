"""An operation: channels of groups, dealt out in turn (ShuffleNet: Zhang, Zhou, Lin, Sun 2018)."""

from collections.abc import Sequence
from typing import Literal

from torch import nn

from gensynth.genome import OPERATIONS, Count, Shape, ShapeError, Weightless


@OPERATIONS.register
class ChannelShuffle(Weightless):
    """Deals the channels of so many groups out in turn."""

    op: Literal["channel_shuffle"] = "channel_shuffle"
    groups: Count

    def infer(self, shapes: Sequence[Shape]) -> Shape:
        if len(shapes[0]) != 3 or shapes[0][0] % self.groups:
            raise ShapeError(f"channel_shuffle cannot deal out {shapes[0]} by {self.groups} groups")
        return shapes[0]

    def module(self, shapes: Sequence[Shape]) -> nn.Module:
        return nn.ChannelShuffle(self.groups)
