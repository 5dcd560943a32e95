"""RIFF, the container of WebP: chunks of a four-letter type, a length and a content padded to even.

Reference: RFC 9649, "WebP Image Format", 2024, §2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from remend.errors import DecodeError, FormatError

__all__ = ["read_chunks", "riff_chunk", "split_chunks", "walk_riff", "webp_bytes"]

MAX_CHUNKS = 1 << 20


def walk_riff(file: BinaryIO, name: str) -> Iterator[tuple[bytes, int]]:
    """(type, length) of each chunk, the file standing at its content; seeks over the contents.

    Raises:
        FormatError: not a WebP. DecodeError: it ends inside a chunk.
    """
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WEBP":
        raise FormatError(f"{name}: not a WebP: it does not start with RIFF … WEBP")
    size = file.seek(0, 2)
    end = min(size, 8 + int(struct.unpack("<I", head[4:8])[0]))
    at = 12
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            return
        file.seek(at)
        kind, length = struct.unpack("<4sI", file.read(8))
        if at + 8 + length > size:
            raise DecodeError(
                f"{name}: a truncated WebP: {size} bytes, and its chunks need {at + 8 + length}"
            )
        yield kind, length
        at += 8 + length + length % 2
    raise DecodeError(f"{name}: a damaged WebP: more than {MAX_CHUNKS} chunks")


def read_chunks(file: BinaryIO, name: str) -> list[tuple[bytes, bytes]]:
    """(type, content) of every chunk."""
    return [(kind, file.read(length)) for kind, length in walk_riff(file, name)]


def split_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """(type, content) of the chunks that ``data`` is made of; what is cut short is left out."""
    found, at = [], 0
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > len(data):
            break
        found.append((kind, data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return found


def riff_chunk(kind: bytes, content: bytes) -> bytes:
    """A whole chunk, padded to even."""
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def webp_bytes(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A WebP file of these chunks."""
    body = b"".join(riff_chunk(kind, content) for kind, content in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body
