from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.linear_model import RidgeClassifier

from gensynth.data import EMOTIONS, DataError, Dataset, SyntheticConfig, folds, load
from gensynth.data.synthetic.camera import columns
from gensynth.data.synthetic.landmarks import landmarks
from gensynth.data.synthetic.population import (
    SEQUENCES_OF_CLASS,
    SUBJECTS,
    SUBJECTS_WITH,
    cast,
    frame,
    neutral_frame,
    sequences,
)
from gensynth.data.synthetic.pose import from_features, from_head, grid, to_features, to_head

DIGEST = "1d859c6cd05fc226cf5903eb12dd9b1454e296c58e36284d4b1cc5b86fbe9556"


def digest(dataset: Dataset) -> str:
    return hashlib.sha256(dataset.images.tobytes() + dataset.labels.tobytes()).hexdigest()


def test_it_has_the_numbers_of_ckplus(synthetic: Dataset):
    assert synthetic.synthetic
    assert synthetic.images.shape == (981, 1, 48, 48)
    assert synthetic.classes == EMOTIONS
    assert synthetic.subjects is not None
    assert len(np.unique(synthetic.subjects)) == 118
    assert len(np.unique(synthetic.sequences)) == 327
    assert list(synthetic.class_counts.values()) == [135, 54, 177, 75, 207, 84, 249]
    assert len(folds(synthetic)) == 10


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_every_seed_deals_the_sequences_of_ckplus(seed: int):
    dealt = cast(seed)
    assert len(dealt) == SUBJECTS
    assert all(len(set(shown)) == len(shown) for shown in dealt)
    assert Counter(len(shown) for shown in dealt) == SUBJECTS_WITH
    assert Counter(emotion for shown in dealt for emotion in shown) == SEQUENCES_OF_CLASS


def test_the_default_faces_are_the_same_to_the_bit_everywhere(synthetic: Dataset):
    assert digest(synthetic) == DIGEST


def test_the_processor_changes_nothing(few: SyntheticConfig):
    program = (
        "import sys, hashlib; from gensynth.data import SyntheticConfig, load;"
        f"images = load(SyntheticConfig(seed={few.seed}, subjects={few.subjects})).images;"
        "print(hashlib.sha256(images.tobytes()).hexdigest())"
    )
    plain = {**os.environ, "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"}
    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env=plain,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert printed == [hashlib.sha256(load(few).images.tobytes()).hexdigest()]


def test_another_seed_draws_other_people_and_the_same_seed_the_same():
    one, again, other = (load(SyntheticConfig(seed=seed, size=16)) for seed in (3, 3, 4))
    assert np.array_equal(one.images, again.images)
    assert one.labels.tolist() == again.labels.tolist()
    assert one.labels.tolist() != other.labels.tolist()
    assert np.abs(one.images.astype(int) - other.images).mean() > 20


def test_a_subject_is_the_same_however_many_are_drawn(synthetic: Dataset):
    part = load(SyntheticConfig(subjects=60))
    assert np.array_equal(part.images, synthetic.images[: len(part)])
    assert part.sequences.tolist() == synthetic.sequences[: len(part)].tolist()


def test_frames_of_a_sequence_differ_less_than_sequences(synthetic: Dataset):
    faces = synthetic.images.reshape(327, 3, -1).astype(float)
    within = np.abs(faces[:, 0] - faces[:, 2]).mean()
    between = np.abs(faces[:-1, 2] - faces[1:, 2]).mean()
    assert 0 < within < between / 3


