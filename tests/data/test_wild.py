"""Loaders of data sets from the web, each in every layout in which it goes around."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gensynth.data import (
    AffectNetConfig,
    DataError,
    Dataset,
    FER2013Config,
    FERPlusConfig,
    FolderConfig,
    RAFDBConfig,
    TableConfig,
    folds,
    reported,
)
from gensynth.data import listing as listings
from gensynth.data.affectnet import CODES as AFFECTNET
from gensynth.data.fer2013 import CODES, VOTE_COLUMNS, VOTES, shares_of
from gensynth.data.rafdb import CODES as RAFDB

Cells = list[object]


def tone(value: int, side: int = 48) -> np.ndarray:
    return np.full((side, side), value, dtype=np.uint8)


def picture(path: Path, value: int, side: int = 48) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(tone(value, side)).save(path)


def table(path: Path, *lines: Cells) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(lines)


def pixels(value: int) -> str:
    return " ".join(map(str, tone(value).ravel().tolist()))


def tones(data: Dataset) -> list[int]:
    """The gray of each image, which says which one it is."""
    return [int(one) for one in data.images[:, 0, 24, 24]]


def parts(data: Dataset) -> list[str]:
    assert data.splits is not None
    return [str(one) for one in data.splits]


FER = [
    *([code, pixels(10 + code), "Training"] for code in range(7)),
    *([code, pixels(30 + code), "PublicTest"] for code in range(7)),
    *([code, pixels(50 + code), "PrivateTest"] for code in range(7)),
]


def fer_table(root: Path, *more: Cells) -> Path:
    table(root / "fer2013.csv", ["emotion", "pixels", "Usage"], *FER, *more)
    return root


def test_fer2013_as_a_table(tmp_path: Path):
    broken: list[Cells] = [[9, pixels(1), "Training"], [0, "1 2 3", "Training"], [0, pixels(1), ""]]
    data = FER2013Config(root=fer_table(tmp_path, *broken)).load()
    assert data.classes == CODES
    assert tones(data) == [*range(10, 17), *range(30, 37), *range(50, 57)]
    assert data.labels.tolist() == 3 * list(range(7))
    assert parts(data) == 7 * ["train"] + 7 * ["validation"] + 7 * ["test"]
    assert data.skipped == {"row cannot be read": 3}
    assert "3 left out: row cannot be read" in data.summary
    assert data.subjects is None


def test_fer2013_as_folders(tmp_path: Path):
    spelled = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    for code, name in enumerate(spelled):
        picture(tmp_path / "train" / name / f"Training_{code}.png", 10 + code)
        picture(tmp_path / "test" / name / f"PublicTest_{code}.png", 30 + code)
        picture(tmp_path / "test" / name / f"PrivateTest_{code}.png", 50 + code)
    data = FER2013Config(root=tmp_path).load()
    whole = FER2013Config(root=fer_table(tmp_path / "table")).load()
    for one in (data, whole):
        assert sorted(zip(tones(one), one.labels.tolist(), parts(one), strict=True)) == sorted(
            zip(tones(whole), whole.labels.tolist(), parts(whole), strict=True)
        )
    (tmp_path / "train" / "smug").mkdir()
    with pytest.raises(DataError, match=r"smug: this folder's name is no class of FER2013"):
        FER2013Config(root=tmp_path).load()


def test_an_official_split_chooses_by_one_part_and_reports_on_the_other(tmp_path: Path):
    data = FER2013Config(root=fer_table(tmp_path)).load()
    chosen, told = folds(data, by="official")
    assert (chosen.chooses, told.chooses) == (True, False)
    assert reported((chosen, told)) == (told,)
    assert set(chosen.train) == set(told.train) == set(range(7))
    assert set(chosen.test) == set(range(7, 14))
    assert set(told.test) == set(range(14, 21))


def votes(**given: int) -> list[int]:
    return [given.get(name, 0) for name in VOTE_COLUMNS]


def test_ferplus_is_joined_by_row(tmp_path: Path):
    fer_table(tmp_path)
    head: Cells = ["Usage", "Image name", *VOTE_COLUMNS]
    lines: list[Cells] = []
    for row, (_, _, usage) in enumerate(FER):
        name = "" if row == 3 else f"fer{row + (row > 5):07d}.png"  # names skip rows
        lines.append([usage, name, *votes(neutral=10)])
    lines[1][2:] = votes(happiness=6, sadness=3, fear=1)
    lines[2][2:] = votes(NF=10)
    lines[4][2:] = votes(anger=5, disgust=5)
    lines[9][2:] = votes(contempt=6, neutral=4)
    table(tmp_path / "fer2013new.csv", head, *lines)
    data = FERPlusConfig(root=tmp_path).load()
    assert tones(data) == [one for one in range(10, 17) if one not in (12, 14)] + [
        *range(30, 37),
        *range(50, 57),
    ]
    said = dict(zip(tones(data), data.labels.tolist(), strict=True))
    assert (said[10], said[11], said[32]) == (0, VOTES.index("happy"), VOTES.index("contempt"))
    assert data.skipped == {"no class has a majority of the votes": 2}
    assert data.votes is not None
    by_tone = dict(zip(tones(data), data.votes, strict=True))
    wanted = np.zeros(8)
    wanted[[VOTES.index("happy"), VOTES.index("sadness")]] = 6 / 9, 3 / 9
    assert by_tone[11] == pytest.approx(wanted)
    everyone = FERPlusConfig(root=tmp_path, majority=0).load()
    assert len(everyone) == len(data) + 1
    table(tmp_path / "fer2013new.csv", head, *lines[:-1])
    with pytest.raises(DataError, match="different numbers of rows"):
        FERPlusConfig(root=tmp_path).load()


def test_ferplus_as_folders(tmp_path: Path):
    for part, value in (("Train", 10), ("Valid", 30), ("Test", 50)):
        folder = tmp_path / f"FER2013{part}"
        picture(folder / f"fer{value:07d}.png", value)
        lines: list[Cells] = [
            [f"fer{value:07d}.png", "(0, 0, 48, 48)", *votes(surprise=9, fear=1)],
            ["fer9999999.png", "(0, 0, 48, 48)", *votes(surprise=9)],
            ["fer1.png", "(0, 0, 48, 48)", "many"],
        ]
        table(folder / "label.csv", *lines)
    data = FERPlusConfig(root=tmp_path).load()
    assert tones(data) == [10, 30, 50]
    assert set(data.labels) == {VOTES.index("surprise")}
    assert parts(data) == ["train", "validation", "test"]
    assert data.skipped == {"image cannot be read": 3, "row cannot be read": 3}


def test_single_votes_are_passed_over():
    assert shares_of(votes(anger=7, fear=1, happiness=2)) == pytest.approx(
        [0, 2 / 9, 0, 0, 7 / 9, 0, 0, 0, 0, 0]
    )
    assert not shares_of(votes(anger=1)).any()


def test_rafdb_as_given_out(tmp_path: Path):
    lines = []
    for number, code in enumerate(RAFDB, 1):
        for part, value in (("train", 10), ("test", 50)):
            picture(tmp_path / "Image/aligned" / f"{part}_{number:05d}_aligned.jpg", value + code)
            lines.append(f"{part}_{number:05d}.jpg {code}")
    (tmp_path / "EmoLabel").mkdir()
    listed = "\n".join([*lines, "train_00009.jpg 8", "nonsense", ""])
    (tmp_path / "EmoLabel/list_patition_label.txt").write_text(listed)
    data = RAFDBConfig(root=tmp_path).load()
    said = {(data.classes[label], at) for label, at in zip(data.labels, tones(data), strict=True)}
    assert said == {(name, base + code) for code, name in RAFDB.items() for base in (10, 50)}
    assert sorted(set(parts(data))) == ["test", "train"]
    assert data.skipped == {"line cannot be read": 2}


def test_numbered_folders_of_rafdb_have_to_be_told_what_they_mean(tmp_path: Path):
    for part, value in (("train", 10), ("test", 50)):
        for code in (1, 2):
            picture(tmp_path / part / str(code) / f"{value}.png", value + code)
    with pytest.raises(DataError, match=r"number their folders in several ways.*data\.codes=\{1:"):
        RAFDBConfig(root=tmp_path).load()
    data = RAFDBConfig(root=tmp_path, codes={1: "happy", 2: "fear"}).load()
    assert data.classes == ("happy", "fear")
    assert dict(zip(tones(data), data.labels.tolist(), strict=True)) == {11: 0, 12: 1, 51: 0, 52: 1}
    with pytest.raises(DataError, match=r"data\.codes has no such number"):
        RAFDBConfig(root=tmp_path, codes={1: "happy"}).load()


AFFECTNET_HEAD: Cells = [
    "subDirectory_filePath",
    *("face_x", "face_y", "face_width", "face_height"),
    *("facial_landmarks", "expression", "valence", "arousal"),
]


def affectnet_row(root: Path, name: str, code: int, valence: float, arousal: float) -> Cells:
    """A row, and its image: black but for the face, whose gray is 100 + code."""
    image = np.zeros((60, 80), dtype=np.uint8)
    image[10:50, 20:60] = 100 + code
    path = root / "Manually_Annotated_Images" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
    return [name, 20, 10, 40, 40, "1;2", code, valence, arousal]


def test_affectnet_as_tables(tmp_path: Path):
    good = [affectnet_row(tmp_path, f"1/{code}.png", code, code / 10, -0.5) for code in range(8)]
    bad: list[Cells] = [
        affectnet_row(tmp_path, "2/none.png", 8, -2, -2),
        affectnet_row(tmp_path, "2/sure.png", 9, -2, -2),
        affectnet_row(tmp_path, "2/face.png", 10, -2, -2),
        affectnet_row(tmp_path, "2/num.png", 3, -2, -2),
        ["2/gone.png", 0, 0, 9, 9, "", 1, 0.5, 0.5],
        ["2/bad.png", "", "", "", "", "", "x", 0.5, 0.5],
    ]
    test = [affectnet_row(tmp_path, f"3/{code}.png", code, 0.25, 1) for code in range(8)]
    table(tmp_path / "training.csv", AFFECTNET_HEAD, *good, *bad)
    table(tmp_path / "validation.csv", AFFECTNET_HEAD, *test)
    data = AffectNetConfig(root=tmp_path, size=16).load()
    assert data.classes == AFFECTNET
    assert data.image_shape == (3, 16, 16)
    assert data.images.min() > 70  # the black around a face is cut off but at blended edges
    assert data.labels.tolist() == 2 * list(range(8))
    assert data.numbers["valence"] == pytest.approx(
        [*(code / 10 for code in range(8)), *(8 * [0.25])]
    )
    assert data.numbers["arousal"] == pytest.approx(8 * [-0.5] + 8 * [1.0])
    assert parts(data) == 8 * ["train"] + 8 * ["test"]
    assert data.skipped == {
        "image cannot be read": 1,
        "no class (codes 8 to 10)": 3,
        "no valence or arousal": 1,
        "row cannot be read": 1,
    }
    seven = AffectNetConfig(root=tmp_path, size=16, contempt=False).load()
    assert len(seven.classes) == 7
    assert len(seven) == 14


def test_affectnet_as_numbered_images(tmp_path: Path):
    for part, count in (("train_set", 20), ("val_set", 8)):
        folder = tmp_path / part
        (folder / "annotations").mkdir(parents=True)
        for number in range(count):
            picture(folder / "images" / f"{number}.jpg", 100 + number % 8)
            for key, value in (("exp", number % 8), ("val", 0.5), ("aro", -0.25)):
                written = np.array(str(value)) if number % 2 else np.array(value)
                np.save(folder / "annotations" / f"{number}_{key}.npy", written)
    (tmp_path / "train_set/annotations/3_val.npy").unlink()
    (tmp_path / "train_set/annotations/4_val.npy").write_bytes(b"nothing")
    np.save(tmp_path / "train_set/annotations/5_val.npy", np.array(-2.0))
    data = AffectNetConfig(root=tmp_path, size=48, channels=1).load()
    assert parts(data) == 17 * ["train"] + 8 * ["test"]
    assert (np.array(tones(data)) - 100 == data.labels).all()
    assert set(data.numbers["valence"]) == {0.5}
    assert data.skipped == {"annotation missing or broken": 2, "no valence or arousal": 1}


def test_without_a_validation_part_a_tenth_is_taken_of_each_class():
    labels = np.repeat(np.arange(2), 50)
    data = Dataset(
        name="some",
        images=np.zeros((100, 1, 8, 8), dtype=np.uint8),
        labels=labels,
        classes=("a", "b"),
        subjects=None,
        sequences=np.arange(100).astype(str),
        splits=np.array(40 * ["train"] + 10 * ["test"] + 40 * ["train"] + 10 * ["test"]),
    )
    chosen, told = folds(data, by="official")
    assert len(chosen.test) == 8
    assert np.bincount(labels[chosen.test]).tolist() == [4, 4]
    assert not set(chosen.train) & set(chosen.test)
    assert np.array_equal(chosen.train, told.train)
    assert len(told.train) == 72
    assert set(told.test) == {*range(40, 50), *range(90, 100)}
    other, _ = folds(data, by="official", order=1)
    assert set(other.test) != set(chosen.test)
    with pytest.raises(DataError, match="has no official split"):
        folds(Dataset(**{**vars(data), "splits": None}), by="official")


def test_a_table_of_anything(tmp_path: Path):
    for value in (10, 20, 30, 40):
        picture(tmp_path / "pictures" / f"{value}.png", value)
    lines: list[Cells] = [
        ["file", "label", "subject", "sequence", "split", "warmth"],
        ["pictures/10.png", "sad", "ann", "1", "train", 0.5],
        ["pictures/20.png", "glad", "ann", "2", "val", 1.5],
        ["pictures/30.png", "sad", "bob", "1", "test", -0.5],
        ["pictures/40.png", "sad", "bob", "1", "somewhere", 1],
        ["pictures/40.png", "sad", "bob", "1", "test", "warm"],
        ["pictures/50.png", "sad", "bob", "1", "test", 1],
    ]
    table(tmp_path / "labels.csv", *lines)
    data = TableConfig(root=tmp_path).load()
    assert data.name == tmp_path.name
    assert data.classes == ("glad", "sad")
    assert tones(data) == [10, 20, 30]
    assert data.labels.tolist() == [1, 0, 1]
    assert data.subjects is not None
    assert data.subjects.tolist() == ["ann", "ann", "bob"]
    assert data.sequences.tolist() == ["ann_1", "ann_2", "bob_1"]
    assert parts(data) == ["train", "validation", "test"]
    assert data.numbers["warmth"].tolist() == [0.5, 1.5, -0.5]
    assert data.skipped == {"image cannot be read": 1, "row cannot be read": 2}


def test_a_table_of_numbers_alone(tmp_path: Path):
    picture(tmp_path / "1.png", 10)
    (tmp_path / "angles.tsv").write_text("file\tyaw\tnote\n1.png\t-3.5\thello\n")
    data = TableConfig(root=tmp_path, table="angles.tsv").load()
    assert (data.name, data.classes, list(data.numbers)) == ("angles", ("face",), ["yaw"])
    (tmp_path / "angles.tsv").write_text("file\tnote\n1.png\thello\n")
    with pytest.raises(DataError, match="neither a column label nor one of numbers"):
        TableConfig(root=tmp_path, table="angles.tsv").load()
    (tmp_path / "angles.tsv").write_text("path\tyaw\n1.png\t1\n")
    with pytest.raises(DataError, match="has no column file"):
        TableConfig(root=tmp_path, table="angles.tsv").load()


def test_names_of_files_can_carry_the_class(tmp_path: Path):
    """As in JAFFE, where KA.HA1.31.tiff is the first happy face of KA."""
    for at, name in enumerate(("KA.HA1.31", "KA.HA2.32", "KM.SA1.9", "KM.HA1.4")):
        picture(tmp_path / f"{name}.png", 10 + at)
    pattern = r"(?P<subject>[A-Z]{2})\.(?P<class>[A-Z]{2})(?P<sequence>\d)\."
    data = FolderConfig(root=tmp_path, pattern=pattern).load()
    assert data.classes == ("HA", "SA")
    assert data.subjects is not None
    found = zip(tones(data), data.labels.tolist(), data.subjects.tolist(), strict=True)
    assert sorted(found) == [(10, 0, "KA"), (11, 0, "KA"), (12, 1, "KM"), (13, 0, "KM")]
    assert len(set(data.sequences)) == 4
    picture(tmp_path / "other.png", 1)
    with pytest.raises(DataError, match=r"other\.png: the file's name does not match"):
        FolderConfig(root=tmp_path, pattern=pattern).load()


def test_a_limit_takes_the_same_images_of_each_part(tmp_path: Path):
    fer_table(tmp_path)
    some = FER2013Config(root=tmp_path, limit=3).load()
    assert sorted(parts(some)) == 3 * ["test"] + 3 * ["train"] + 3 * ["validation"]
    more = FER2013Config(root=tmp_path, limit=5).load()
    assert set(some.sequences) < set(more.sequences)
    assert np.array_equal(some.images, FER2013Config(root=tmp_path, limit=3).load().images)


def test_what_is_large_lies_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fer_table(tmp_path)
    small = FER2013Config(root=tmp_path).load()
    monkeypatch.setattr(listings, "IN_MEMORY", 1000)
    large = FER2013Config(root=tmp_path).load()
    assert isinstance(large.images, np.memmap)
    assert not isinstance(small.images, np.memmap)
    assert np.array_equal(large.images, small.images)


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (FER2013Config, "neither fer2013.csv nor the folders train and test"),
        (FERPlusConfig, "neither fer2013new.csv nor FER2013Train"),
        (RAFDBConfig, "neither EmoLabel/list_patition_label.txt nor the folders"),
        (AffectNetConfig, "neither training.csv and validation.csv nor train_set"),
        (TableConfig, "there is no such table"),
    ],
)
def test_an_empty_folder_is_one_line(tmp_path: Path, kind, problem: str):
    with pytest.raises(DataError, match=problem) as caught:
        kind(root=tmp_path).load()
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_votes_without_images_are_refused(tmp_path: Path):
    table(tmp_path / "fer2013new.csv", ["Usage", "Image name", *VOTE_COLUMNS])
    with pytest.raises(DataError, match=r"fer2013\.csv, which has the images, is missing"):
        FERPlusConfig(root=tmp_path).load()


def test_a_table_with_nothing_to_read_says_why(tmp_path: Path):
    table(tmp_path / "fer2013.csv", ["emotion", "pixels", "Usage"], [0, "1 2", "Training"])
    with pytest.raises(DataError, match=r"no image that can be read \(row cannot be read: 1\)"):
        FER2013Config(root=tmp_path).load()
    table(tmp_path / "fer2013.csv", ["emotion", "Usage"], [0, "Training"])
    with pytest.raises(DataError, match="has no column pixels"):
        FER2013Config(root=tmp_path).load()
