"""Decoded rows in a file without a name, for huge pictures whose format gives its rows in order alone."""

from __future__ import annotations

import tempfile
import weakref
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.errors import PictureError
from remend.planes import LazyPlane

__all__ = ["Scratch", "bytes_of", "no_room"]


def bytes_of(array: NDArray[Any]) -> memoryview:
    """The bytes of a contiguous array, to read and to write."""
    buffer: Any = array
    return memoryview(buffer).cast("B")


def no_room(name: str, size: int, error: OSError) -> PictureError:
    """The error for a disk that does not take what must lie there for a while."""
    return PictureError(
        f"{name}: its {size / 1e9:,.1f} GB of samples do not fit into {tempfile.gettempdir()} "
        f"({error.strerror or error}): make room there, or set TMPDIR to a folder with more"
    )


class Scratch:
    """Rows of samples on disk, written from the top and then read in parts. It goes when nobody holds it.

    Args:
        shape: (H, W, C) of the picture.
        dtype: of its samples.
        name: what messages call the picture.
    """

    def __init__(self, shape: tuple[int, int, int], dtype: Any, name: str) -> None:
        self.shape, self.dtype, self.name = shape, np.dtype(dtype), name
        self._row_bytes = shape[1] * shape[2] * self.dtype.itemsize
        self._lock = Lock()
        try:
            self._file = tempfile.TemporaryFile(prefix="remend-", buffering=0)  # noqa: SIM115 - it is kept
        except OSError as error:
            raise no_room(name, shape[0] * self._row_bytes, error) from error
        weakref.finalize(self, self._file.close)

    def append(self, rows: NDArray[Any]) -> None:
        """The next rows, (n, W, C).

        Raises:
            PictureError: the disk is full.
        """
        waiting = bytes_of(np.ascontiguousarray(rows, self.dtype))
        try:
            while waiting:
                waiting = waiting[self._file.write(waiting) or 0 :]
        except OSError as error:
            raise no_room(self.name, self.shape[0] * self._row_bytes, error) from error

    def plane(self) -> LazyPlane:
        """All of it, once every row is there."""
        return LazyPlane(self.shape, self.dtype, self._read)

    def _read(self, top: int, left: int, bottom: int, right: int) -> NDArray[Any]:
        pixel = self.shape[2] * self.dtype.itemsize
        found = np.empty((bottom - top, right - left, self.shape[2]), self.dtype)
        whole = right - left == self.shape[1]
        with self._lock:
            for row in range(top, bottom, max(1, bottom - top) if whole else 1):
                self._file.seek(row * self._row_bytes + left * pixel)
                part = found if whole else found[row - top]
                if not part.size:
                    continue
                room = bytes_of(part)
                while room:
                    got = self._file.readinto(room)
                    if not got:
                        raise PictureError(f"{self.name}: what was decoded of it is gone from the disk")
                    room = room[got:]
        return found
