"""The chunks of a PNG file: split, checked, read and made, without touching a pixel.

Reference: W3C, "Portable Network Graphics (PNG) Specification, Third Edition", 2025, §5 and §11.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from remend.errors import DecodeError, FormatError
from remend.io.file_bytes import Bytes, seekable

__all__ = [
    "MAX_INFLATED",
    "SIGNATURE",
    "Chunk",
    "ImageHeader",
    "chunk_bytes",
    "colour_key",
    "find",
    "inflate",
    "palette_chunks",
    "read_header",
    "read_palette",
    "split_chunks",
    "walk_chunks",
]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 1 << 20
PIECE = 1 << 20
MAX_INFLATED = 64 << 20  # bytes of a file's compressed ancillary chunks; profiles are a few MB at most
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its four-letter type, and where its content lies in the file."""

    type: bytes
    start: int
    length: int

    @property
    def whole(self) -> slice:
        """The chunk with its length, type and checksum."""
        return slice(self.start - 8, self.start + self.length + 4)

    @property
    def content(self) -> slice:
        """The content alone."""
        return slice(self.start, self.start + self.length)


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """IHDR: size in pixels, bits a sample, colour type (0 L, 2 RGB, 3 P, 4 LA, 6 RGBA), Adam7 or not."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool = False

    @property
    def channels(self) -> int:
        """Samples a pixel."""
        return CHANNELS[self.colour]

    def row_bytes(self, width: int) -> int:
        """Bytes of a packed row of ``width`` pixels, without its filter byte."""
        return (width * self.channels * self.depth + 7) // 8

    @property
    def passes(self) -> tuple[tuple[int, int, int, int, int, int], ...]:
        """(x0, y0, dx, dy, width, height) of every pass that holds pixels; one where not interlaced."""
        if not self.interlaced:
            return ((0, 0, 1, 1, self.width, self.height),)
        sized = [(x, y, u, v, -(-(self.width - x) // u), -(-(self.height - y) // v)) for x, y, u, v in ADAM7]
        return tuple(one for one in sized if one[4] > 0 and one[5] > 0)

    def to_bytes(self) -> bytes:
        """The chunk's content."""
        return struct.pack(
            ">IIBBBBB", self.width, self.height, self.depth, self.colour, 0, 0, int(self.interlaced)
        )

    def relabelled(self, *, depth: int, colour: int) -> ImageHeader:
        """The same size and passes under another sample layout."""
        return replace(self, depth=depth, colour=colour)


def read_header(content: bytes, name: str) -> ImageHeader:
    """IHDR, checked.

    Raises:
        DecodeError: it has another length, or a size of zero.
        FormatError: it names a colour type, depth or method that PNG does not have.
    """
    if len(content) != 13:
        raise DecodeError(f"{name}: a damaged PNG: its header has {len(content)} bytes, not 13")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", content)
    if not 0 < width < 1 << 31 or not 0 < height < 1 << 31:
        raise DecodeError(f"{name}: a damaged PNG: its header says {width}×{height} pixels")
    if depth not in DEPTHS.get(colour, ()):
        raise FormatError(f"{name}: not a valid PNG: colour type {colour} with {depth} bits a sample")
    if compression or filtering or interlace > 1:
        raise FormatError(f"{name}: not a valid PNG: unknown compression, filter or interlace method")
    return ImageHeader(width, height, depth, colour, bool(interlace))


