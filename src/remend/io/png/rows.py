"""A PNG from top to bottom in bands, none of them large: the filtered rows as they lie in it, and samples.

A row is filtered against the one above it. So each band is decoded as a picture of its own, whose first row
is the last one of the band before, stored without a filter.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.io.codec import Source
from remend.io.file_bytes import Bytes, FileBytes
from remend.io.png.chunks import Chunk, ImageHeader, find, read_header, read_palette, split_chunks
from remend.io.png.raster import decode_raster, inflated, packed
from remend.io.source_stream import opened
from remend.picture import Mode, Picture

__all__ = ["decoded_bands", "filtered_bands", "png_bands", "row_bytes_of"]

ROWS = 256
BAND_BYTES = 8 << 20
READ_BYTES = 1 << 20
MODES: dict[int, Mode] = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}


def png_bands(source: Source) -> Iterator[tuple[int, Picture]] | None:
    """(row that it begins at, band of the picture as stored) from the top on; None for an interlaced PNG.

    Raises:
        DecodeError: when the band is asked for in which the data are damaged or end.

    Cost: a band.
    """
    with opened(source) as file:
        data = FileBytes(file)
        chunks, _ = split_chunks(data, source.name, tolerate=False)
        image = read_header(data[chunks[0].content], source.name)
        contents = {kind: find(chunks, kind) for kind in (b"PLTE", b"tRNS")}
        plte, trns = (data[one.content] if one else b"" for one in contents.values())
    if image.interlaced:
        return None
    palette = read_palette(plte, trns, source.name) if image.colour == 3 else None

    def bands() -> Iterator[tuple[int, Picture]]:
        with opened(source) as file:
            for top, samples in decoded_bands(FileBytes(file), chunks, image, source.name):
                yield top, Picture(samples, MODES[image.colour], palette)

    return bands()


def decoded_bands(
    data: Bytes, chunks: Sequence[Chunk], image: ImageHeader, name: str
) -> Iterator[tuple[int, NDArray[Any]]]:
    """(row that it begins at, (n, W, C) samples) of each band, as `remend.io.png.raster.decode_raster` says.

    Args:
        data: the file.
        chunks: all of its chunks.
        image: its header; not interlaced.
        name: what messages call it.

    Raises:
        DecodeError: the data are damaged or end early.
    """
    above = b""
    for top, filtered in filtered_bands(data, chunks, image, name):
        more = int(bool(above))
        part = replace(image, height=len(filtered) // row_bytes_of(image) + more)
        stored = zlib.compress(above + filtered, 0)
        samples = decode_raster(part, [memoryview(stored)], name)[more:]
        last = samples[-1:]
        if image.depth < 8:
            row = packed(last[:, :, 0], image).tobytes()
        else:
            row = np.ascontiguousarray(last.astype(">u2") if image.depth == 16 else last).tobytes()
        above = b"\0" + row
        yield top, samples


def filtered_bands(
    data: Bytes, chunks: Sequence[Chunk], image: ImageHeader, name: str
) -> Iterator[tuple[int, bytes]]:
    """(row that it begins at, filtered rows, each behind the number of its filter) of each band."""
    row_bytes = row_bytes_of(image)
    most = max(1, min(ROWS, BAND_BYTES // row_bytes))
    waiting, top = bytearray(), 0
    for piece in inflated(_coded(data, chunks), row_bytes * image.height, name, None):
        waiting += piece
        while waiting and (
            len(waiting) >= most * row_bytes or top + len(waiting) // row_bytes == image.height
        ):
            rows = min(most, image.height - top)
            filtered = bytes(waiting[: rows * row_bytes])
            del waiting[: rows * row_bytes]
            yield top, filtered
            top += rows


def row_bytes_of(image: ImageHeader) -> int:
    """Bytes of a filtered row, with the number of its filter."""
    return image.row_bytes(image.width) + 1


def _coded(data: Bytes, chunks: Sequence[Chunk]) -> Iterator[bytes]:
    """What the IDAT chunks hold, a piece at a time."""
    for chunk in chunks:
        if chunk.type == b"IDAT":
            end = chunk.start + chunk.length
            for at in range(chunk.start, end, READ_BYTES):
                yield bytes(data[at : min(at + READ_BYTES, end)])
