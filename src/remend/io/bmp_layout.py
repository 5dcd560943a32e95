"""How the pixels of a BMP lie in its file, and RLE.

Reference: Microsoft, "BITMAPINFOHEADER", "BITMAPV5HEADER" and "Bitmap Compression", Win32 documentation.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remend.errors import DecodeError, FormatError

__all__ = ["Layout", "expand_rle", "read_layout"]

RGB, RLE8, RLE4, BITFIELDS, ALPHAFIELDS = 0, 1, 2, 3, 6
HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
FILE_HEADER = 14


@dataclass(frozen=True, slots=True)
class Layout:
    """The headers' fields. ``masks`` are those of red, green, blue and alpha (0 where there is none)."""

    width: int
    height: int
    bits: int
    compression: int
    top_down: bool
    info_bytes: int
    palette_at: int
    palette_entries: int
    entry_bytes: int
    pixels_at: int
    masks: tuple[int, int, int, int]

    @property
    def row_bytes(self) -> int:
        """Bytes of a row, padded to four."""
        return (self.width * self.bits + 31) // 32 * 4


def read_layout(head: bytes, name: str) -> Layout:
    """The file's first 138 bytes or more.

    Raises:
        FormatError: a kind of BMP that is not supported. DecodeError: truncated or contradictory.
    """
    if head[:2] != b"BM":
        raise FormatError(f"{name}: not a BMP: it does not start with BM")
    if len(head) < 26:
        raise DecodeError(f"{name}: a truncated BMP: {len(head)} bytes")
    pixels_at, info = struct.unpack_from("<II", head, 10)
    if info not in HEADERS:
        raise FormatError(
            f"{name}: a BMP with a header of {info} bytes: {', '.join(map(str, HEADERS))} are read"
        )
    if len(head) < FILE_HEADER + info:
        raise DecodeError(f"{name}: a truncated BMP: it ends inside its header")
    compression, entries = RGB, 0
    if info == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", head, 18)
    else:
        width, height, _, bits = struct.unpack_from("<iiHH", head, 18)
    if info >= 40:
        (compression,) = struct.unpack_from("<I", head, 30)
        (entries,) = struct.unpack_from("<I", head, 46)
    if width < 1 or height == 0:
        raise DecodeError(f"{name}: a damaged BMP: its size is {width}×{height}")
    kind = (compression, bits)
    known = {(RGB, 1), (RGB, 4), (RGB, 8), (RGB, 16), (RGB, 24), (RGB, 32), (RLE8, 8), (RLE4, 4)}
    known |= {(BITFIELDS, 16), (BITFIELDS, 32), (ALPHAFIELDS, 16), (ALPHAFIELDS, 32)}
    if kind not in known or (info == 64 and compression > RLE4):
        raise FormatError(
            f"{name}: a BMP of {bits} bits, compression {compression}: save it uncompressed first"
        )
    palette_at = FILE_HEADER + info
    if info == 40 and compression in (BITFIELDS, ALPHAFIELDS):
        palette_at += 16 if compression == ALPHAFIELDS else 12
    entries = min(entries or 1 << bits, 1 << bits) if bits <= 8 else 0
    entry_bytes = 3 if info == 12 else 4
    if pixels_at < palette_at:
        raise DecodeError(f"{name}: a damaged BMP: its pixels begin inside its header, at byte {pixels_at}")
    entries = min(entries, (pixels_at - palette_at) // entry_bytes)
    return Layout(
        width=width,
        height=abs(height),
        bits=bits,
        compression=compression,
        top_down=height < 0,
        info_bytes=info,
        palette_at=palette_at,
        palette_entries=entries,
        entry_bytes=entry_bytes,
        pixels_at=pixels_at,
        masks=_masks(head, info, bits, compression, name),
    )


def _masks(head: bytes, info: int, bits: int, compression: int, name: str) -> tuple[int, int, int, int]:
    if bits not in (16, 32):
        return 0, 0, 0, 0
    if compression == RGB:
        return (0x7C00, 0x3E0, 0x1F, 0) if bits == 16 else (0xFF0000, 0xFF00, 0xFF, 0)
    alpha = info >= 56 or compression == ALPHAFIELDS
    if len(head) < 54 + 12 + 4 * alpha:
        raise DecodeError(f"{name}: a truncated BMP: it ends inside its header")
    red, green, blue = struct.unpack_from("<III", head, 54)
    masks = (red, green, blue, struct.unpack_from("<I", head, 66)[0] if alpha else 0)
    for mask in masks[:3]:
        if not mask or bin(mask).rstrip("0").count("0") > 1 or mask.bit_count() > 8:
            raise FormatError(
                f"{name}: a BMP with the channel mask {mask:#x}: save it with 24 or 32 bits first"
            )
    if masks[3].bit_count() > 8 or "01" in bin(masks[3])[2:]:
        raise FormatError(f"{name}: a BMP with the alpha mask {masks[3]:#x}: save it with 32 bits first")
    return masks


def expand_rle(data: bytes, layout: Layout, name: str) -> NDArray[np.uint8]:
    """(H, W) indices, bottom row first, of RLE4 or RLE8 data; pixels that are skipped are 0.

    Raises:
        DecodeError: the data end before their end mark, or leave the picture.
    """
    pixels = np.zeros((layout.height, layout.width), np.uint8)
    x = y = at = 0
    nibbles = layout.compression == RLE4
    try:
        while y < layout.height:
            count, value = data[at], data[at + 1]
            at += 2
            if count:
                run = np.array([value >> 4, value & 15] if nibbles else [value], np.uint8)
                room = max(0, min(count, layout.width - x))
                pixels[y, x : x + room] = np.resize(run, room) if room else run[:0]
                x += count
            elif value == 0:
                x, y = 0, y + 1
            elif value == 1:
                break
            elif value == 2:
                x, y = x + data[at], y + data[at + 1]
                at += 2
            else:
                length = (value + 1) // 2 if nibbles else value
                run = np.frombuffer(data, np.uint8, length, at)
                if nibbles:
                    run = np.stack((run >> 4, run & 15), axis=1).reshape(-1)[:value]
                room = max(0, min(value, layout.width - x))
                pixels[y, x : x + room] = run[:room]
                x += value
                at += length + length % 2
    except (IndexError, ValueError) as error:
        raise DecodeError(
            f"{name}: a truncated BMP: its run lengths end in row {y} of {layout.height}"
        ) from error
    return pixels
