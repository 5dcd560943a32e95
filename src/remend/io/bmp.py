"""BMP, by Pillow.

A file laid out as Pillow writes them (8, 24 or, with alpha, 32 bits, rows from the bottom up) keeps its own
header, profile and trailer around the new pixels; any other becomes a new file, which is said.
"""

from __future__ import annotations

import re
import struct
from dataclasses import replace
from functools import cache

import numpy as np
from PIL import BmpImagePlugin, ImageFile

from remend.errors import DecodeError, FormatError
from remend.io.codec import Encoded, Source
from remend.io.pillow_codec import PillowCodec
from remend.picture import Bool, Metadata, Picture

__all__ = ["CODEC", "BmpCodec"]

HEADERS = tuple(struct.pack("<I", size) for size in (12, 40, 52, 56, 64, 108, 124))
BITS = {"L": 8, "P": 8, "RGB": 24, "RGBA": 32}
PLAIN = {"1": 1, "L": 8}  # without a palette, as Pillow reads them
BGRA = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
END, LONGEST = b"\0\1", 258  # of run lengths; bytes of the longest code
CALIBRATED, EMBEDDED = bytes(4), b"DEBM"  # colour spaces by end points, and by a profile


class BmpCodec(PillowCodec):
    """BMP of 1 to 32 bits, RLE, top-down too; L, P, RGB and RGBA of 8 bits a sample."""

    format = "bmp"
    suffixes = (".bmp", ".dib")
    plugin = BmpImagePlugin.BmpImageFile
    modes = ("L", "P", "RGB", "RGBA")
    starts = (b"BM",)

    def recognises(self, head: bytes) -> bool:
        """By BM and a header length that exists."""
        return super().recognises(head) and head[14:18] in HEADERS

    def decode(self, source: Source) -> Picture:
        """See `PillowCodec.decode`; with the profile, and what a header says of the colours beside it."""
        data = source.read_bytes()
        with self._opened(data, source.name) as image:
            if _oddly_placed(data, image):
                raise FormatError(
                    f"{source.name}: a BMP whose run lengths begin at an odd place, where readers differ: "
                    "save it as a PNG"
                )
            if _most_pixels(data, image) < image.width * image.height:
                raise DecodeError(f"{source.name}: a truncated or damaged BMP: its runs end too soon")
            # Pillow takes a palette of the darkest greys for no palette, whatever the depth.
            if image.mode in PLAIN and PLAIN[image.mode] != _bits(data):
                raise FormatError(
                    f"{source.name}: a BMP of {_bits(data)} bits all dark grey: save it as a PNG"
                )
        picture = super().decode(source)
        assert picture.container is not None
        calibrated = len(data) > 122 and data[14] >= 108 and data[70:74] == CALIBRATED and any(data[74:122])
        metadata = replace(
            picture.container.metadata,
            icc=_profile(data),
            colour="what it says of its colours (end points and gamma)" if calibrated else "",
        )
        picture.container = replace(picture.container, metadata=metadata, details={"depth": _bits(data)})
        return picture

    def rewrite(self, picture: Picture, changed: Bool, *, consume: bool = False) -> Encoded:
        """New pixels, and palette entries where the table was free, in the file as it was; or a new file."""
        assert picture.container is not None
        data = picture.container.read_bytes()
        if not changed.any():
            return Encoded(data)
        made = self.written(picture, picture.container.metadata)
        kept = _kept(data, made, picture)
        if kept is not None:
            return Encoded(kept)
        lost = ", without its profile" if picture.container.metadata.icc else ""
        return Encoded(made, (f"written as a new BMP of {_bits(made)} bits a pixel{lost}",))

    def written(self, picture: Picture, metadata: Metadata) -> bytes:
        """A file of it, by Pillow; alpha is named in a header that has a place for that."""
        data = super().written(picture, metadata)
        if picture.mode == "P":
            return _told_from_grey(data)
        if picture.mode != "RGBA":
            return data
        head = struct.pack("<2sIII", b"BM", len(data) + 68, 0, 14 + 108)
        info = struct.pack("<I12sI20s", 108, data[18:30], 3, data[34:54])
        return head + info + BGRA + b"BGRs" + bytes(48) + data[54:]


