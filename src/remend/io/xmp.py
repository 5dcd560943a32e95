"""XMP inside a finished file: read, and put in the place of what is there, every other byte as it was.

What a library writes beside is no concern here: the file is taken apart by its own rules, the packet is
replaced or put in, and what counts bytes (lengths, checksums, indexes of further pictures) follows.

Reference: XMP Specification Part 3 (2020), 1.1; ISO 16684-1:2019; RFC 9649 (WebP), 2.7.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping

from remend.errors import DecodeError
from remend.io.gif_blocks import read_screen, walk_blocks
from remend.io.gif_image import XMP_START
from remend.io.jpeg import markers, mpf
from remend.io.png.chunks import chunk_bytes, inflate, split_chunks
from remend.io.png.metadata import XMP_KEYWORD
from remend.io.riff import read_chunks, webp_bytes
from remend.io.tiff.directory import Directory, read_directory, read_structure

__all__ = ["FORMATS_WITH_XMP", "packet_in", "with_packet"]

JPEG_ROOM = 65533 - len(markers.XMP)
# Whoever skips sub-blocks reads the packet's bytes as lengths; this leads him to its end wherever he stands.
GIF_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
PNG_NAME = XMP_KEYWORD.encode() + b"\0"
WEBP_XMP, WEBP_ALPHA = 0x04, 0x10
TIFF_XMP = 700
MOST = 1 << 24  # of a compressed packet


def packet_in(data: bytes, format: str) -> bytes | None:
    """The XMP packet of a file; None where there is none, or no place for one.

    Raises:
        DecodeError: the file is damaged.
    """
    found = _READ.get(format)
    return None if found is None else found(data)


def with_packet(data: bytes, format: str, packet: bytes) -> bytes | None:
    """The same file with this packet; None where the format has no place for it, or it is too long.

    Args:
        data: of a whole file.
        format: the codec's name.
        packet: UTF-8 XML.

    Raises:
        DecodeError: the file is damaged.
    """
    write = _WRITE.get(format)
    return None if write is None else write(data, packet)


def _jpeg_place(data: bytes) -> tuple[markers.Stream, int, int]:
    """The stream; where the packet's segment begins and ends, equal where one would go."""
    stream = markers.parse_stream(data)
    behind = 2
    for whole, at in zip(stream.carried, stream.positions, strict=True):
        if whole[1] == 0xE1 and whole[4:].startswith(markers.XMP):
            return stream, at, at + len(whole)
        if at == behind and (whole[1] == 0xE0 or whole[4:].startswith(markers.EXIF)):
            behind = at + len(whole)
    return stream, behind, behind


def _read_jpeg(data: bytes) -> bytes | None:
    _, start, end = _jpeg_place(data)
    return data[start + 4 + len(markers.XMP) : end] if end > start else None


def _write_jpeg(data: bytes, packet: bytes) -> bytes | None:
    if len(packet) > JPEG_ROOM:
        return None
    stream, start, end = _jpeg_place(data)
    new = markers.segment(0xE1, markers.XMP + packet)
    longer = len(new) - (end - start)
    result = bytearray(data)
    for whole, at in zip(stream.carried, stream.positions, strict=True):
        if mpf.is_index(whole):
            moved = at + (longer if at >= end else 0)
            old, now = (at, stream.length), (moved, stream.length + longer)
            result[at : at + len(whole)] = mpf.moved(whole, old=old, new=now)
    result[start:end] = new
    return bytes(result)


def _read_png(data: bytes) -> bytes | None:
    for chunk in split_chunks(data, "PNG", tolerate=True)[0]:
        content = data[chunk.content]
        if chunk.type == b"iTXt" and content.startswith(PNG_NAME):
            flags, fields = content[len(PNG_NAME) :][:2], content[len(PNG_NAME) + 2 :].split(b"\0", 2)
            if len(flags) == 2 and len(fields) == 3:
                return inflate(fields[2], MOST) if flags[0] else fields[2]
    return None


def _write_png(data: bytes, packet: bytes) -> bytes:
    new = chunk_bytes(b"iTXt", PNG_NAME + bytes(4) + packet)
    chunks, _ = split_chunks(data, "PNG", tolerate=True)
    for chunk in chunks:
        if chunk.type == b"iTXt" and data[chunk.content].startswith(PNG_NAME):
            return data[: chunk.whole.start] + new + data[chunk.whole.stop :]
    at = next(chunk.whole.start for chunk in chunks if chunk.type == b"IDAT")
    # Between the frames' control chunk and its data nothing may stand that belongs to neither.
    at = min([at, *(chunk.whole.start for chunk in chunks if chunk.type == b"fcTL")])
    return data[:at] + new + data[at:]


