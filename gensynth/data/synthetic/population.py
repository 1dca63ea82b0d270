"""Who is drawn, showing what: as many subjects, sequences and classes as CK+ has labelled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gensynth.data.dataset import EMOTIONS, NEUTRAL
from gensynth.data.synthetic.expressions import ACTION_UNITS, affect, bells, peak
from gensynth.data.synthetic.traits import IDENTITY, PICTURE, TURNS

SEQUENCES_OF_CLASS = dict(zip(EMOTIONS, (45, 18, 59, 25, 69, 28, 83), strict=True))
"""Labelled sequences of each class in CK+ (Lucey et al. 2010)."""

SUBJECTS_WITH = {1: 21, 2: 22, 3: 47, 4: 20, 5: 7, 6: 1}
"""How many of the 118 labelled subjects of CK+ have so many labelled sequences."""

SUBJECTS = sum(SUBJECTS_WITH.values())

EXPRESSIVENESS = (1.42, 0.09)
"""Mean and standard deviation over subjects of the factor on all their movements."""

SUBTLETY_SPREAD = 0.06
"""Standard deviation of that factor over the sequences of one subject."""

UNIT_SPREAD = 0.11
"""Standard deviation of the factor on a single action unit."""

STRAY = 0.02
"""Amplitude of movements at the peak that do not belong to the expression."""

HABIT = 0.04
"""Standard deviation over subjects of the action units of a face at rest."""

APPROACH = (1.0, 0.95, 0.88)
"""Share of the peak shown by the last frame, the one before it and the one before that."""

SAME_SITTING = 0.8
"""Weight of the subject's sitting, beside the sequence's own luck, in how a picture is taken."""


@dataclass(frozen=True)
class Sequence:
    """One drawn sequence, from a neutral face to the peak of an expression.

    Args:
        subject: Subject ID, ``S001`` and on.
        number: Sequence number within the subject, ``001`` and on.
        emotion: Class shown at the peak.
        traits: Values of ``IDENTITY`` for the subject.
        picture: Values of ``PICTURE`` at the peak.
        rest: Action units of the subject's neutral face.
        peak: Action units at the peak.
        seed: Entropy of the sequence, for what varies from frame to frame.
    """

    subject: str
    number: str
    emotion: str
    traits: NDArray[np.float64]
    picture: NDArray[np.float64]
    rest: NDArray[np.float64]
    peak: NDArray[np.float64]
    seed: tuple[int, ...]

    @property
    def name(self) -> str:
        """Sequence ID as in CK+: subject and number."""
        return f"{self.subject}_{self.number}"


def stream(*entropy: int) -> np.random.Generator:
    """Generator of its own for each purpose, so that no draw depends on another's number."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def cast(seed: int) -> tuple[tuple[str, ...], ...]:
    """Deal CK+'s 327 sequences to its 118 subjects: the classes that each subject shows.

    Every subject shows a class at most once, as in CK+. Cards are dealt at random, then a card
    that somebody already holds is swapped with a random other one until nobody holds two alike.
    """
    rng = stream(seed, 0)
    sizes = [size for size, count in SUBJECTS_WITH.items() for _ in range(count)]
    order = rng.permutation(np.repeat(np.arange(SUBJECTS), rng.permutation(np.array(sizes))))
    holder = np.sort(order)
    cards = rng.permutation(np.repeat(np.arange(len(EMOTIONS)), list(SEQUENCES_OF_CLASS.values())))
    while True:
        keys = holder * len(EMOTIONS) + cards
        _, first = np.unique(keys, return_index=True)
        twice = np.setdiff1d(np.arange(len(cards)), first)
        if len(twice) == 0:
            break
        for card in twice:
            other = int(rng.integers(len(cards)))
            cards[card], cards[other] = cards[other], cards[card]
    return tuple(
        tuple(EMOTIONS[card] for card in sorted(cards[holder == subject]))
        for subject in range(SUBJECTS)
    )


