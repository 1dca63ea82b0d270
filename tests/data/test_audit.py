"""What an audit finds: leaks that were planted, and nothing where nothing was."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gensynth.data import Dataset, Fold, SyntheticConfig, folds, load
from gensynth.data.audit import audit, broken, duplicates, hashes, parts_of, sharpness


@pytest.fixture(scope="module")
def drawn() -> Dataset:
    return load(SyntheticConfig(subjects=40, frames=1))


def also(
    dataset: Dataset, image: np.ndarray, subject: str, label: int, sequence: str = "planted"
) -> Dataset:
    """The data set and one image more."""
    assert dataset.subjects is not None
    return Dataset(
        name=dataset.name,
        images=np.concatenate([dataset.images, image[None].astype(np.uint8)]),
        labels=np.append(dataset.labels, label),
        classes=dataset.classes,
        subjects=np.append(dataset.subjects, subject),
        sequences=np.append(dataset.sequences, sequence),
    )


def recompressed(image: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image[0]).save(buffer, "JPEG", quality=60)
    return np.asarray(Image.open(buffer))[None]


def planted(drawn: Dataset) -> Dataset:
    """A mirrored and a recompressed copy by people of other folds, and one with a false label."""
    assert drawn.subjects is not None
    mirrored = also(drawn, drawn.images[3][:, :, ::-1], "S900", int(drawn.labels[3]))
    both = also(mirrored, recompressed(drawn.images[5]), "S901", int(drawn.labels[5]))
    wrong = (int(drawn.labels[7]) + 1) % len(drawn.classes)
    return also(both, drawn.images[7], str(drawn.subjects[7]), wrong, str(drawn.sequences[7]))


def test_planted_duplicates_are_found(drawn: Dataset):
    data = planted(drawn)
    count = len(drawn)
    found = {
        (one.first, one.second): one for one in duplicates(data, parts_of(len(data), folds(data)))
    }
    leak, lossy = found[3, count], found[5, count + 1]
    assert (leak.mirrored, lossy.mirrored) == (True, False)
    assert leak.across == (folds_of(data)[3] != folds_of(data)[count])
    label = found[7, count + 2]
    assert label.disagree
    assert label.sequence
    assert not label.across
    assert not leak.disagree


def folds_of(data: Dataset) -> np.ndarray:
    return parts_of(len(data), folds(data))


def test_people_apart_leak_nothing(drawn: Dataset):
    found = audit(drawn, folds(drawn))
    assert found.across == ()
    assert not found.unlike_parts
    assert found.people == 40
    figures = found.figures()
    assert figures["labels_disagree"] == figures["mirrored_across_parts"] == 0
    assert figures["balance"] == max(found.classes.values()) / min(found.classes.values())


def test_folds_by_image_have_everybody_in_several_parts():
    frames = load(SyntheticConfig(subjects=20, frames=3))
    assert frames.subjects is not None
    found = audit(frames, folds(frames, 4, by="image"))
    assert set(found.across) == set(frames.subjects)
    figures = found.figures()
    assert figures["duplicates_in_one_sequence"] > 0
    assert figures["duplicates_across_parts"] > 0
    apart = audit(frames, folds(frames, 4)).figures()
    assert apart["duplicates"] == figures["duplicates"]
    assert apart["duplicates_across_parts"] == 0


def test_a_part_that_is_blurred_shows(drawn: Dataset):
    from scipy.ndimage import gaussian_filter

    images = drawn.images.copy()
    half = len(images) // 2
    images[:half] = np.stack([gaussian_filter(image, (0, 3, 3)) for image in images[:half]])
    splits = np.array(half * ["train"] + (len(images) - half) * ["test"])
    data = Dataset(**{**vars(drawn), "images": images, "splits": splits})
    found = audit(data, folds(data, by="official"))
    assert found.unlike_parts
    assert found.sharpness["train"] < found.sharpness["test"] / 1.5


def test_sharpness_is_the_mean_step_between_neighbours():
    steps = np.zeros((1, 1, 2, 5), dtype=np.uint8)
    steps[..., 1::2] = 10
    assert sharpness(steps) == 10
    assert sharpness(np.repeat(steps // 5, 1200, axis=0)) == 2


def test_hashes_hardly_change_with_light_and_size(drawn: Dataset):
    gray = drawn.images[:, 0]
    darker = (gray * 0.8).astype(np.uint8)
    small = np.stack([np.asarray(Image.fromarray(one).resize((96, 96))) for one in gray])
    plain = hashes(gray)
    for other in (darker, small):
        assert np.median(np.bitwise_count(plain ^ hashes(other))) <= 4
    assert np.median(np.bitwise_count(plain[:, None] ^ plain)) > 10


def test_flat_pictures_are_one_only_if_they_are_the_same():
    images = np.repeat(np.array([3, 3, 200], dtype=np.uint8), 64).reshape(3, 1, 8, 8)
    data = Dataset(
        name="flat",
        images=np.ascontiguousarray(images),
        labels=np.zeros(3, dtype=np.int64),
        classes=("a",),
        subjects=None,
        sequences=np.array(["a", "b", "c"]),
    )
    parts = parts_of(3, [Fold(index=0, train=np.array([1, 2]), test=np.array([0]))])
    (only,) = duplicates(data, parts)
    assert (only.first, only.second, only.across, only.mirrored) == (0, 1, True, False)


def test_broken_files_are_listed(tmp_path: Path):
    Image.fromarray(np.zeros((4, 4), dtype=np.uint8)).save(tmp_path / "good.png")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "bad.jpg").write_bytes(b"nothing")
    (tmp_path / "notes.txt").write_text("nothing")
    assert broken(tmp_path) == (tmp_path / "deep" / "bad.jpg",)