def _read_webp(data: bytes) -> bytes | None:
    return dict(reversed(read_chunks(io.BytesIO(data), "WebP"))).get(b"XMP ")


def _write_webp(data: bytes, packet: bytes) -> bytes:
    chunks = [one for one in read_chunks(io.BytesIO(data), "WebP") if one[0] != b"XMP "]
    if not any(kind == b"VP8X" for kind, _ in chunks):
        chunks.insert(0, (b"VP8X", _canvas(chunks)))
    for place, (kind, content) in enumerate(chunks):
        if kind == b"VP8X":
            chunks[place] = kind, bytes([content[0] | WEBP_XMP]) + content[1:]
    return webp_bytes([*chunks, (b"XMP ", packet)])


def _canvas(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A VP8X chunk's content for a file that needed none."""
    for kind, content in chunks:
        if kind == b"VP8L" and len(content) >= 5:
            bits = int.from_bytes(content[1:5], "little")
            width, height, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
            sides = width.to_bytes(3, "little") + height.to_bytes(3, "little")
            return bytes([WEBP_ALPHA if alpha else 0, 0, 0, 0]) + sides
        if kind == b"VP8 " and len(content) >= 10:
            sides = b"".join(
                ((int.from_bytes(content[at : at + 2], "little") & 0x3FFF) - 1).to_bytes(3, "little")
                for at in (6, 8)
            )
            return bytes(4) + sides
    raise DecodeError("a damaged WebP: it holds no picture")


def _first(data: bytes) -> tuple[Directory, int]:
    """The first directory, and where the next one lies."""
    file = io.BytesIO(data)
    structure = read_structure(file, "TIFF")
    return read_directory(file, structure, structure.first, "TIFF")


def _read_tiff(data: bytes) -> bytes | None:
    return _first(data)[0].raw(TIFF_XMP)


def _write_tiff(data: bytes, packet: bytes) -> bytes | None:
    """The first directory anew at the file's end, with the packet behind it; its tags keep their values."""
    page, following = _first(data)
    structure = page.structure
    start = len(data) + len(data) % 2
    kinds = 0xFFFFFFFFFFFFFFFF if structure.big else 0xFFFFFFFF
    entries = {
        tag: data[one.at : one.at + structure.entry_bytes]
        for tag, one in page.entries.items()
        if tag != TIFF_XMP
    }
    size = structure.count_bytes + structure.entry_bytes * (len(entries) + 1) + structure.inline
    packet += bytes(max(0, structure.inline + 1 - len(packet)))  # never inline
    at = start + size
    if at + len(packet) > kinds:
        return None
    entries[TIFF_XMP] = structure.entry(TIFF_XMP, 1, len(packet), _offset(page, at))
    count = struct.pack(f"{structure.order}{'Q' if structure.big else 'H'}", len(entries))
    body = b"".join(entries[tag] for tag in sorted(entries))
    head = 8 if structure.big else 4
    whole = bytearray(data + b"\0" * (start - len(data)) + count + body + _offset(page, following) + packet)
    whole[head : head + structure.inline] = _offset(page, start)
    return bytes(whole)


def _offset(page: Directory, at: int) -> bytes:
    return struct.pack(page.structure.offset_code, at)


def _gif_place(data: bytes) -> tuple[int, int]:
    """Where the packet's block begins and ends, equal where one would go."""
    file = io.BytesIO(data)
    read_screen(file, "GIF")
    begin = file.tell()
    for block in walk_blocks(file, "GIF"):
        if block.kind == "application" and data.startswith(XMP_START, block.body):
            return block.start, block.end
    return begin, begin


def _read_gif(data: bytes) -> bytes | None:
    start, end = _gif_place(data)
    return data[start + 2 + len(XMP_START) : end - len(GIF_TRAILER)] if end > start else None


def _write_gif(data: bytes, packet: bytes) -> bytes:
    start, end = _gif_place(data)
    new = b"\x21\xff" + XMP_START + packet + GIF_TRAILER
    head = data[:start] if data[3:6] == b"89a" else b"GIF89a" + data[6:start]
    return head + new + data[end:]


_READ: Mapping[str, Callable[[bytes], bytes | None]] = {
    "jpeg": _read_jpeg,
    "png": _read_png,
    "webp": _read_webp,
    "tiff": _read_tiff,
    "gif": _read_gif,
}
_WRITE: Mapping[str, Callable[[bytes, bytes], bytes | None]] = {
    "jpeg": _write_jpeg,
    "png": _write_png,
    "webp": _write_webp,
    "tiff": _write_tiff,
    "gif": _write_gif,
}
FORMATS_WITH_XMP = tuple(_WRITE)