def test_a_neutral_face_comes_first_when_asked_for(few: SyntheticConfig):
    dataset = load(few.model_copy(update={"neutral": True, "frames": 2}))
    assert dataset.classes == ("neutral", *EMOTIONS)
    assert dataset.labels[::3].tolist() == [0] * (len(dataset) // 3)
    assert 0 not in dataset.labels[1::3]


def test_a_sequence_moves_steadily_from_neutral_to_the_peak(few: SyntheticConfig):
    for sequence in sequences(few.seed, few.subjects):
        shots = [frame(sequence, before_peak=step, onset=7) for step in reversed(range(8))]
        extent = [float(np.abs(shot.units - sequence.rest).sum()) for shot in shots]
        assert extent[0] == 0
        assert extent == sorted(extent)
        assert np.array_equal(neutral_frame(sequence).units, sequence.rest)
    with pytest.raises(ValueError, match="onset"):
        frame(sequence, before_peak=4)
    with pytest.raises(ValueError, match="onset"):
        frame(sequence, before_peak=6, onset=5)


@pytest.mark.parametrize(("size", "channels"), [(32, 1), (64, 3)])
def test_size_and_channels_are_as_asked(few: SyntheticConfig, size: int, channels: int):
    dataset = load(few.model_copy(update={"size": size, "channels": channels}))
    assert dataset.image_shape == (channels, size, size)
    assert (dataset.images == dataset.images[:, :1]).all()
    assert dataset.images.std(axis=(1, 2, 3)).min() > 10


def test_too_few_subjects_for_a_class_are_refused():
    with pytest.raises(DataError, match="none of the first 1 subjects shows"):
        load(SyntheticConfig(subjects=1))


@pytest.mark.parametrize(
    "wrong", [{"subjects": 119}, {"frames": 33}, {"seed": -1}, {"size": 4}, {"sized": 48}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, int]):
    with pytest.raises(ValidationError):
        SyntheticConfig.model_validate(wrong)


def test_features_can_be_found_again_in_the_picture(synthetic: Dataset):
    shots = [frame(sequence, before_peak=0) for sequence in sequences(0, 30)]
    face = columns(shots)
    x, y = grid(9, 9, pixels_per_unit=5.0, center_x=4.5, center_y=4.5)
    there = from_features(face, x, y)
    back = to_features(face, *to_head(face, *there))
    assert np.abs(back[0] - x).max() < 1e-3
    assert np.abs(back[1] - y).max() < 1e-3


def test_landmarks_lie_on_the_features_they_name(synthetic: Dataset):
    shots = [frame(sequence, before_peak=0) for sequence in sequences(0)]
    points = landmarks(columns(shots))
    assert points.shape == (327, 68, 2)
    pixels = np.clip(((points + 1) * 24).astype(int), 0, 47)
    peaks = synthetic.images[2::3, 0].astype(float)

    def tone(*indices: int) -> np.ndarray:
        at = np.clip(np.round(points[:, indices].mean(axis=1) * 24 + 23.5), 0, 47).astype(int)
        tones: np.ndarray = peaks[np.arange(len(peaks)), at[:, 1], at[:, 0]]
        return tones

    assert pixels[:, 8, 1].min() > 36
    eyes = (tone(36, 37, 38, 39, 40, 41) + tone(42, 43, 44, 45, 46, 47)) / 2
    assert (eyes < tone(28, 29)).mean() > 0.9
    assert (points[:, 39, 0] < points[:, 27, 0]).all()
    assert (points[:, 48, 0] < points[:, 54, 0]).all()
    assert (points[:, 51, 1] < points[:, 57, 1]).all()


def test_a_linear_model_beats_chance_and_stays_far_from_perfect(synthetic: Dataset):
    pixels = synthetic.images[:, 0, ::2, ::2].reshape(len(synthetic), -1) / 255.0
    right = total = 0
    for fold in folds(synthetic)[::3]:
        model = RidgeClassifier(alpha=100.0).fit(pixels[fold.train], synthetic.labels[fold.train])
        right += int((model.predict(pixels[fold.test]) == synthetic.labels[fold.test]).sum())
        total += len(fold.test)
    chance = 249 / 981
    assert chance + 0.15 < right / total < 0.75


def test_angles_are_those_of_the_drawing(few: SyntheticConfig):
    """A head's upright axis, and its middle in front of its outline, found again in the picture."""
    config = few.model_copy(update={"turns": 3.0})
    drawn = load(config)
    shots = [frame(one, before_peak=0).turned(3.0) for one in sequences(few.seed, few.subjects)]
    face = columns(shots)
    last = drawn.sequences != np.roll(drawn.sequences, -1)
    origin, up = (np.zeros((1, 1, 1), np.float32), np.full((1, 1, 1), -1, np.float32))
    x, y = from_head(face, origin, up)
    middle_x, middle_y = from_head(face, origin, origin)
    tilt = np.degrees(np.arctan2(x - middle_x, middle_y - y))[:, 0, 0]
    assert tilt == pytest.approx(drawn.numbers["roll"][last], abs=1e-3)
    nose_x, nose_y = from_features({**face, "roll": 0 * face["roll"]}, origin, origin)
    for found, shift, angle in ((nose_x, "shift_x", "yaw"), (nose_y, "shift_y", "pitch")):
        moved = ((found - face[shift]) / face["scale"])[:, 0, 0]
        depth = 1 - moved**2  # of the outline's curve where the middle of the face now is
        sine = np.sin(np.radians(drawn.numbers[angle][last]))
        assert moved == pytest.approx(sine * depth, abs=1e-3)


def test_turns_and_intensity_are_told_apart(few: SyntheticConfig):
    plain, turned = load(few), load(few.model_copy(update={"turns": 2.0}))
    assert np.array_equal(plain.numbers["intensity"], turned.numbers["intensity"])
    sines = [np.sin(np.radians(data.numbers["yaw"])) for data in (plain, turned)]
    assert sines[1] == pytest.approx(2 * sines[0])
    assert not np.array_equal(plain.images, turned.images)
    neutral = load(few.model_copy(update={"neutral": True}))
    at_rest = neutral.labels == 0
    assert neutral.numbers["intensity"][at_rest] == pytest.approx(0)
    assert neutral.numbers["intensity"][~at_rest].min() > 0.5
