from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from gensynth.data import (
    EMOTIONS,
    CK48Config,
    DataConfig,
    DataError,
    Dataset,
    FolderConfig,
    folds,
    load,
    write_ck48,
)

CK_NAME = r"(?P<subject>S\d+)_(?P<sequence>\d+)_"


def order(dataset: Dataset) -> list[tuple[str, int, bytes]]:
    rows = zip(dataset.sequences.tolist(), dataset.labels.tolist(), dataset.images, strict=True)
    return sorted((sequence, label, image.tobytes()) for sequence, label, image in rows)


def test_what_is_written_as_ck48_is_read_back(synthetic: Dataset, tmp_path: Path):
    write_ck48(synthetic, tmp_path / "ck48")
    read = load(CK48Config(root=tmp_path / "ck48"))
    assert read.classes == synthetic.classes
    assert order(read) == order(synthetic)
    assert read.subjects is not None
    assert read.subjects.tolist() == [name[:4] for name in read.sequences.tolist()]
    assert not read.synthetic
    assert [len(fold.test) for fold in folds(read)] == [len(f.test) for f in folds(synthetic)]


def test_a_folder_that_is_not_empty_is_not_written_to(synthetic: Dataset, small_ck48: Path):
    with pytest.raises(DataError, match="not empty"):
        write_ck48(synthetic, small_ck48)


def test_other_spellings_and_a_neutral_folder_are_known(small_ck48: Path):
    (small_ck48 / "happy").rename(small_ck48 / "Happiness")
    (small_ck48 / "anger").rename(small_ck48 / "angry")
    shutil.copytree(small_ck48 / "fear", small_ck48 / "Neutral")
    dataset = load(CK48Config(root=small_ck48))
    assert dataset.classes == ("neutral", *EMOTIONS)
    assert set(dataset.class_counts.values()) == {2}


def test_hidden_and_other_files_are_ignored(small_ck48: Path):
    before = load(CK48Config(root=small_ck48))
    (small_ck48 / "anger" / "._S000_001_00000007.png").write_bytes(b"\0")
    (small_ck48 / "anger" / "Thumbs.db").write_bytes(b"\0")
    (small_ck48 / ".git").mkdir()
    (small_ck48 / "README.md").write_text("")
    after = load(CK48Config(root=small_ck48))
    assert order(after) == order(before)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [48, 32])
def test_size_and_channels_are_as_asked(small_ck48: Path, size: int, channels: int):
    config = {"kind": "ck48", "root": small_ck48, "size": size, "channels": channels}
    dataset = load(TypeAdapter(DataConfig).validate_python(config))
    assert dataset.image_shape == (channels, size, size)
    assert dataset.images.std() > 10


def break_image(root: Path) -> Path:
    path = root / "fear" / "S003_001_00000007.png"
    path.write_bytes(path.read_bytes()[:200])
    return path


def misname(root: Path) -> Path:
    return (root / "fear" / "S003_001_00000007.png").rename(root / "fear" / "face1.png")


def drop_class(root: Path) -> Path:
    shutil.rmtree(root / "sadness")
    return root


def empty_class(root: Path) -> Path:
    shutil.rmtree(root / "sadness")
    (root / "sadness").mkdir()
    return root / "sadness"


def add_stranger(root: Path) -> Path:
    (root / "boredom").mkdir()
    return root / "boredom"


def add_twin(root: Path) -> Path:
    (root / "sad").mkdir()
    return root / "sadness"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (break_image, "cannot be read as an image"),
        (misname, "does not match"),
        (drop_class, "class folder 'sadness' is missing"),
        (empty_class, "class folder 'sadness' has no images"),
        (add_stranger, "no class of CK"),
        (add_twin, "are both class 'sadness'"),
    ],
)
def test_a_fault_is_one_line_that_names_it(
    small_ck48: Path, damage: Callable[[Path], Path], message: str
):
    where = damage(small_ck48)
    with pytest.raises(DataError, match=message) as caught:
        load(CK48Config(root=small_ck48))
    assert str(caught.value).startswith(f"{where}: ")
    assert "; " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["ckplus", "ck48", "folder"])
def test_a_missing_root_is_one_line_that_names_it(kind: str, tmp_path: Path):
    adapter: TypeAdapter[DataConfig] = TypeAdapter(DataConfig)
    gone = tmp_path / "gone"
    with pytest.raises(DataError, match=rf"{gone}: there is no such folder; set data\.root"):
        load(adapter.validate_python({"kind": kind, "root": gone}))
    with pytest.raises(DataError, match=r"data\.root: no folder is given"):
        load(adapter.validate_python({"kind": kind}))
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(DataError, match="not a folder"):
        load(adapter.validate_python({"kind": kind, "root": file}))


def test_any_folder_with_a_pattern(small_ck48: Path):
    dataset = load(FolderConfig(root=small_ck48, pattern=CK_NAME))
    assert dataset.classes == tuple(sorted(EMOTIONS))
    assert dataset.subjects is not None
    assert len(np.unique(dataset.subjects)) == len(EMOTIONS)
    assert len(np.unique(dataset.sequences)) == len(EMOTIONS)
    assert len(folds(dataset, 2, by="image")) == 2


def test_the_pattern_sees_folders_within_a_class(tmp_path: Path):
    for subject in ("ann", "bob"):
        for label in ("yes", "no"):
            (tmp_path / label / subject).mkdir(parents=True)
            Image.new("L", (20, 30), 99).save(tmp_path / label / subject / "1.png")
    dataset = load(FolderConfig(root=tmp_path, pattern=r"^(?P<subject>\w+)/", size=16))
    assert dataset.subjects is not None
    assert dataset.subjects.tolist() == ["ann", "bob", "ann", "bob"]
    assert len(np.unique(dataset.sequences)) == 4
    assert [len(fold.test) for fold in folds(dataset, 2)] == [2, 2]


