"""A JPEG's coefficients on disk: what libjpeg keeps of a picture as a whole, a few rows of it in memory.

libjpeg asks for such arrays, and for rows of them, through pointers to functions; these here take the place
of its own. What its own would do on machines with little memory its builds have given up long ago.

Reference: libjpeg, "structure.txt", "Memory manager services".
"""

from __future__ import annotations

import ctypes
import tempfile

import numpy as np

from remend.io.jpeg import libjpeg_abi as abi
from remend.io.scratch import bytes_of

__all__ = ["DiskArrays"]

BLOCK_BYTES = 128


class _Array:
    """One component: rows of blocks in the file, a window of them in memory."""

    def __init__(self, offset: int, row_bytes: int, most: int) -> None:
        self.offset, self.row_bytes = offset, row_bytes
        self.buffer = np.zeros((most, row_bytes), np.uint8)
        begin = self.buffer.ctypes.data
        self.pointers = (ctypes.c_void_p * most)(*(begin + row * row_bytes for row in range(most)))
        self.first, self.count, self.changed = 0, 0, False


class DiskArrays:
    """The virtual block arrays of one libjpeg session.

    A fault of the disk cannot be raised through libjpeg: that goes on with what is in memory; `check` tells.
    """

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile(prefix="remend-", buffering=0)  # noqa: SIM115 - kept
        self.arrays: list[_Array] = []
        self.size = 0
        self.failure: OSError | None = None
        self._requested = abi.RequestBlocks(self._request)
        self._accessed = abi.AccessBlocksOf(self._access)

    def take_over(self, memory_manager: int) -> None:
        """Put these functions in the place of libjpeg's, in one of its memory managers."""
        slots = ctypes.cast(memory_manager, ctypes.POINTER(ctypes.c_void_p))
        slots[abi.REQUEST_VIRT_BARRAY] = ctypes.cast(self._requested, ctypes.c_void_p).value
        slots[abi.ACCESS_VIRT_BARRAY] = ctypes.cast(self._accessed, ctypes.c_void_p).value

    def check(self) -> None:
        """See that the disk took and gave everything.

        Raises:
            OSError: what it said when it did not.
        """
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        """Give the disk back."""
        self.file.close()

    def _request(self, cinfo: int, pool: int, zero: int, blocks: int, rows: int, most: int) -> int:
        """A new array, zeros; its handle is its number from 1 on, which libjpeg never looks behind."""
        self.arrays.append(_Array(self.size, blocks * BLOCK_BYTES, most))
        self.size += rows * blocks * BLOCK_BYTES
        return len(self.arrays)

    def _access(self, cinfo: int, handle: int, start: int, count: int, writable: int) -> int:
        """Where the pointers to ``count`` rows from ``start`` on lie."""
        array = self.arrays[handle - 1]
        try:
            if not array.first <= start or start + count > array.first + array.count:
                self._store(array)
                self._load(array, start, count)
        except OSError as error:
            self.failure = self.failure or error
            array.first, array.count, array.changed = start, count, False
        array.changed |= bool(writable & 0xFF)  # one byte, in some builds
        return ctypes.addressof(array.pointers) + (start - array.first) * ctypes.sizeof(ctypes.c_void_p)

    def _store(self, array: _Array) -> None:
        if not array.changed:
            return
        self.file.seek(array.offset + array.first * array.row_bytes)
        waiting = bytes_of(array.buffer[: array.count])
        while waiting:
            waiting = waiting[self.file.write(waiting) or 0 :]
        array.changed = False

    def _load(self, array: _Array, start: int, count: int) -> None:
        self.file.seek(array.offset + start * array.row_bytes)
        room = bytes_of(array.buffer[:count])
        while room and (got := self.file.readinto(room)):
            room = room[got:]
        if room:  # never written: zeros
            room[:] = bytes(len(room))
        array.first, array.count = start, count
