from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gensynth.data import DataError
from gensynth.data.images import is_image, read_image, shrink, square_around, white_level


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_mode_becomes_eight_bit_gray_or_rgb(tmp_path: Path, mode: str, channels: int):
    ramp = np.linspace(0, 255, 16 * 16).reshape(16, 16).astype(np.uint8)
    if mode == "I;16":
        image = Image.fromarray(ramp.astype(np.uint16) * 257)
    else:
        image = Image.fromarray(ramp).convert(mode)
    path = tmp_path / ("image.tif" if mode in ("CMYK", "F", "I;16") else "image.png")
    image.save(path)
    read = read_image(path, channels=3 if channels == 3 else 1)
    assert read.mode == ("RGB" if channels == 3 else "L")
    seen = np.asarray(read).reshape(16, 16, -1)[:, :, 0].astype(int)
    tolerance = 255 if mode == "1" else 2
    assert np.abs(seen - ramp).max() <= tolerance
    assert seen[0].mean() < seen[-1].mean()


def test_transparent_parts_become_black(tmp_path: Path):
    image = Image.new("RGBA", (8, 8), (255, 255, 255, 0))
    image.paste((200, 200, 200, 255), (0, 0, 4, 8))
    image.save(tmp_path / "half.png")
    seen = np.asarray(read_image(tmp_path / "half.png", channels=1))
    assert (seen[:, :4] == 200).all()
    assert (seen[:, 4:] == 0).all()


def test_a_noted_orientation_is_applied(tmp_path: Path):
    image = Image.new("L", (8, 4))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    assert read_image(tmp_path / "turned.jpg", channels=1).size == (4, 8)


def png() -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_half_a_file_is_one_line_that_names_it(tmp_path_factory, data: st.DataObject):
    whole = png()
    damaged = bytearray(whole[: data.draw(st.integers(0, len(whole) // 2))])
    for _ in range(data.draw(st.integers(0, 4))):
        if damaged:
            at = data.draw(st.integers(0, len(damaged) - 1))
            damaged[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "face.png"
    path.write_bytes(bytes(damaged))
    with pytest.raises(DataError) as caught:
        read_image(path, channels=1)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@given(
    left=st.floats(-500, 500),
    upper=st.floats(-500, 500),
    side=st.floats(1, 900),
    width=st.integers(8, 700),
    height=st.integers(8, 700),
)
def test_a_square_is_moved_into_the_image(
    left: float, upper: float, side: float, width: int, height: int
):
    box = (left, upper, left + side, upper + side)
    moved = square_around(box, within=(width, height))
    assert moved[0] >= 0
    assert moved[1] >= 0
    assert moved[2] <= width + 1e-6
    assert moved[3] <= height + 1e-6
    assert moved[2] - moved[0] == pytest.approx(min(side, width, height))
    assert moved[3] - moved[1] == pytest.approx(min(side, width, height))
    if left >= 0 and upper >= 0 and box[2] <= width and box[3] <= height:
        assert moved == pytest.approx(box)


def test_an_image_of_the_right_size_is_kept_to_the_bit(tmp_path: Path):
    (tmp_path / "face.png").write_bytes(png())
    image = read_image(tmp_path / "face.png", channels=1)
    assert shrink(image, size=24) is image
    assert shrink(image, size=12).size == (12, 12)


def test_hidden_files_folders_and_other_kinds_are_no_images(tmp_path: Path):
    for name in ("face.PNG", "._face.png", "notes.txt", "Thumbs.db"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in tmp_path.iterdir() if is_image(path)] == ["face.PNG"]


def deep(folder: Path, highest: float, kind: type = np.uint16, count: int = 2) -> list[Path]:
    """Ramps of which the second is half as bright as the first."""
    ramp = np.linspace(0, highest, 64).reshape(8, 8)
    suffix = "tif" if kind is np.float32 else "png"
    paths = [folder / f"{number}.{suffix}" for number in range(count)]
    for number, path in enumerate(paths):
        Image.fromarray((ramp / 2**number).astype(kind)).save(path)
    return paths


@pytest.mark.parametrize(
    ("highest", "kind", "white"),
    [
        (1000, np.uint16, 1023),
        (4000, np.uint16, 4095),
        (65535, np.uint16, 65535),
        (200, np.uint16, 255),
        (1.0, np.float32, 1),
        (255.0, np.float32, 255),
    ],
)
def test_the_scale_is_one_for_a_data_set(tmp_path: Path, highest, kind, white):
    paths = deep(tmp_path, highest, kind)
    assert white_level(paths) == white
    bright, dark = (np.asarray(read_image(p, channels=1, white=white)).max() for p in paths)
    assert bright == round(highest / white * 255)
    assert abs(int(bright) - 2 * int(dark)) <= 2


@pytest.mark.parametrize(("highest", "kind"), [(5, np.uint16), (0.01, np.float32), (0, np.uint16)])
def test_what_would_keep_a_handful_of_levels_is_refused(tmp_path: Path, highest, kind):
    with pytest.raises(DataError, match=r"data\.white: pixels reach only"):
        white_level(deep(tmp_path, highest, kind))


def test_eight_bits_have_no_scale(tmp_path: Path):
    (tmp_path / "face.png").write_bytes(png())
    (tmp_path / "broken.png").write_bytes(b"")
    assert white_level([tmp_path / "face.png", tmp_path / "broken.png"]) is None


def test_only_the_formats_that_are_meant_are_opened(tmp_path: Path):
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"
    (tmp_path / "script.png").write_bytes(script)
    Image.new("L", (9, 9)).save(tmp_path / "icon.ico")
    (tmp_path / "icon.ico").rename(tmp_path / "icon.png")
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("script.png", "icon.png", "pipe.png"):
        with pytest.raises(DataError, match="cannot be read as an image"):
            read_image(tmp_path / name, channels=1)


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_small_file_of_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path, mode: str):
    Image.new("1", (10_000, 5_001)).convert(mode).save(tmp_path / "bomb.png")
    with pytest.raises(DataError, match="more than 50000000 pixels"):
        read_image(tmp_path / "bomb.png", channels=1)
