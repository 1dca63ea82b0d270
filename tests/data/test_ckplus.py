from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gensynth.data import EMOTIONS, CKPlusConfig, DataError, SyntheticConfig, load, write_ckplus
from tests.data.layouts import add_sequence, gray


def test_synthetic_faces_survive_ckplus_own_layout(few: SyntheticConfig, written: Path):
    drawn, read = load(few), load(CKPlusConfig(root=written))
    assert read.name == "ckplus"
    assert not read.synthetic
    assert read.classes == drawn.classes
    assert read.labels.tolist() == drawn.labels.tolist()
    assert read.subjects is not None
    assert drawn.subjects is not None
    assert read.subjects.tolist() == drawn.subjects.tolist()
    assert read.sequences.tolist() == drawn.sequences.tolist()
    likeness = np.array(
        [
            [np.corrcoef(a.ravel(), b.ravel())[0, 1] for b in drawn.images[::3]]
            for a in read.images[::3]
        ]
    )
    assert np.diag(likeness).min() > 0.5
    assert (np.diag(likeness) > likeness.mean(axis=1) + 0.1).all()


def test_neutral_first_frames_are_an_eighth_class(few: SyntheticConfig, written: Path):
    read = load(CKPlusConfig(root=written, neutral=True, frames=1))
    drawn = load(few.model_copy(update={"neutral": True, "frames": 1}))
    assert read.classes == ("neutral", *EMOTIONS)
    assert read.labels.tolist() == drawn.labels.tolist()
    assert read.class_counts["neutral"] == len(read) // 2
    assert drawn.class_counts["neutral"] == len(drawn) // 2


def test_the_landmark_crop_is_nearer_to_the_face_than_the_centre_crop(
    few: SyntheticConfig, written: Path
):
    drawn = load(few).images.reshape(-1, 48 * 48).astype(float)
    by_landmarks = load(CKPlusConfig(root=written))
    marks = written / "Landmarks"
    hidden = marks.rename(written / "hidden")
    try:
        by_center = load(CKPlusConfig(root=written))
    finally:
        hidden.rename(marks)

    def likeness(images: np.ndarray) -> float:
        rows = images.reshape(-1, 48 * 48).astype(float)
        return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(rows, drawn, strict=True)]))

    assert likeness(by_landmarks.images) > likeness(by_center.images) + 0.05
    assert by_center.labels.tolist() == by_landmarks.labels.tolist()


def test_frames_size_and_colour_are_as_asked(small_ckplus: Path):
    dataset = load(CKPlusConfig(root=small_ckplus, frames=2, size=24, channels=3))
    assert dataset.images.shape == (14, 3, 24, 24)
    assert dataset.sequences.tolist()[:2] == ["S001_001", "S001_001"]


def test_other_ways_of_unpacking_are_found(small_ckplus: Path):
    before = load(CKPlusConfig(root=small_ckplus))
    outer = small_ckplus / "Emotion_labels"
    outer.mkdir()
    (small_ckplus / "Emotion").rename(outer / "Emotion")
    outer = small_ckplus / "extended-cohn-kanade-images"
    outer.mkdir()
    (small_ckplus / "cohn-kanade-images").rename(outer / "cohn-kanade-images")
    assert (load(CKPlusConfig(root=small_ckplus)).images == before.images).all()


def test_unlabelled_sequences_neutral_labels_and_hidden_files_are_left_out(small_ckplus: Path):
    before = load(CKPlusConfig(root=small_ckplus))
    add_sequence(small_ckplus, subject="S001", number="002", label=None)
    add_sequence(small_ckplus, subject="S001", number="003", label="0.0")
    (small_ckplus / "cohn-kanade-images" / "S002" / "001" / ".DS_Store").write_bytes(b"\0")
    (small_ckplus / "cohn-kanade-images" / "S002" / "001" / "._a.png").write_bytes(b"\0")
    (small_ckplus / "Emotion" / ".DS_Store").write_bytes(b"\0")
    after = load(CKPlusConfig(root=small_ckplus))
    assert after.sequences.tolist() == before.sequences.tolist()
    with_neutral = load(CKPlusConfig(root=small_ckplus, neutral=True))
    assert with_neutral.class_counts["neutral"] == 7 + 4


def test_a_missing_part_is_named(small_ckplus: Path):
    (small_ckplus / "Emotion").rename(small_ckplus / "emotions")
    with pytest.raises(DataError, match="folder 'Emotion' is missing"):
        load(CKPlusConfig(root=small_ckplus))