def _told_from_grey(data: bytes) -> bytes:
    """A file with a palette that Pillow does not take for none: one entry more where all are dark greys."""
    (begin,) = struct.unpack_from("<I", data, 10)
    table = np.frombuffer(data, np.uint8, begin - 54, 54).reshape(-1, 4)
    count = len(table)
    greys = np.array([0, 255] if count == 2 else range(count), np.uint8)
    if count == 256 or (table[:, :3] != greys[:, None]).any():
        return data
    size, head = struct.pack("<I", len(data) + 4), struct.pack("<I", begin + 4)
    used = struct.pack("<I", count + 1)
    return b"".join(
        (data[:2], size, data[6:10], head, data[14:46], used, data[50:begin], bytes(4), data[begin:])
    )


def _bits(data: bytes) -> int:
    return int(struct.unpack_from("<H", data, 24 if data[14] == 12 else 28)[0])


def _oddly_placed(data: bytes, image: ImageFile.ImageFile) -> bool:
    """Whether Pillow, which pads literal pixels by their place in the file, pads them unlike others."""
    return bool(image.tile) and image.tile[0].codec_name == "bmp_rle" and image.tile[0].offset % 2 == 1


def _most_pixels(data: bytes, image: ImageFile.ImageFile) -> float:
    """At least as many pixels as its run lengths draw; infinite where it has none.

    Pillow walks them code by code in Python. Here a regular expression finds where they end, and every pair
    of bytes up to there is taken for a code, those of literal pixels too: a hundred times as fast.
    """
    if not image.tile or image.tile[0].codec_name != "bmp_rle":
        return np.inf
    drawing = memoryview(data)[image.tile[0].offset :]
    codes = _codes(two_a_byte=_bits(data) == 4).match(drawing)
    assert codes is not None  # none at all is a match, too
    end = codes.end()
    if drawing[end : end + 2] != END:  # a code that is cut short may still draw, as far as it goes
        end += LONGEST
    drawing = drawing[:end]
    pairs = np.frombuffer(drawing, np.uint8, len(drawing) // 2 * 2).reshape(-1, 2)
    escapes = np.flatnonzero(pairs[:, 0] == 0)
    second = pairs[escapes, 1]
    jumps = escapes[second == 2] + 1
    right, up = pairs[jumps[jumps < len(pairs)]].sum(0, dtype=np.int64)
    drawn = pairs[:, 0].sum(dtype=np.int64) + second[second > 2].sum(dtype=np.int64)
    return int(drawn + right + (up + np.count_nonzero(second == 0)) * image.width)


@cache
def _codes(*, two_a_byte: bool) -> re.Pattern[bytes]:
    """Codes of run lengths, as many as follow one another: runs, ends of rows, jumps, literal pixels."""
    literal = []
    for count in range(3, 256):
        size = (count + 1) // 2 if two_a_byte else count
        literal.append(re.escape(bytes([count])) + b".{%d}" % (size + size % 2))
    return re.compile(b"(?:[\1-\xff].|\0(?:\0|\2..|" + b"|".join(literal) + b"))*+", re.DOTALL)


def _profile(data: bytes) -> bytes | None:
    """The embedded profile of a version 5 header."""
    if len(data) < 138 or data[14] != 124 or data[70:74] != EMBEDDED:
        return None
    at, size = struct.unpack_from("<II", data, 126)
    return data[14 + at : 14 + at + size] or None


def _kept(data: bytes, made: bytes, picture: Picture) -> bytes | None:
    """The source file with the pixels of ``made``; None where they are laid out in another way."""
    raw, alpha = struct.pack("<I", 0), struct.pack("<I", 3)
    if data[14] < 40 or _bits(data) != BITS[picture.mode] or struct.unpack_from("<i", data, 22)[0] < 0:
        return None
    if data[30:34] != raw and not (picture.mode == "RGBA" and data[30:34] == alpha and data[54:70] == BGRA):
        return None
    (at,), (begin,) = struct.unpack_from("<I", data, 10), struct.unpack_from("<I", made, 10)
    if at < 14 + data[14]:  # Pillow reads 0 as right behind the header
        return None
    head = bytearray(data[:at])
    if picture.mode in "LP":
        table = made[54:begin]
        first = 14 + data[14]
        if min(at - first, 4 * (struct.unpack_from("<I", data, 46)[0] or 256)) < len(table):
            return None
        head[first : first + len(table)] = table
    return b"".join((head, made[begin:], data[at + len(made) - begin :]))


CODEC = BmpCodec()
