"""A file's bytes as if they were in memory, so that what edits bytes edits files that would not fit."""

from __future__ import annotations

import io
from typing import BinaryIO

__all__ = ["Bytes", "FileBytes", "seekable"]


class FileBytes:
    """An open file that is sliced like bytes, and changed in place like a bytearray.

    Args:
        file: opened for bytes; for writing, too, where it is changed.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def __len__(self) -> int:
        return self.file.seek(0, io.SEEK_END)

    def __getitem__(self, key: slice) -> bytes:
        start, stop, _ = key.indices(len(self))
        self.file.seek(start)
        return self.file.read(max(0, stop - start))

    def __setitem__(self, key: slice, data: bytes) -> None:
        start, stop, _ = key.indices(len(self))
        if stop - start != len(data):
            raise ValueError(f"{len(data)} bytes do not take the place of {stop - start}")
        self.file.seek(start)
        self.file.write(data)


Bytes = bytes | bytearray | memoryview | FileBytes


def seekable(data: Bytes) -> BinaryIO:
    """The same as a file to read and seek in."""
    return data.file if isinstance(data, FileBytes) else io.BytesIO(data)