def test_a_class_that_nobody_shows_is_named(small_ckplus: Path):
    for path in (small_ckplus / "Emotion" / "S004" / "001").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="no labelled sequence shows 'fear'"):
        load(CKPlusConfig(root=small_ckplus))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("   8.0000000e+00", "unknown label code '8"),
        ("2.5", "unknown label code '2.5'"),
        ("-1", "unknown label code"),
        ("nan", "unknown label code"),
        ("1 2", "unknown label code '1 2'"),
        ("", "unknown label code"),
        ("happy", "cannot be read as a label code"),
        ("\u00e9", "cannot be read as a label code"),
    ],
)
def test_a_bad_label_is_one_line_that_names_the_file(small_ckplus: Path, text: str, message: str):
    path = small_ckplus / "Emotion" / "S004" / "001" / "S004_001_00000004_emotion.txt"
    path.write_text(text, encoding="utf-8")
    expect_fault(small_ckplus, message, where=path)


def test_two_labels_for_one_sequence_are_refused(small_ckplus: Path):
    folder = small_ckplus / "Emotion" / "S004" / "001"
    (folder / "S004_001_00000003_emotion.txt").write_text("4")
    expect_fault(small_ckplus, "2 label files", where=folder)


def test_missing_frames_are_named(small_ckplus: Path):
    folder = small_ckplus / "cohn-kanade-images" / "S004" / "001"
    folder.rename(folder.with_name("009"))
    expect_fault(small_ckplus, "frames of a labelled sequence are missing", where=folder)


def test_a_sequence_that_is_too_short_is_named(small_ckplus: Path):
    expect_fault(small_ckplus, "S001/001 has 4 frames and 5", where=small_ckplus, frames=5)
    expect_fault(small_ckplus, "has 4 frames and 5", where=small_ckplus, frames=4, neutral=True)


def test_a_frame_with_another_name_is_refused(small_ckplus: Path):
    path = small_ckplus / "cohn-kanade-images" / "S004" / "001" / "peak.png"
    gray(seed=0).save(path)
    expect_fault(small_ckplus, "not called like a CK", where=path)


def test_a_broken_frame_is_named(small_ckplus: Path):
    path = small_ckplus / "cohn-kanade-images" / "S004" / "001" / "S004_001_00000003.png"
    path.write_bytes(path.read_bytes()[:100])
    expect_fault(small_ckplus, "cannot be read as an image", where=path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2\n" * 67, "68 rows of x and y are needed"),
        ("1 nan\n" * 68, "68 rows of x and y are needed"),
        ("1 2\n" * 68, "all landmarks coincide"),
        ("x y\n" * 68, "cannot be read as 68 rows"),
    ],
)
def test_bad_landmarks_are_one_line_that_names_the_file(
    small_ckplus: Path, text: str, message: str
):
    folder = small_ckplus / "Landmarks" / "S004" / "001"
    folder.mkdir(parents=True)
    path = folder / "S004_001_00000003_landmarks.txt"
    path.write_text(text)
    expect_fault(small_ckplus, message, where=path)


def test_landmarks_cut_the_face_out(small_ckplus: Path):
    frame = small_ckplus / "cohn-kanade-images" / "S001" / "001" / "S001_001_00000004.png"
    image = gray(seed=1, width=80, height=60)
    image.paste(255, (40, 20, 60, 40))
    image.save(frame)
    corners = [(40, 20), (60, 40), (40, 40), (60, 20)] * 17
    folder = small_ckplus / "Landmarks" / "S001" / "001"
    folder.mkdir(parents=True)
    text = "".join(f"   {x:.7e}   {y:.7e}\n" for x, y in corners)
    (folder / f"{frame.stem}_landmarks.txt").write_text(text)
    tight = load(CKPlusConfig(root=small_ckplus, margin=0, frames=1, size=20))
    assert (tight.images[0] == 255).all()
    wide = load(CKPlusConfig(root=small_ckplus, margin=0.5, frames=1, size=20))
    assert 0.15 < (wide.images[0] == 255).mean() < 0.3


def test_a_short_sequence_or_a_used_folder_is_not_written(few: SyntheticConfig, written: Path):
    with pytest.raises(ValueError, match="at least 4"):
        write_ckplus(few, written / "new", frames=3)
    with pytest.raises(DataError, match="not empty"):
        write_ckplus(few, written)


def expect_fault(
    root: Path, message: str, *, where: Path, frames: int = 3, neutral: bool = False
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(CKPlusConfig(root=root, frames=frames, neutral=neutral))
    assert str(caught.value).startswith(f"{where}: ")
    assert "; " in str(caught.value)
    assert "\n" not in str(caught.value)