def walk_chunks(file: BinaryIO, name: str, *, tolerate: bool = False) -> Iterator[tuple[bytes, int]]:
    """(type, length) of each chunk, the file standing at its content; reads 8 bytes a chunk.

    Raises:
        DecodeError: the file ends inside a chunk, or before IEND.
    """
    if file.read(8) != SIGNATURE:
        raise FormatError(f"{name}: not a PNG: its signature is damaged")
    at = 8
    for _ in range(MAX_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            if tolerate:
                return
            raise DecodeError(
                f"{name}: a truncated PNG, it ends after {at} bytes, before its end chunk: "
                "get a complete copy, or --tolerate it"
            )
        length, kind = struct.unpack(">I4s", head)
        if tolerate and not (kind.isalpha() and kind.isascii()):
            return
        if not kind.isalpha() or not kind.isascii() or length > 0x7FFFFFFF:
            raise DecodeError(f"{name}: a damaged PNG: no chunk at byte {at}")
        yield kind, length
        if kind == b"IEND":
            return
        at += length + 12
    raise DecodeError(f"{name}: a damaged PNG: more than {MAX_CHUNKS} chunks")


def split_chunks(data: Bytes, name: str, *, tolerate: bool = False) -> tuple[list[Chunk], list[str]]:
    """Every chunk up to IEND, and the types of those ancillary ones whose checksum is wrong.

    With ``tolerate`` a file may end before it, inside IDAT too, and IDAT may be damaged.

    Raises:
        DecodeError: truncated, or a critical chunk whose checksum is wrong.
    """
    file, size = seekable(data), len(data)
    file.seek(0)
    chunks: list[Chunk] = []
    doubtful: list[str] = []
    for kind, length in walk_chunks(file, name, tolerate=tolerate):
        chunk = Chunk(kind, file.tell(), length)
        if tolerate and chunk.start + length + 4 > size:
            if kind == b"IDAT":
                chunks.append(Chunk(kind, chunk.start, max(0, size - chunk.start)))
            break
        end = chunk.start + length
        if end + 4 > size:
            raise DecodeError(
                f"{name}: a truncated PNG, {size} bytes, and its {kind.decode()} chunk needs {end + 4}: "
                "get a complete copy, or --tolerate it"
            )
        if not _sound(file, chunk):
            if tolerate and kind == b"IDAT":
                chunks.append(chunk)
                continue
            if kind[0] < 0x60:  # upper case: a critical chunk
                advice = ": get a complete copy, or --tolerate it" if kind == b"IDAT" else ""
                raise DecodeError(
                    f"{name}: a damaged PNG: its {kind.decode()} chunk has a wrong checksum{advice}"
                )
            doubtful.append(kind.decode())
        chunks.append(chunk)
    if not chunks or chunks[0].type != b"IHDR":
        raise DecodeError(f"{name}: a damaged PNG: it does not start with IHDR")
    if not any(chunk.type == b"IDAT" for chunk in chunks):
        raise DecodeError(f"{name}: a damaged PNG: it holds no picture data (no IDAT chunk)")
    return chunks, doubtful


def _sound(file: BinaryIO, chunk: Chunk) -> bool:
    """Whether a chunk's checksum is that of its type and content; read a piece at a time."""
    file.seek(chunk.start - 4)
    checksum, left = 0, chunk.length + 4
    while left and (piece := file.read(min(left, PIECE))):
        checksum, left = zlib.crc32(piece, checksum), left - len(piece)
    return checksum == int.from_bytes(file.read(4), "big")


def chunk_bytes(kind: bytes, content: bytes) -> bytes:
    """A whole chunk.

    >>> chunk_bytes(b"IEND", b"").hex()
    '0000000049454e44ae426082'
    """
    checksum = zlib.crc32(content, zlib.crc32(kind))
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def inflate(data: bytes, limit: int = MAX_INFLATED) -> bytes | None:
    """The content of a compressed ancillary chunk; None when it is damaged or longer than ``limit``."""
    try:
        decoder = zlib.decompressobj()
        inflated = decoder.decompress(data, max(1, limit))
    except zlib.error:
        return None
    return inflated if decoder.eof else None


def read_palette(plte: bytes, trns: bytes, name: str) -> NDArray[np.uint8]:
    """(N, 4) RGBA of PLTE and tRNS.

    Raises:
        DecodeError: PLTE is empty, above 256 entries, or not made of triples.
    """
    if not plte or len(plte) % 3 or len(plte) > 768:
        raise DecodeError(f"{name}: a damaged PNG: its palette has {len(plte)} bytes")
    colours = np.frombuffer(plte, np.uint8).reshape(-1, 3)
    palette = np.full((len(colours), 4), 255, np.uint8)
    palette[:, :3] = colours
    alpha = np.frombuffer(trns, np.uint8)[: len(colours)]
    palette[: len(alpha), 3] = alpha
    return palette


def palette_chunks(palette: NDArray[np.uint8]) -> tuple[bytes, bytes]:
    """The contents of PLTE and tRNS; tRNS ends with its last entry that is not opaque, and may be empty."""
    translucent = np.flatnonzero(palette[:, 3] != 255)
    alpha = palette[: translucent[-1] + 1, 3] if translucent.size else palette[:0, 3]
    return np.ascontiguousarray(palette[:, :3]).tobytes(), alpha.tobytes()


def find(chunks: Sequence[Chunk], kind: bytes) -> Chunk | None:
    """The first chunk of that type."""
    return next((chunk for chunk in chunks if chunk.type == kind), None)


def colour_key(trns: bytes, image: ImageHeader) -> tuple[int, ...] | None:
    """tRNS of L or RGB in the units of the samples."""
    if image.colour not in (0, 2) or len(trns) < 2 * image.channels:
        return None
    largest = (1 << image.depth) - 1
    values = (value & largest for value in struct.unpack_from(f">{image.channels}H", trns))
    return tuple(value * 255 // largest if image.depth < 8 else value for value in values)
