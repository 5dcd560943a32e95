"""Files of a few bytes that claim gigabytes or endless work are refused before anything is spent."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from remend.budget import Budget
from remend.errors import DecodeError, FormatError, LimitError
from remend.io import read_picture
from remend.options import Bounds


def png(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """Blank, as small as deflate makes it."""
    row = bytes(1 + (width * depth * {0: 1, 2: 3}[colour] + 7) // 8)
    packer = zlib.compressobj(9)
    content = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    out = b"\x89PNG\r\n\x1a\n"
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    for kind, body in ((b"IHDR", header), (b"IDAT", content), (b"IEND", b"")):
        out += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return out


def tiff(entries: dict[int, tuple[int, int, int]], tail: bytes = b"") -> bytes:
    body = b"".join(struct.pack("<HHII", tag, *field) for tag, field in sorted(entries.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4) + tail


SPARSE = {256: (4, 1, 10_000), 257: (4, 1, 8_000), 258: (3, 1, 32), 262: (3, 1, 1), 277: (3, 1, 1)}
SPARSE |= {259: (3, 1, 1), 273: (4, 1, 0), 278: (4, 1, 8_000), 279: (4, 1, 0), 339: (3, 1, 3)}
GIF = b"GIF89a" + struct.pack("<HHBBB", 9000, 9000, 0x80, 0, 0) + bytes(6)
GIF += b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2\x4c\1\0;"


def progressive(side: int, scans: int) -> bytes:
    """A blank progressive JPEG whose last scan comes again and again."""
    file = io.BytesIO()
    Image.new("L", (side, side)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rfind(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + data[-2:]


def overlapping_directories(count: int) -> bytes:
    """Each directory begins two bytes behind the one before and has hundreds of entries."""
    size = 12 * 200
    out = bytearray(b"II*\0" + struct.pack("<I", 8) + bytes(size + 2 * count + 100))
    for index in range(count):
        struct.pack_into("<H", out, 8 + 2 * index, 200)
    for index in range(count):
        at = 8 + 2 * index + 2 + size
        if at + 4 <= len(out):
            struct.pack_into("<I", out, at, 8 + 2 * index + 2)
    return bytes(out)


@pytest.mark.parametrize(
    "data",
    [png(6000, 6000), png(9000, 9000, 1, 0), tiff(SPARSE), GIF, progressive(4000, 60)],
    ids=["blank", "bilevel", "sparse", "canvas", "scans"],
)
def test_bombs_are_refused_at_once(data):
    since = time.process_time()
    with pytest.raises(LimitError):
        read_picture(data)
    assert time.process_time() - since < 0.5


def test_directories_that_overlap_are_damage():
    since = time.process_time()
    with pytest.raises(DecodeError):
        read_picture(overlapping_directories(4000))
    assert time.process_time() - since < 0.5


def test_what_people_have_passes():
    assert read_picture(png(3508, 4961, 1, 0)).size == (4961, 3508)  # an empty page of 300 dpi, A3
    assert read_picture(progressive(256, 60)).size == (256, 256)
    file = io.BytesIO()
    Image.fromarray(np.zeros((2000, 3000, 3), np.uint8)).save(file, "PNG")
    assert read_picture(file.getvalue()).size == (2000, 3000)


def test_the_bounds_are_the_users():
    blank = png(6000, 6000)
    assert read_picture(blank, budget=Budget(Bounds(max_ratio=0))).size == (6000, 6000)
    with pytest.raises(LimitError, match="--max-memory"):
        read_picture(png(1000, 1000), budget=Budget(Bounds(max_memory=1 << 20)))
    with pytest.raises(FormatError, match="only jpeg"):
        read_picture(png(8, 8), budget=Budget(Bounds(accept=("jpeg",))))
    budget = Budget(Bounds(max_memory=10 << 20))
    read_picture(png(1000, 1000), budget=budget)
    with pytest.raises(LimitError, match="--max-memory"):  # the second draws on the same budget
        read_picture(png(1000, 1000), budget=budget)


def test_a_mask_may_be_plain_but_not_larger_than_its_picture_needs():
    mask = Budget().for_mask(6000 * 6000)
    assert read_picture(png(6000, 6000), budget=mask).size == (6000, 6000)
    with pytest.raises(LimitError):
        read_picture(png(6000, 6000), budget=Budget().for_mask(100))


def test_time_runs_out():
    budget = Budget(Bounds(time_limit_s=1e-9))
    time.sleep(0.001)
    with pytest.raises(LimitError, match="--time-limit"):
        budget.check_time("photo.jpg")
    Budget().check_time("photo.jpg")
