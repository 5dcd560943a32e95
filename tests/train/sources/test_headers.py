import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from remend.train.data.sources import Span, size_of

PIXELS = np.random.default_rng(0).integers(0, 256, (37, 53, 3), np.uint8)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.jpg", {}),
        ("a.jpg", {"progressive": True, "exif": b"Exif\0\0" + b"x" * 60_000}),
        ("a.webp", {"lossless": False}),
        ("a.webp", {"lossless": True}),
        ("a.webp", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}),  # extended
    ],
)
def test_size_from_the_first_bytes(tmp_path, name, options):
    path = tmp_path / name
    Image.fromarray(PIXELS).save(path, **options)
    assert size_of(str(path)) == (53, 37)
    larger = tmp_path / "shard"
    larger.write_bytes(b"before" + path.read_bytes() + b"after")
    assert size_of(Span(str(larger), 6, path.stat().st_size)) == (53, 37)


def test_a_jpeg_with_padding_before_its_frame(tmp_path):
    data = cv2.imencode(".jpg", PIXELS)[1].tobytes()
    (tmp_path / "a.jpg").write_bytes(data[:2] + b"\xff\xff\xff\xfe" + struct.pack(">H", 4) + b"hi" + data[2:])
    assert size_of(str(tmp_path / "a.jpg")) == (53, 37)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\0\1", b"RIFF\0\0\0\0WEBP", b"GIF89a", b"\x89PNG\r\n\x1a\n\0"],
)
def test_what_does_not_begin_as_a_picture(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    assert size_of(str(tmp_path / "a")) is None


def test_pixels_have_a_size():
    assert size_of(PIXELS) == (53, 37)
