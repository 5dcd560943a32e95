"""Planes that are not in memory: read part by part, and what was changed kept in blocks.

A picture of a gigapixel is repaired through these: `LazyPlane` answers and takes parts as an array does, so
who cuts windows need not know. A plane without a source is False, or zero, where nothing was written: the
mask of a huge picture is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK_PX", "LazyPlane", "count_marked", "marks"]

BLOCK_PX = 256
Array = NDArray[Any]
Read = Callable[[int, int, int, int], Array]


class LazyPlane:
    """An array (H, W) or (H, W, C) of which only what was written is in memory.

    It is indexed with two slices (to read, with steps too), and a third one for channels, or with two integer
    arrays that are broadcast; what comes back is a copy.

    Args:
        shape: of the whole.
        dtype: of its elements.
        read: answers the rows and columns (top, left, bottom, right) as they were; None = zeros.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any, read: Read | None = None) -> None:
        self.shape, self.dtype, self.ndim = tuple(shape), np.dtype(dtype), len(shape)
        self._read = read
        self._blocks: dict[tuple[int, int], Array] = {}

    @property
    def size(self) -> int:
        """Elements in all."""
        return int(np.prod(self.shape))

    def copy(self) -> LazyPlane:
        """The same plane, written to by itself."""
        other = LazyPlane(self.shape, self.dtype, self._read)
        other._blocks = {place: block.copy() for place, block in self._blocks.items()}
        return other

    def blocks(self) -> Iterator[tuple[int, int, Array]]:
        """What was written, in blocks from the top: (top, left, block); at the border they are smaller."""
        for (row, column), block in sorted(self._blocks.items(), key=lambda one: one[0]):
            yield row * BLOCK_PX, column * BLOCK_PX, block

    def __getitem__(self, key: Any) -> Array:
        rows, columns, *rest = key
        if isinstance(rows, slice):
            top, bottom, down = rows.indices(self.shape[0])
            left, right, across = columns.indices(self.shape[1])
            if down == 1:
                found = self._part(top, left, max(top, bottom), max(left, right))
            else:  # a thinned picture need not go through memory as a whole
                each = [self._part(y, left, y + 1, max(left, right)) for y in range(top, bottom, down)]
                found = np.concatenate(each) if each else self._part(top, left, top, left)
            found = found[:, ::across]
            return found[:, :, rest[0]] if rest else found
        top, left, bottom, right = _bounds(rows, columns)
        picked: Array = self._part(top, left, bottom, right)[rows - top, columns - left]
        return picked

    def __setitem__(self, key: Any, values: Any) -> None:
        rows, columns = key
        if isinstance(rows, slice):
            top, bottom, _ = rows.indices(self.shape[0])
            left, right, _ = columns.indices(self.shape[1])
            self._write(top, left, np.broadcast_to(values, (bottom - top, right - left, *self.shape[2:])))
            return
        if not np.size(rows):
            return
        top, left, bottom, right = _bounds(rows, columns)
        part = self._part(top, left, bottom, right)
        part[rows - top, columns - left] = values
        self._write(top, left, part)

    def _part(self, top: int, left: int, bottom: int, right: int) -> Array:
        size = (bottom - top, right - left, *self.shape[2:])
        found = np.zeros(size, self.dtype) if self._read is None else self._read(top, left, bottom, right)
        for (here, there), block in self._near(top, left, bottom, right):
            found[here] = block[there]
        return found

    def _write(self, top: int, left: int, values: Array) -> None:
        bottom, right = top + values.shape[0], left + values.shape[1]
        for row in range(top // BLOCK_PX, -(-bottom // BLOCK_PX)):
            for column in range(left // BLOCK_PX, -(-right // BLOCK_PX)):
                y, x = row * BLOCK_PX, column * BLOCK_PX
                end_y, end_x = min(y + BLOCK_PX, self.shape[0]), min(x + BLOCK_PX, self.shape[1])
                upper, lower = max(y, top), min(end_y, bottom)
                first, last = max(x, left), min(end_x, right)
                fresh = values[upper - top : lower - top, first - left : last - left]
                if (row, column) not in self._blocks:
                    if self._read is None and not fresh.any():
                        continue  # it is zero there anyhow
                    self._blocks[row, column] = self._part(y, x, end_y, end_x)
                self._blocks[row, column][upper - y : lower - y, first - x : last - x] = fresh

    def _near(
        self, top: int, left: int, bottom: int, right: int
    ) -> Iterator[tuple[tuple[tuple[slice, slice], tuple[slice, slice]], Array]]:
        """((where in the part, where in the block), block) of those that the part overlaps."""
        if not self._blocks:
            return
        for row in range(top // BLOCK_PX, -(-bottom // BLOCK_PX)):
            for column in range(left // BLOCK_PX, -(-right // BLOCK_PX)):
                block = self._blocks.get((row, column))
                if block is None:
                    continue
                y, x = row * BLOCK_PX, column * BLOCK_PX
                upper, lower = max(y, top), min(y + block.shape[0], bottom)
                first, last = max(x, left), min(x + block.shape[1], right)
                here = slice(upper - top, lower - top), slice(first - left, last - left)
                there = slice(upper - y, lower - y), slice(first - x, last - x)
                yield (here, there), block


def count_marked(mask: Any) -> int:
    """How many pixels of a mask are True, be it in memory or not."""
    if isinstance(mask, LazyPlane):
        return sum(int(np.count_nonzero(block)) for _, _, block in mask.blocks())
    return int(np.count_nonzero(mask))


def marks(mask: Any, rows: slice, columns: slice) -> bool:
    """Whether a part of a mask has a True pixel, be it in memory or not."""
    if isinstance(mask, LazyPlane):
        near = mask._near(rows.start, columns.start, rows.stop, columns.stop)
        return any(bool(block[there].any()) for (_, there), block in near)
    return bool(mask[rows, columns].any())


def _bounds(rows: Array, columns: Array) -> tuple[int, int, int, int]:
    return int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1