def sequences(seed: int, subjects: int = SUBJECTS) -> Iterator[Sequence]:
    """Draw the sequences of the first ``subjects`` subjects.

    A subject is the same however many others are drawn.

    Args:
        seed: Seed of the whole population.
        subjects: Number of subjects, 1 to 118.
    """
    for subject, shown in enumerate(cast(seed)[:subjects]):
        rng = stream(seed, 1, subject)
        traits = _draw(rng, IDENTITY)
        sitting = bells(rng, len(PICTURE))
        mean, spread = EXPRESSIVENESS
        expressiveness = mean + spread * float(bells(rng, 1)[0])
        habit = bells(rng, len(ACTION_UNITS)) * HABIT
        for number, emotion in enumerate(shown, start=1):
            entropy = (seed, 2, subject, number)
            own = stream(*entropy)
            subtlety = 1.0 + SUBTLETY_SPREAD * float(bells(own, 1)[0])
            movement = peak(
                own,
                emotion,
                expressiveness=max(expressiveness * subtlety, 0.25),
                spread=UNIT_SPREAD,
                stray=STRAY,
            )
            rest = np.clip(habit, -0.25, 0.3)
            yield Sequence(
                subject=f"S{subject + 1:03d}",
                number=f"{number:03d}",
                emotion=emotion,
                traits=traits,
                picture=_picture(own, sitting),
                rest=rest,
                peak=movement,
                seed=entropy,
            )


def _draw(rng: np.random.Generator, table: dict[str, tuple[float, float]]) -> NDArray[np.float64]:
    means, spreads = np.array(list(table.values())).T
    values: NDArray[np.float64] = means + spreads * bells(rng, len(table))
    return values


def _picture(rng: np.random.Generator, sitting: NDArray[np.float64]) -> NDArray[np.float64]:
    """Circumstances of a sequence: mostly those of the subject's sitting, partly its own."""
    means, spreads = np.array(list(PICTURE.values())).T
    own = (1.0 - SAME_SITTING * SAME_SITTING) ** 0.5
    mixed: NDArray[np.float64] = SAME_SITTING * sitting + own * bells(rng, len(PICTURE))
    values: NDArray[np.float64] = means + spreads * mixed
    return values


@dataclass(frozen=True)
class Frame:
    """One picture of a sequence: its action units and circumstances.

    Args:
        sequence: The sequence that it belongs to.
        units: Values of ``ACTION_UNITS``.
        picture: Values of ``PICTURE``.
        seed: Entropy of its sensor noise.
    """

    sequence: Sequence
    units: NDArray[np.float64]
    picture: NDArray[np.float64]
    seed: tuple[int, ...]

    @property
    def intensity(self) -> float:
        """How far the face has moved from rest: the Euclidean length of its action units."""
        return float(np.linalg.norm(self.units - self.sequence.rest))

    @property
    def affect(self) -> tuple[float, float]:
        """Valence and arousal, by how far the face has moved from rest."""
        return affect(self.units - self.sequence.rest)

    def turned(self, factor: float) -> Frame:
        """The same picture with the head turned so many times as far."""
        factors = np.array([factor if name in TURNS else 1.0 for name in PICTURE])
        return replace(self, picture=self.picture * factors)


def frame(sequence: Sequence, *, before_peak: int, onset: int | None = None) -> Frame:
    """Picture taken so many frames before the last, the peak.

    The last three frames are near the peak; before them the face moves evenly from neutral.

    Args:
        sequence: The sequence.
        before_peak: 0 for the peak itself.
        onset: ``before_peak`` of the neutral first frame, above 2; ``None`` for a frame that is
            one of the last three.
    """
    if before_peak < len(APPROACH):
        intensity = APPROACH[before_peak]
    elif onset is None or before_peak > onset:
        raise ValueError("a frame before the last three needs the onset, at or before it")
    else:
        start = len(APPROACH) - 1
        intensity = APPROACH[start] * (onset - before_peak) / max(onset - start, 1)
    entropy = (*sequence.seed, 3, before_peak)
    rng = stream(*entropy)
    spreads = np.array([spread for _, spread in PICTURE.values()])
    return Frame(
        sequence=sequence,
        units=sequence.rest + intensity * sequence.peak,
        picture=sequence.picture + 0.08 * spreads * bells(rng, len(PICTURE)),
        seed=(*entropy, 4),
    )


NEUTRAL_FRAME = 1000
"""``before_peak`` under which a neutral first frame is drawn, whatever the sequence's length."""


def neutral_frame(sequence: Sequence) -> Frame:
    """The first picture of a sequence, before anything moves."""
    return frame(sequence, before_peak=NEUTRAL_FRAME, onset=NEUTRAL_FRAME)


HALF, ONSET = 12, 22
"""``before_peak`` and ``onset`` of a frame half way between rest and what the last three show."""


def first_half(sequence: Sequence) -> Frame:
    """A picture of a sequence half way to the peak."""
    return frame(sequence, before_peak=HALF, onset=ONSET)


def class_names(*, neutral: bool) -> tuple[str, ...]:
    """Classes of a data set with or without neutral faces; with them, indices are CK+'s codes."""
    return (NEUTRAL, *EMOTIONS) if neutral else EMOTIONS
