"""The blocks of a GIF file, read without decoding a pixel.

Reference: CompuServe, "Graphics Interchange Format, Version 89a", 1990.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from remend.errors import DecodeError, FormatError

__all__ = ["Block", "Screen", "colour_table_bytes", "read_screen", "walk_blocks"]

MAX_BLOCKS = 1 << 20


@dataclass(frozen=True, slots=True)
class Screen:
    """The logical screen: its size, packed field, background index, aspect, and where blocks begin."""

    version: bytes
    width: int
    height: int
    packed: int
    background: int
    aspect: int
    table: bytes

    def to_bytes(self) -> bytes:
        """Signature, screen descriptor and global colour table."""
        fields = struct.pack("<HHBBB", self.width, self.height, self.packed, self.background, self.aspect)
        return b"GIF" + self.version + fields + self.table


@dataclass(frozen=True, slots=True)
class Block:
    """One block: ``image``, ``control``, ``comment``, ``application``, ``other`` or ``trailer``.

    Attributes:
        start, end: its bytes in the file.
        body: of images, where the LZW data begin (the minimum code size); of others, the sub-blocks.
    """

    kind: str
    start: int
    end: int
    body: int


def colour_table_bytes(packed: int) -> int:
    """Bytes of the colour table that a packed field announces, 0 for none."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def read_screen(file: BinaryIO, name: str) -> Screen:
    """The first block.

    Raises:
        FormatError: not a GIF. DecodeError: truncated, or a size of zero.
    """
    head = file.read(13)
    if head[:3] != b"GIF" or head[3:6] not in (b"87a", b"89a"):
        raise FormatError(f"{name}: not a GIF: it does not start with GIF87a or GIF89a")
    if len(head) < 13:
        raise DecodeError(f"{name}: a truncated GIF: it ends after {len(head)} bytes")
    width, height, packed, background, aspect = struct.unpack("<HHBBB", head[6:])
    table = file.read(colour_table_bytes(packed))
    return Screen(head[3:6], width, height, packed, background, aspect, table)


def walk_blocks(file: BinaryIO, name: str) -> Iterator[Block]:
    """Every block up to the trailer, from where the file stands; a missing trailer is forgiven.

    Raises:
        DecodeError: the file ends inside a block, or a byte is no block's first.
    """
    for _ in range(MAX_BLOCKS):
        start = file.tell()
        first = file.read(1)
        if first in (b"", b";"):
            yield Block("trailer", start, file.tell(), start)
            return
        if first == b",":
            descriptor = _exactly(file, 9, name)
            _exactly(file, colour_table_bytes(descriptor[8]), name)
            body = file.tell()
            _exactly(file, 1, name)
            kind = "image"
        elif first == b"!":
            label = _exactly(file, 1, name)
            kind = {0xF9: "control", 0xFE: "comment", 0xFF: "application"}.get(label[0], "other")
            body = file.tell()
        else:
            raise DecodeError(f"{name}: a damaged GIF: no block at byte {start}")
        while length := _exactly(file, 1, name)[0]:
            file.seek(length, 1)
        yield Block(kind, start, file.tell(), body)
    raise DecodeError(f"{name}: a damaged GIF: more than {MAX_BLOCKS} blocks")


def _exactly(file: BinaryIO, length: int, name: str) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise DecodeError(f"{name}: a truncated GIF: it ends inside a block")
    return data