def test_a_sequence_is_of_one_class(tmp_path: Path):
    """Numbers may begin anew in each class folder."""
    for label in ("no", "yes"):
        for name in ("ann_0_a", "ann_0_b", "bob_0_a"):
            (tmp_path / label).mkdir(exist_ok=True)
            Image.new("L", (20, 20), 99).save(tmp_path / label / f"{name}.png")
    pattern = r"^(?P<subject>[a-z]+)_(?P<sequence>\d+)"
    dataset = load(FolderConfig(root=tmp_path, pattern=pattern, size=16))
    _, counts = np.unique(dataset.sequences, return_counts=True)
    assert sorted(counts.tolist()) == [1, 1, 2, 2]


def test_without_a_pattern_nobody_is_known(small_ck48: Path):
    dataset = load(FolderConfig(root=small_ck48))
    assert dataset.subjects is None
    assert len(np.unique(dataset.sequences)) == len(dataset)
    with pytest.raises(DataError, match="folds by subject need subject IDs"):
        folds(dataset)


def test_a_folder_without_classes_is_refused(tmp_path: Path):
    Image.new("L", (20, 30)).save(tmp_path / "face.png")
    with pytest.raises(DataError, match="no class folders"):
        load(FolderConfig(root=tmp_path))


@pytest.mark.parametrize("pattern", ["(", r"(?P<person>S\d+)", ""])
def test_a_pattern_without_a_subject_is_refused_at_once(pattern: str):
    with pytest.raises(ValidationError, match=r"pattern|regular expression"):
        FolderConfig(pattern=pattern)


def test_unknown_kinds_and_keys_are_refused():
    adapter: TypeAdapter[DataConfig] = TypeAdapter(DataConfig)
    with pytest.raises(ValidationError, match=r"ckplus.*folder.*ck48.*synthetic"):
        adapter.validate_python({"kind": "jaffe"})
    with pytest.raises(ValidationError, match="Extra inputs"):
        adapter.validate_python({"kind": "ck48", "rooot": "/data"})


def fill(root: Path, *folders: str, count: int = 2) -> Path:
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.new("L", (20, 20), 90 + number).save(root / folder / f"{number}.png")
    return root


@pytest.mark.parametrize(
    ("folders", "message", "remedy"),
    [
        (["CK/happy", "CK/sad"], "'CK' is the only class folder", "set data.root={root}/CK"),
        (["happy"], "'happy' is the only class folder", "at least two"),
        (["a/train/x", "a/test/x"], "'a' is the only class folder", "set data.root={root}/a"),
        (["one/x", "one/y", "two/x"], "lie in folders within it", "one level lower"),
        (["train/x", "train/y", "test/x", "test/y", "other"], "'?other'? is not", "one of them"),
        (["train/x", "train/y", "training/x"], "overlap", "one of them"),
        (["train/x", "train/y", "test"], "no class folders", "at least two"),
    ],
)
def test_a_folder_with_another_meaning_is_refused(tmp_path, folders, message, remedy):
    with pytest.raises(DataError, match=message) as caught:
        load(FolderConfig(root=fill(tmp_path, *folders)))
    assert remedy.format(root=tmp_path) in str(caught.value)


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "val", "TEST")])
def test_folders_of_a_split_are_the_official_split(tmp_path: Path, names: tuple[str, ...]):
    root = fill(tmp_path, *[f"{part}/{label}" for part in names for label in ("no", "yes")])
    dataset = load(FolderConfig(root=root, size=16))
    assert dataset.classes == ("no", "yes")
    assert dataset.splits is not None
    assert len(set(dataset.splits.tolist())) == len(names)
    assert len(set(dataset.sequences.tolist())) == len(dataset) == 4 * len(names)


def test_one_class_may_be_called_like_a_part(tmp_path: Path):
    dataset = load(FolderConfig(root=fill(tmp_path, "train", "car"), size=16))
    assert dataset.classes == ("car", "train")
    assert dataset.splits is None


def test_what_is_read_is_what_a_person_sees(tmp_path: Path):
    root = fill(tmp_path / "root", "no", "yes")
    fill(tmp_path / "elsewhere", "more")
    fill(root / "no", ".ipynb_checkpoints", "__MACOSX")
    (root / "no" / "linked").symlink_to(tmp_path / "elsewhere" / "more")
    (root / "no" / "loop").symlink_to(root / "no")
    (root / "no" / "gone.png").symlink_to(tmp_path / "gone")
    (root / "no" / "notes.txt").write_text("")
    (root / "yes" / "0.png").rename(root / "yes" / "0.jfif")
    dataset = load(FolderConfig(root=root, size=16))
    assert dataset.class_counts == {"no": 4, "yes": 2}
    assert dataset.contents == "no 4, yes 2"
    assert dataset.skipped == {
        "hidden, or of the system": 2,
        "link back to a folder above it": 1,
        "link that leads nowhere": 1,
        "no image by its name": 1,
    }
    assert "1 left out: no image by its name" in dataset.summary


@pytest.mark.parametrize("pattern", [r"(?P<subject>(a+)+)$", r"(?P<subject>(a|aa)+)b"])
def test_a_pattern_that_backtracks_ends(tmp_path: Path, pattern: str):
    for label in ("no", "yes"):
        fill(tmp_path, label)
        (tmp_path / label / "0.png").rename(tmp_path / label / f"{'a' * 60}!.png")
    with pytest.raises(DataError, match=r"too many ways|does not match"):
        load(FolderConfig(root=tmp_path, pattern=pattern))
