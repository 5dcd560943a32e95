"""The size of a picture from the first bytes of its file: a hundredth of what decoding costs."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np

from remend.train.data.sources.record import Span, Stored

__all__ = ["size_of"]

_FIRST = 32
# Frame headers: the SOF markers but for DHT (C4), JPG (C8) and DAC (CC), which lie among them.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})


def size_of(stored: Stored) -> tuple[int, int] | None:
    """(width, height) as stored, before any orientation; None where it does not begin as a picture does.

    Raises:
        OSError: the file cannot be read.

    Cost: about 20 µs a file in the system's cache.
    """
    if isinstance(stored, np.ndarray):
        return stored.shape[1], stored.shape[0]
    start, size = (stored.offset, stored.size) if isinstance(stored, Span) else (0, -1)
    with _opened(stored) as file:
        file.seek(start)
        first = file.read(_FIRST if size < 0 else min(_FIRST, size))
        try:
            if first[:3] == b"\xff\xd8\xff":
                file.seek(start + 2)
                return _jpeg(file)
            return _fixed(first)
        except (struct.error, IndexError):
            return None


def _opened(stored: str | Span | bytes) -> BinaryIO:
    if isinstance(stored, bytes):
        return BytesIO(stored)
    path = stored.path if isinstance(stored, Span) else stored
    return Path(path).open("rb", buffering=4096)


def _fixed(first: bytes) -> tuple[int, int] | None:
    """PNG and WebP say it at a fixed place."""
    if first[:8] == b"\x89PNG\r\n\x1a\n":
        width, height = struct.unpack(">II", first[16:24])
        return width, height
    if first[:4] != b"RIFF" or first[8:12] != b"WEBP":
        return None
    kind = first[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(first[24:27], "little"), 1 + int.from_bytes(first[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(first[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", first[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _jpeg(file: BinaryIO) -> tuple[int, int] | None:
    """From marker to marker up to the frame header."""
    while True:
        marker = file.read(2)
        if marker[0] != 0xFF:
            return None
        while marker[1] == 0xFF:  # padding
            marker = b"\xff" + file.read(1)
        if marker[1] in _BARE:
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if marker[1] in _FRAMES:
            _, height, width = struct.unpack(">BHH", file.read(5))
            return width, height
        if marker[1] == 0xDA or length < 2:
            return None
        file.seek(length - 2, 1)
