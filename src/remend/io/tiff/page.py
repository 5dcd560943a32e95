"""One TIFF page as a picture sees it: where its strips lie, and its samples in the picture's units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.errors import DecodeError
from remend.io.file_bytes import FileBytes
from remend.io.tiff.directory import Directory
from remend.io.tiff.layout import Chunk, Layout

__all__ = [
    "chunk_table",
    "coded_bytes",
    "colour_map",
    "read_palette",
    "sixteen_bits",
    "to_picture",
    "to_stored",
]

Array = NDArray[Any]

WHITE_IS_ZERO = 0
MAX_SHARED, SHARED_BYTES = 8, 64 << 20  # writers store equal tiles once; all are decoded


def chunk_table(directory: Directory, layout: Layout) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Offsets and byte counts of the page's strips or tiles."""
    tags = (324, 325) if layout.tile else (273, 279)
    offsets, lengths = (directory.integers(tag) for tag in tags)
    if offsets is None or len(offsets) < layout.chunk_count:
        raise DecodeError(
            f"{directory.name}: a damaged TIFF: {len(offsets or ())} of {layout.chunk_count} strips or tiles"
        )
    if lengths is None and layout.compression == 1:  # some old writers leave them out
        blank = layout.chunks(offsets, [0] * len(offsets))
        lengths = tuple(layout.row_bytes(chunk.columns) * chunk.rows for chunk in blank)
    if lengths is None or len(lengths) < layout.chunk_count:
        raise DecodeError(f"{directory.name}: a damaged TIFF: the byte counts of its strips are missing")
    held = directory.file.seek(0, 2)
    if layout.compression != 1 and sum(lengths[: layout.chunk_count]) > MAX_SHARED * held + SHARED_BYTES:
        raise DecodeError(f"{directory.name}: a damaged TIFF: its strips or tiles overlap")
    return offsets, lengths


def coded_bytes(view: memoryview | FileBytes, chunk: Chunk, name: str) -> bytes | memoryview:
    """The bytes of a strip or tile."""
    end = chunk.offset + chunk.length
    if end > len(view):
        raise DecodeError(
            f"{name}: a truncated TIFF: {len(view)} bytes, and the pixels from row {chunk.box.top} need {end}"
        )
    return view[chunk.offset : end]


def to_picture(block: Array, layout: Layout, plane: int) -> Array:
    """Stored samples in the picture's units: grey spread over 0–255, white high."""
    if layout.photometric == WHITE_IS_ZERO and not layout.floating and not layout.signed and plane == 0:
        block = block.copy()
        block[:, :, 0] = block.dtype.type((1 << layout.bits) - 1) - block[:, :, 0]
    if layout.mode == "L" and layout.bits < 8:
        block = block * np.uint8(255 // ((1 << layout.bits) - 1))
    return block


def to_stored(block: Array, layout: Layout, plane: int) -> Array:
    """The inverse of `to_picture`; grey between two levels goes to the nearest."""
    largest = (1 << layout.bits) - 1
    if layout.mode == "L" and layout.bits < 8:
        block = ((block.astype(np.uint16) * largest + 127) // 255).astype(np.uint8)
    if layout.photometric == WHITE_IS_ZERO and not layout.floating and not layout.signed and plane == 0:
        block = block.copy()
        block[:, :, 0] = block.dtype.type(largest) - block[:, :, 0]
    return block


def read_palette(directory: Directory, samples: Array) -> NDArray[np.uint8]:
    """(N, 4) RGBA of ColorMap, up to the last entry in use, so that the rest is free for new ones."""
    values = directory.integers(320)
    entries = len(values or ()) // 3
    used = int(samples.max()) + 1
    if values is None or entries < used:
        raise DecodeError(
            f"{directory.name}: a damaged TIFF: a palette of {entries} entries, {used} are used"
        )
    palette = np.full((used, 4), 255, np.uint8)
    palette[:, :3] = (sixteen_bits(values[: 3 * entries]).reshape(3, -1)[:, :used] >> 8).T
    return palette


def sixteen_bits(values: Sequence[int]) -> NDArray[np.uint16]:
    """The values of ColorMap, whose type other than SHORT may say more: what is out of range is clipped."""
    return np.array([min(max(value, 0), 65535) for value in values], np.uint16)


def colour_map(palette: NDArray[np.uint8], bits: int) -> list[int]:
    """The values of ColorMap: all red, all green, all blue, 16 bits each."""
    full = np.zeros((3, 1 << bits), np.uint16)
    full[:, : len(palette)] = palette[:, :3].T.astype(np.uint16) * 257
    return [int(value) for value in full.reshape(-1)]
