"""Drawn faces with affect, in sequences, and in the layouts of data sets from the web."""

from pathlib import Path

import numpy as np
import pytest

from gensynth.data import (
    AffectNetConfig,
    CKPlusConfig,
    DataError,
    Dataset,
    FER2013Config,
    FERPlusConfig,
    RAFDBConfig,
    SyntheticConfig,
    folds,
    load,
    write_ckplus,
)
from gensynth.data.synthetic import wild
from gensynth.data.synthetic.expressions import ACTION_UNITS, affect

CONFIG = SyntheticConfig(subjects=40, neutral=True, frames=1)


@pytest.fixture(scope="module")
def drawn() -> Dataset:
    return load(CONFIG)


def of_class(dataset: Dataset, name: str) -> np.ndarray:
    mine: np.ndarray = dataset.labels == dataset.classes.index(name)
    return mine


def test_classes_lie_where_the_circumplex_has_them(drawn: Dataset):
    centre = {
        name: tuple(float(drawn.numbers[key][of_class(drawn, name)].mean()) for key in AFFECT)
        for name in drawn.classes
    }
    assert centre["happy"][0] > 0.6
    assert centre["surprise"][1] > 0.6
    assert centre["sadness"][0] < -0.4
    assert centre["sadness"][1] < -0.2
    for name in ("anger", "fear", "disgust", "contempt"):
        assert centre[name][0] < -0.2
        assert centre[name][1] > 0.05
    assert np.abs(centre["neutral"]).max() < 0.1
    for key in AFFECT:
        values = drawn.numbers[key]
        assert np.abs(values).max() <= 1
        assert len(np.unique(values)) > 0.5 * len(values)


AFFECT = ("valence", "arousal")


def test_affect_is_that_of_the_movements():
    still = np.zeros(len(ACTION_UNITS))
    assert affect(still) == (0, 0)
    smile = still.copy()
    smile[[ACTION_UNITS.index("AU12L"), ACTION_UNITS.index("AU12R")]] = 1
    assert affect(smile) == pytest.approx((0.44, 0.34))
    half = still.copy()
    half[ACTION_UNITS.index("AU12L")] = 1
    assert affect(half) == pytest.approx((0.22, 0.17))
    assert affect(4 * smile) == (1, 1)


def test_long_sequences_run_from_rest_to_the_peak():
    long = load(SyntheticConfig(subjects=40, frames=8, size=16))
    short = load(SyntheticConfig(subjects=40, frames=3, size=16))
    moved = long.numbers["intensity"].reshape(-1, 8)
    assert moved[:, 0] == pytest.approx(0, abs=1e-9)
    assert (np.diff(moved, axis=1) > 0).all()
    assert np.array_equal(
        long.images.reshape(-1, 8, 1, 16, 16)[:, -3:].reshape(-1, 1, 16, 16), short.images
    )
    assert np.array_equal(long.sequences[::8], short.sequences[::3])


def known(dataset: Dataset, classes: tuple[str, ...]) -> list[tuple[str, int]]:
    """Class and mean gray of each image, sorted; of classes that a layout has."""
    found = [
        (dataset.classes[label], round(float(image.mean())))
        for label, image in zip(dataset.labels, dataset.images, strict=True)
    ]
    return sorted(one for one in found if one[0] in classes)


def check_split(read: Dataset, drawn: Dataset) -> None:
    assert read.splits is not None
    counts = {part: int((read.splits == part).sum()) for part in set(read.splits.tolist())}
    assert counts["train"] > 0.6 * len(read)
    assert all(counts.values())
    assert len(folds(read, by="official")) == 2


@pytest.mark.parametrize("folders", [False, True])
def test_fer2013_is_read_as_it_was_drawn(drawn: Dataset, tmp_path: Path, folders: bool):
    wild.write_fer2013(drawn, tmp_path / "faces", folders=folders)
    read = load(FER2013Config(root=tmp_path / "faces"))
    assert known(read, read.classes) == known(drawn, read.classes)
    wanted = sorted(bytes(image) for image in drawn.images[~of_class(drawn, "contempt")])
    assert sorted(map(bytes, read.images)) == wanted
    check_split(read, drawn)
    with pytest.raises(DataError, match="the folder is not empty"):
        wild.write_fer2013(drawn, tmp_path / "faces")


