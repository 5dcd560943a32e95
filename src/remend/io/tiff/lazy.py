"""A TIFF page of which only what is asked for is decoded: its strips and tiles, a few of them kept."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.errors import DecodeError
from remend.io.tiff.chunk import decode_chunk
from remend.io.tiff.directory import Directory
from remend.io.tiff.layout import Chunk, Layout
from remend.io.tiff.page import chunk_table, to_picture
from remend.planes import LazyPlane

__all__ = ["MOST_CHUNK_BYTES", "chunk_bytes_of", "lazy_samples"]

KEPT_BYTES = 48 << 20  # of decoded strips and tiles
MOST_CHUNK_BYTES = 32 << 20  # decoded; a larger strip or tile is no part of a picture
Array = NDArray[Any]
Fetch = Callable[[int, int], bytes]


def chunk_bytes_of(layout: Layout) -> int:
    """Bytes of the largest strip or tile that has to be decoded at once."""
    if layout.compression == 1 and not layout.tile:
        return 0  # any rows of it
    return layout.chunk_pixels * layout.chunk_samples * max(8, layout.bits) // 8


def lazy_samples(directory: Directory, layout: Layout, fetch: Fetch) -> LazyPlane:
    """(H, W, C) samples of a page in a picture's units, as `remend.io.tiff.repaint.decoded` gives them.

    Args:
        directory: of the page; what is needed of it is read now.
        layout: of the page.
        fetch: answers the file's bytes from an offset on, as many as asked for.

    Raises:
        DecodeError: now, where the page's tables are damaged; when a part is read, where that is.
    """
    chunks = _Chunks(directory, layout, fetch)
    return LazyPlane((layout.height, layout.width, layout.channels), layout.dtype, chunks.read)


class _Chunks:
    """Strips or tiles by place, those that were decoded last kept."""

    def __init__(self, directory: Directory, layout: Layout, fetch: Fetch) -> None:
        self.name, self.layout, self.fetch = directory.name, layout, fetch
        every = layout.chunks(*chunk_table(directory, layout), pieces=True)
        self.pieces = [one for one in every if not layout.planar or one.plane < layout.channels]
        self.planes = layout.channels if layout.planar else 1
        self.kept: OrderedDict[tuple[int, int, int], Array] = OrderedDict()
        self.held = 0
        rows = [one.box.top for one in self.pieces if one.plane == 0 and one.box.left == 0]
        self.tops, self.across = rows, -(-layout.width // layout.tile[1]) if layout.tile else 1

    def read(self, top: int, left: int, bottom: int, right: int) -> Array:
        """(bottom - top, right - left, C) samples."""
        layout = self.layout
        found = np.zeros((bottom - top, right - left, layout.channels), layout.dtype)
        if not found.size:
            return found
        wide = layout.tile[1] if layout.tile else layout.width
        first, last = bisect_right(self.tops, top) - 1, bisect_right(self.tops, bottom - 1)
        for plane in range(self.planes):
            for row in range(first, last):
                for column in range(left // wide, (right - 1) // wide + 1):
                    self._lay(found, top, left, plane, row, column)
        return found

    def _lay(self, found: Array, top: int, left: int, plane: int, row: int, column: int) -> None:
        piece = self.pieces[(plane * len(self.tops) + row) * self.across + column]
        block, box = self.decode(piece), piece.box
        upper, lower = max(box.top, top), min(box.bottom, top + found.shape[0])
        first, last = max(box.left, left), min(box.right, left + found.shape[1])
        seen = block[upper - box.top : lower - box.top, first - box.left : last - box.left]
        target = found[upper - top : lower - top, first - left : last - left]
        if self.layout.planar:
            target[..., plane] = seen[..., 0]
        else:
            target[...] = seen[..., : self.layout.channels]

    def decode(self, piece: Chunk) -> Array:
        """The pixels of a strip or tile; those of a tile may reach beyond the picture."""
        key = piece.plane, piece.offset, piece.length
        if not piece.length:  # a tile that was never written
            return np.zeros((piece.rows, piece.columns, self.layout.chunk_samples), self.layout.dtype)
        if key in self.kept:
            self.kept.move_to_end(key)
            return self.kept[key]
        coded = self.fetch(piece.offset, piece.length)
        if len(coded) < piece.length:
            raise DecodeError(
                f"{self.name}: a truncated TIFF: the pixels from row {piece.box.top} lie behind its end"
            )
        block = decode_chunk(coded, self.layout, piece.rows, piece.columns, self.name)
        block = to_picture(block, self.layout, piece.plane)
        self.kept[key] = block
        self.held += block.nbytes
        while self.held > KEPT_BYTES and len(self.kept) > 1:
            self.held -= self.kept.popitem(last=False)[1].nbytes
        return block
