"""Where new strips and tiles go in a TIFF whose other bytes stay where they are.

New data take the room of the data they replace; what does not fit goes to the end of the file. Room
that is left over is set to zero: what a repair removed from the picture must not stay in the file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from remend.errors import DecodeError

__all__ = ["Patches", "Range", "merged", "overlapping"]

Range = tuple[int, int]


def merged(ranges: Iterable[Range]) -> list[Range]:
    """Half-open ranges, sorted, those that touch or overlap joined.

    >>> merged([(5, 7), (0, 2), (2, 4), (6, 9)])
    [(0, 4), (5, 9)]
    """
    result: list[Range] = []
    for start, end in sorted(one for one in ranges if one[0] < one[1]):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def overlapping(one: Range, sorted_ranges: list[Range]) -> bool:
    """Whether ``one`` overlaps any of the merged ranges."""
    at = bisect_right(sorted_ranges, (one[1] - 1, float("inf"))) - 1
    return at >= 0 and sorted_ranges[at][1] > one[0]


@dataclass(slots=True)
class Patches:
    """Changes to a file of ``length`` bytes, of which ``free`` (merged ranges) may be overwritten."""

    length: int
    free: list[Range]
    writes: list[tuple[int, bytes]] = field(default_factory=list)
    tail: list[bytes] = field(default_factory=list)
    end: int = 0

    def __post_init__(self) -> None:
        self.end = self.length
        if self.free and self.free[-1][1] >= self.length:
            self.end = self.free.pop()[0]  # the file's end is free: it is cut there, and grows again

    def place(self, data: bytes) -> int:
        """Find room for ``data``; its offset (even, as TIFF wants it)."""
        for index, (start, stop) in enumerate(self.free):
            even = start + start % 2
            if even + len(data) <= stop:
                self.writes.append((even, data))
                self.writes += [(start, b"\0")] if even > start else []
                self.free[index] = (even + len(data), stop)
                if self.free[index][0] == stop:
                    del self.free[index]
                return even
        return self.append(data)

    def append(self, data: bytes) -> int:
        """Put ``data`` at the end; its offset (even)."""
        if self.end % 2:
            self.tail.append(b"\0")
            self.end += 1
        at = self.end
        self.tail.append(data)
        self.end += len(data)
        return at

    def write(self, at: int, data: bytes) -> None:
        """Overwrite the bytes at ``at``."""
        self.writes.append((at, data))

    def apply(self, data: bytes) -> bytes:
        """The changed file; what is still free becomes zeros."""
        view = memoryview(data)[: self._kept]
        parts: list[bytes | memoryview] = []
        at = 0
        for start, new in self._in_order():
            parts += [view[at:start], new]
            at = start + len(new)
        return b"".join((*parts, view[at:], *self.tail))

    def apply_to(self, file: BinaryIO) -> None:
        """The same of a file that is changed in place."""
        changes = list(self._in_order())
        file.truncate(self._kept)
        for start, new in changes:
            file.seek(start)
            file.write(new)
        file.seek(self._kept)
        file.writelines(self.tail)

    @property
    def _kept(self) -> int:
        """How much of the file as it was stays, from its beginning."""
        return self.end - sum(map(len, self.tail))

    def _in_order(self) -> Iterator[tuple[int, bytes]]:
        at = 0
        for start, new in sorted([*self.writes, *((a, bytes(b - a)) for a, b in self.free)]):
            if start < at:
                raise DecodeError(f"a damaged TIFF: two of its tags share the byte {start}")
            yield start, new
            at = start + len(new)