@pytest.mark.parametrize("folders", [False, True])
def test_ferplus_is_read_as_it_was_drawn(drawn: Dataset, tmp_path: Path, folders: bool):
    wild.write_ferplus(drawn, tmp_path / "faces", folders=folders)
    read = load(FERPlusConfig(root=tmp_path / "faces"))
    assert known(read, read.classes) == known(drawn, read.classes)
    assert read.votes is not None
    assert read.votes.sum(1) == pytest.approx(np.ones(len(read)))
    assert (read.votes.argmax(1) == read.labels).all()
    assert 0.5 < float(read.votes.max(1).mean()) < 1
    check_split(read, drawn)


def test_rafdb_is_read_as_it_was_drawn(drawn: Dataset, tmp_path: Path):
    wild.write_rafdb(drawn, tmp_path / "faces")
    read = load(RAFDBConfig(root=tmp_path / "faces"))
    assert [name for name, _ in known(read, read.classes)] == [
        name for name, _ in known(drawn, read.classes)
    ]
    check_split(read, drawn)


@pytest.mark.parametrize("numbered", [False, True])
def test_affectnet_is_read_as_it_was_drawn(drawn: Dataset, tmp_path: Path, numbered: bool):
    wild.write_affectnet(drawn, tmp_path / "faces", numbered=numbered)
    read = load(AffectNetConfig(root=tmp_path / "faces", size=48, channels=1))
    assert not read.skipped

    def told(dataset: Dataset) -> list[tuple[str, float, float]]:
        rows = zip(dataset.labels, *(dataset.numbers[key] for key in AFFECT), strict=True)
        return sorted((dataset.classes[one], float(v), float(a)) for one, v, a in rows)

    assert told(read) == told(drawn)

    def moved(dataset: Dataset) -> np.ndarray:
        """Images that affect tells apart, by it."""
        order = np.argsort(dataset.numbers["valence"])
        told = ~of_class(dataset, "neutral")[order]
        images: np.ndarray = dataset.images[order][told].astype(int)
        return images

    gaps = moved(read) - moved(drawn)
    assert np.abs(gaps).mean() < 3  # lossy files
    check_split(read, drawn)


def test_nobody_is_in_two_parts(drawn: Dataset):
    split = wild.parts(drawn)
    assert drawn.subjects is not None
    pairs = set(zip(drawn.subjects.tolist(), split.tolist(), strict=True))
    assert len(pairs) == len(np.unique(drawn.subjects))
    assert {part for _, part in pairs} == {"train", "validation", "test"}


def test_layouts_ask_for_what_they_hold(drawn: Dataset, tmp_path: Path):
    large = load(CONFIG.model_copy(update={"size": 16}))
    with pytest.raises(ValueError, match="48x48"):
        wild.write_fer2013(large, tmp_path)
    bare = Dataset(**{**vars(drawn), "numbers": {}})
    with pytest.raises(ValueError, match="valence and arousal"):
        wild.write_affectnet(bare, tmp_path)


def test_moments_are_the_channels_of_an_image():
    config = SyntheticConfig(subjects=40, frames=2, size=32, channels=3, moments=True)
    moved, single = load(config), load(config.model_copy(update={"channels": 1, "moments": False}))
    assert moved.image_shape == (3, 32, 32)
    assert np.array_equal(moved.images[:, 2], single.images[:, 0])
    assert np.array_equal(moved.images[0, :2], moved.images[1, :2])  # one sequence
    gap = [np.abs(moved.images[:, 2].astype(int) - moved.images[:, at]).mean() for at in (0, 1)]
    assert gap[0] > gap[1] > 0
    still = moved.images.astype(int)
    mild = np.abs(still[:, 1] - still[:, 0]).mean(axis=(1, 2))
    assert np.median(mild) < gap[0]


@pytest.mark.parametrize("kind", [SyntheticConfig, CKPlusConfig])
def test_moments_need_three_channels(kind):
    with pytest.raises(ValueError, match=r"set data\.channels=3"):
        kind(moments=True)


def test_moments_of_ckplus_run_from_the_first_frame(tmp_path: Path):
    write_ckplus(SyntheticConfig(subjects=8), tmp_path / "faces")
    one = CKPlusConfig(root=tmp_path / "faces", frames=1, size=32)
    moved = load(one.model_copy(update={"channels": 3, "moments": True}))
    single = load(one)
    assert np.array_equal(moved.images[:, 2], single.images[:, 0])
    first = load(one.model_copy(update={"neutral": True}))
    wanted = first.images[first.labels == 0, 0]
    assert sorted(map(bytes, moved.images[:, 0])) == sorted(map(bytes, wanted))
