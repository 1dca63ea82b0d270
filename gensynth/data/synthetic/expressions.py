"""Expressions as FACS action units: which muscles move, how far, and how people differ in it.

The table follows the emotion prediction table of Lucey et al. 2010 ("The Extended Cohn-Kanade
Dataset (CK+)", table 1 and 2) and the prototypes of the FACS Investigator's Guide (Ekman, Friesen,
Hager 2002): anger has AU23 or AU24, contempt AU14, disgust AU9 or AU10, fear AU1+2+4, happy AU12,
sadness AU1+4+15, surprise AU1+2 with AU5 or a dropped jaw. Amplitudes are ours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gensynth.data.dataset import NEUTRAL

ACTION_UNITS: tuple[str, ...] = (
    "AU1",
    "AU2",
    "AU4",
    "AU5",
    "AU6",
    "AU7",
    "AU9",
    "AU10",
    "AU12L",
    "AU12R",
    "AU14L",
    "AU14R",
    "AU15",
    "AU17",
    "AU20",
    "AU23",
    "AU24",
    "AU25",
    "AU26",
)
"""Drawn action units: L and R are the sides of one that can act alone; AU26 stands for AU27 too."""

Amplitudes = Mapping[str, float]

SQRT_3 = 1.7320508075688772

VARIANTS: dict[str, tuple[Amplitudes, ...]] = {
    NEUTRAL: ({},),
    "anger": (
        {"AU4": 0.85, "AU5": 0.3, "AU7": 0.7, "AU17": 0.4, "AU23": 0.8},
        {"AU4": 0.75, "AU7": 0.5, "AU17": 0.6, "AU24": 0.9},
        {"AU4": 0.8, "AU5": 0.5, "AU7": 0.4, "AU10": 0.25, "AU23": 0.6, "AU25": 0.35},
    ),
    "contempt": (
        {"AU14L": 1.0, "AU12L": 0.6},
        {"AU14R": 1.0, "AU12R": 0.6},
        {"AU14L": 1.0, "AU14R": 0.35, "AU12L": 0.5, "AU24": 0.4},
    ),
    "disgust": (
        {"AU9": 1.0, "AU4": 0.45, "AU7": 0.7, "AU17": 0.35},
        {"AU10": 1.0, "AU4": 0.3, "AU9": 0.45, "AU7": 0.5, "AU25": 0.6},
        {"AU9": 0.9, "AU10": 0.7, "AU6": 0.4, "AU4": 0.5, "AU25": 0.4},
    ),
    "fear": (
        {"AU1": 0.9, "AU2": 0.5, "AU4": 0.6, "AU5": 0.7, "AU20": 0.95, "AU25": 0.8},
        {"AU1": 0.9, "AU2": 0.6, "AU4": 0.5, "AU5": 0.9, "AU20": 0.75, "AU25": 0.7, "AU26": 0.2},
    ),
    "happy": (
        {"AU12L": 0.9, "AU12R": 0.9, "AU6": 0.7, "AU25": 0.8},
        {"AU12L": 0.8, "AU12R": 0.8, "AU6": 0.5},
        {"AU12L": 0.9, "AU12R": 0.9, "AU6": 0.8, "AU25": 0.7, "AU26": 0.3},
    ),
    "sadness": (
        {"AU1": 0.75, "AU4": 0.55, "AU15": 0.85, "AU17": 0.5},
        {"AU1": 0.5, "AU4": 0.4, "AU15": 0.9, "AU17": 0.7, "AU7": 0.2},
        {"AU1": 0.8, "AU4": 0.6, "AU15": 0.6, "AU25": 0.15},
    ),
    "surprise": (
        {"AU1": 0.9, "AU2": 0.9, "AU5": 0.6, "AU25": 0.6, "AU26": 0.9},
        {"AU1": 0.8, "AU2": 0.8, "AU5": 0.7, "AU25": 0.5, "AU26": 0.55},
        {"AU1": 0.9, "AU2": 0.9, "AU5": 0.5, "AU25": 0.4, "AU26": 0.2},
    ),
}
"""Ways to show each class, drawn with equal chance: peak amplitude of each unit, 0 to about 1."""


AFFECT: dict[str, tuple[float, float]] = {
    "AU1": (-0.04, -0.08),
    "AU2": (0.24, 0.56),
    "AU4": (-0.55, 0.18),
    "AU5": (0.0, 0.25),
    "AU6": (0.31, 0.04),
    "AU7": (-0.02, 0.09),
    "AU9": (-0.16, 0.05),
    "AU10": (-0.16, 0.14),
    "AU12": (0.44, 0.34),
    "AU14": (-0.8, 0.04),
    "AU15": (-0.15, -0.49),
    "AU17": (-0.14, 0.17),
    "AU20": (-0.17, -0.07),
    "AU23": (0.24, 0.1),
    "AU24": (0.18, 0.14),
    "AU25": (-0.09, -0.01),
    "AU26": (0.0, -0.02),
}
"""What an amplitude of 1 adds to valence and arousal; AU12 and AU14 are the means of their sides.

Fitted by least squares (ridge 0.05) to the variants above at the expressiveness that is usual here,
so that classes lie where the circumplex of affect has them (Russell 1980): happy about 0.8 and
0.45, surprise 0.2 and 0.8, fear -0.6 and 0.65, anger -0.5 and 0.6, disgust -0.65 and 0.35, contempt
-0.4 and 0.2, sadness -0.7 and -0.4. Within a class they differ with the movements of a face.
"""


def affect(units: NDArray[np.float64]) -> tuple[float, float]:
    """Valence and arousal of a face, each from -1 to 1.

    Args:
        units: How far each of ``ACTION_UNITS`` has moved from rest.
    """
    valence = arousal = 0.0
    for name, amplitude in zip(ACTION_UNITS, units.tolist(), strict=True):
        share = 0.5 if name[-1] in "LR" else 1.0
        pleasant, aroused = AFFECT[name.rstrip("LR")]
        valence += share * pleasant * amplitude
        arousal += share * aroused * amplitude
    return max(-1.0, min(1.0, valence)), max(-1.0, min(1.0, arousal))


def bells(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Draw values of mean 0 and variance 1 from a bell shape bounded at about 3.46.

    Sums of four uniform numbers (Irwin-Hall), because a uniform draw is the same to the bit on
    every machine where a normal one leans on the logarithm of its maths library.
    """
    parts = rng.random((4, count))
    values: NDArray[np.float64] = (parts[0] + parts[1] + parts[2] + parts[3] - 2.0) * SQRT_3
    return values


def peak(
    rng: np.random.Generator, emotion: str, *, expressiveness: float, spread: float, stray: float
) -> NDArray[np.float64]:
    """Draw the action units at the peak of one sequence.

    Args:
        rng: Source of chance.
        emotion: One of the keys of ``VARIANTS``.
        expressiveness: Factor on every amplitude: below 1 the expression is subtle.
        spread: Relative standard deviation of single amplitudes.
        stray: Mean amplitude of movements that do not belong to the expression.

    Returns:
        Amplitudes in the order of ``ACTION_UNITS``, each from 0 to 1.25.
    """
    variants = VARIANTS[emotion]
    chosen = variants[int(rng.integers(len(variants)))]
    own = np.array([chosen.get(unit, 0.0) for unit in ACTION_UNITS])
    factor = np.clip(1.0 + spread * bells(rng, len(ACTION_UNITS)), 0.15, 1.6)
    strays = np.clip(bells(rng, len(ACTION_UNITS)), 0.0, None) * (stray * 2.0)
    return np.clip(own * factor * expressiveness + strays, 0.0, 1.25)
