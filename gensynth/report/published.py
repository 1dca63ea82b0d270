"""Published figures that a figure may show beside measured ones, never among them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One published network: CK+, 7 classes, 10 folds by subject."""

    name: str
    params: int
    accuracy: float


SOURCE = "Lee, Wang, Wong 2021, Front. Artif. Intell. 3:609673, Table 1"

PUBLISHED = (
    Published("EmotionNet Nano-A", 232_000, 0.976),
    Published("EmotionNet Nano-B", 136_000, 0.927),
)
