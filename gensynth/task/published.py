"""Published figures that a figure or a table may show beside measured ones, never among them.

The one place for them: every figure with the source that it is copied from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """What is published of one network.

    Attributes:
        name: What it is called.
        params: Number of parameters, as precisely as it is given.
        accuracy: On CK+ with 7 classes and 10 folds by subject, unless ``note`` says otherwise;
            None where there is none on CK+.
        source: Where both figures are from.
        prototype: The network among the prototypes; None where its layers are not published.
        note: What has to be known to compare it with what is measured here.
    """

    name: str
    params: int
    accuracy: float | None
    source: str
    prototype: str | None = None
    note: str = ""

    @property
    def percent(self) -> float:
        """The accuracy in percent; NaN, which no figure shows, where there is none."""
        return math.nan if self.accuracy is None else 100 * self.accuracy


METRIC = "accuracy"
"""What the figures are of, as a task names it; tasks without it compare with nothing here."""

SOURCE = "Lee, Wang, Wong 2021, Front. Artif. Intell. 3:609673, Table 1"
MICRO_EXPNET = "Çuğu, Şener, Akbaş 2017, arXiv:1711.07011"
AFFECT = "Hewitt, Gunes 2018, arXiv:1807.08775"
RESNET = "He, Zhang, Ren, Sun 2016, arXiv:1512.03385"

PUBLISHED = (
    Published("EmotionNet Nano-A", 232_000, 0.976, SOURCE),
    Published(
        "EmotionNet Nano-B",
        136_000,
        0.927,
        SOURCE,
        prototype="emotionnet_nano_b",
        note="layers read off the paper's Figure 1",
    ),
)
"""The networks of the paper that gensynth follows."""

TABLE_1 = (
    Published("Ouellet 2014", 58_000_000, 0.944, SOURCE),
    Published("Feng and Ren 2018", 332_000_000, 0.923, SOURCE),
    Published(
        "Wang and Gong 2019 (improved LeNet-5)",
        5_400_000,
        0.972,
        SOURCE,
        prototype="lenet5_improved",
        note="layers assumed, to give the published size",
    ),
    Published("Otberdout et al. 2019", 11_000_000, 0.984, SOURCE),
    Published("MobileNetV1", 3_230_000, 0.746, SOURCE, prototype="mobilenet_v1"),
    Published("EfficientNetB0", 4_060_000, 0.759, SOURCE, prototype="efficientnet_b0"),
    Published("ResNet50", 23_600_000, 0.834, SOURCE, prototype="resnet50"),
    *PUBLISHED,
)
"""All rows of the paper's table."""

OTHERS = (
    Published(
        "MicroExpNet",
        65_000,
        0.848,
        MICRO_EXPNET,
        prototype="micro_expnet",
        note="published of 8 classes, with neutral",
    ),
    Published(
        "AlexNet variant for mobile affect",
        3_464_952,
        None,
        AFFECT,
        prototype="affect_alexnet",
        note="published on AffectNet, in colour",
    ),
    Published(
        "VGG variant for mobile affect",
        3_753_016,
        None,
        AFFECT,
        prototype="affect_vgg",
        note="published on AffectNet, in colour",
    ),
    Published(
        "ResNet-20",
        270_000,
        None,
        RESNET,
        prototype="resnet20",
        note="published on CIFAR-10",
    ),
)
"""Small networks of other papers that belong beside them."""
