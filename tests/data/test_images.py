from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gensynth.data import DataError
from gensynth.data.images import is_image, read_image, shrink, square_around


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
