"""The front door: sources, names, limits, and a kind word for each thing that is no picture."""

import io
import os
import struct
import tracemalloc
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from remend.budget import Budget
from remend.errors import DecodeError, FormatError, LimitError, PictureError, RemendError, UsageError
from remend.io import read_header, read_picture
from remend.io.registry import FORMATS, codec_named, format_of_suffix
from remend.options import Bounds


def jpeg(width=24, height=16, **options):
    x = np.linspace(0, 255, width * height * 3).reshape(height, width, 3).astype(np.uint8)
    target = io.BytesIO()
    Image.fromarray(x).save(target, "JPEG", **options)
    return target.getvalue()


def png_bomb(side=30_000):
    """A valid PNG of one colour: 900 megapixels in about 110 KB."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    row = bytes(1 + side // 8)
    squeeze = zlib.compressobj(9)
    body = b"".join(squeeze.compress(row) for _ in range(side)) + squeeze.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
        + chunk(b"IDAT", body)
        + chunk(b"IEND", b"")
    )


def test_every_kind_of_source_gives_the_same_picture(tmp_path):
    data = jpeg()
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    expected = read_picture(path)
    assert expected.container.path == path
    assert expected.container.data is None
    with path.open("rb") as file:
        sources = [str(path), data, bytearray(data), memoryview(data), io.BytesIO(data), file]
        for source in sources:
            assert np.array_equal(read_picture(source).samples, expected.samples)
    assert read_picture(data).container.data == data


@pytest.mark.parametrize(
    "name", ["a.JPG", "a.jpeg", "a.jpe", "a.jfif", "-a.jpg", "two\nlines.jpg", "ü ñ.jpg", "none"]
)
def test_names_do_not_matter(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(jpeg())
    assert read_picture(path).container.notes == ()


def test_a_wrong_ending_is_read_with_a_note(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(jpeg())
    picture = read_picture(path)
    assert picture.container.format == "jpeg"
    assert "named as png, but it is jpeg" in picture.container.notes[0]


def one_line(error):
    return "\n" not in str(error.value) and len(str(error.value)) < 600


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", FormatError, "empty"),
        (b"these are words, and no picture\n" * 4, FormatError, "text"),
        ("Größe".encode() * 11, FormatError, "text"),
        (bytes(range(1, 100)), FormatError, "no format that is known"),
        (b"\xff\xd8\xff", DecodeError, "truncated"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", DecodeError, "truncated"),
    ],
)
def test_what_is_no_picture_is_said_in_one_line(tmp_path, content, error, words):
    path = tmp_path / "odd\nname.jpg"
    path.write_bytes(content)
    with pytest.raises(error, match=words) as caught:
        read_picture(path)
    assert one_line(caught)
    assert "odd\\nname.jpg" in str(caught.value)


def test_paths_that_lead_nowhere(tmp_path):
    loop, gone = tmp_path / "loop.jpg", tmp_path / "gone.jpg"
    loop.symlink_to(loop)
    gone.symlink_to(tmp_path / "nothing.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    cases = {
        tmp_path / "missing.jpg": "no such file",
        gone: "link to a file that is gone",
        tmp_path: "is a folder",
        loop: "symbolic links|cannot be read",
        tmp_path / "pipe.jpg": "pipe",
        tmp_path / ("x" * 300): "cannot be read",
        Path("a\0b.jpg"): "cannot be read|no such file",
    }
    for path, words in cases.items():
        with pytest.raises(PictureError, match=words) as caught:
            read_picture(path)
        assert one_line(caught)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg())
    path.chmod(0)
    with pytest.raises(PictureError, match="cannot be read"):
        read_picture(path)


def test_sources_that_cannot_be_meant():
    with pytest.raises(UsageError, match="int"):
        read_picture(3)
    with pytest.raises(UsageError, match="rb"):
        read_picture(io.StringIO("text"))


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_bombs_are_refused_from_the_header(kind):
    if kind == "png":
        pytest.importorskip("remend.io.png.codec")
        data = png_bomb()
    else:
        data = bytearray(jpeg())
        at = bytes(data).index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", 65535, 65535)
        data = bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(LimitError, match="--max-pixels") as caught:
            read_picture(data)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert caught.value.exit_code == 4


def test_the_limit_is_the_callers_alone(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow's own limit neither warns nor raises
    data = io.BytesIO()
    Image.new("CMYK", (40, 40)).save(data, "JPEG")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_picture(data.getvalue()).size == (40, 40)
    assert Image.MAX_IMAGE_PIXELS == 100
    with pytest.raises(LimitError):
        read_picture(data.getvalue(), budget=Budget(Bounds(max_pixels=1599)))


def test_extreme_shapes_are_read():
    for width, height in ((65500, 1), (1, 65500), (1, 1), (9, 7)):
        assert read_picture(jpeg(width, height)).size == (height, width)


def test_display_orientation_is_a_view(shared_data):
    folder = shared_data / "hostile" / "exif_orientation"
    reference = read_picture(folder / "Landscape_1.jpg")
    for orientation in range(1, 9):
        picture = read_picture(folder / f"Landscape_{orientation}.jpg")
        assert picture.container.orientation == orientation
        assert picture.size == reference.size
        assert (picture.samples.base is not None) or orientation == 1
        difference = picture.samples.astype(int) - reference.samples
        assert np.abs(difference).mean() < 6  # the same scene, each file compressed on its own


def test_header_alone():
    assert read_header(jpeg(24, 16))[0] == "jpeg"
    assert read_header(jpeg(24, 16))[1].width == 24


def test_formats_and_codecs_agree():
    """The registry's table saves imports; it must say what the codecs say."""
    for name, endings in FORMATS.items():
        codec = codec_named(name)
        assert codec.format == name
        assert set(codec.suffixes) == set(endings), name
        assert all(format_of_suffix(Path(f"x{ending.upper()}")) == name for ending in endings)
    with pytest.raises(UsageError, match="jpeg"):
        codec_named("xcf")


def test_errors_are_ours_for_any_bytes():
    rng = np.random.default_rng(0)
    for head in (b"", b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xdb", b"\xff\xd8\xff\xc0\x00\x11\x08"):
        for _ in range(20):
            with pytest.raises(RemendError):
                read_picture(head + rng.bytes(200), budget=Budget(Bounds(max_pixels=1_000_000)))
