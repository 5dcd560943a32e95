"""What a PNG says beside its pixels, read into `Metadata` and written from it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from remend.io.colour import specified
from remend.io.exif_tag import bare_exif
from remend.io.png.chunks import MAX_INFLATED, Chunk, chunk_bytes, inflate
from remend.picture import Metadata

__all__ = ["metadata_chunks", "read_metadata"]

XMP_KEYWORD = "XML:com.adobe.xmp"
INCH = 0.0254
SRGB_GAMMA = struct.pack(">I", 45455)


def read_metadata(data: bytes, chunks: Sequence[Chunk]) -> Metadata:
    """Profile, EXIF, XMP, resolution and text; damaged chunks are passed over, they travel anyhow."""
    icc = exif = xmp = cicp = None
    kinds = {chunk.type for chunk in chunks}
    colour = [kind.decode() for kind in (b"mDCV", b"cLLI") if kind in kinds]
    if not kinds & {b"iCCP", b"sRGB", b"cICP"}:
        colour += [kind.decode() for kind in (b"gAMA", b"cHRM") if kind in kinds]
    dpi = None
    text: dict[str, str] = {}
    room = MAX_INFLATED
    for chunk in chunks:
        content = data[chunk.content] if chunk.type not in (b"IDAT", b"fdAT") else b""
        if chunk.type == b"iCCP":
            icc = inflate(content.partition(b"\0")[2][1:], room)
            room -= len(icc or b"")
        elif chunk.type == b"cICP" and len(content) == 4:
            cicp = specified((content[0], content[1]))
        elif chunk.type == b"gAMA" and content == SRGB_GAMMA and "gAMA" in colour:
            colour.remove("gAMA")
        elif chunk.type == b"eXIf":
            exif = bare_exif(content)
        elif chunk.type == b"pHYs" and len(content) == 9 and content[8] == 1:
            across, down = struct.unpack(">II", content[:8])
            dpi = (across * INCH, down * INCH)
        elif chunk.type in (b"tEXt", b"zTXt", b"iTXt"):
            entry = _read_text(chunk.type, content, room)
            if entry is None:
                continue
            keyword, value = entry
            room -= len(value)
            if keyword == XMP_KEYWORD:
                xmp = value.encode()
            elif keyword in ("Raw profile type exif", "Raw profile type APP1"):
                exif = exif or _raw_profile(value)
            else:
                text[keyword] = value
    note = f"what it says of its colours ({', '.join(colour)})" if colour else ""
    return Metadata(icc=icc, exif=exif, xmp=xmp, dpi=dpi, text=text, cicp=cicp, colour=note)


def metadata_chunks(metadata: Metadata) -> tuple[bytes, bytes]:
    """The chunks that belong before PLTE, and those that belong before IDAT."""
    first, second = b"", b""
    if metadata.cicp:
        first += chunk_bytes(b"cICP", bytes((*metadata.cicp, 0, 1)))
    if metadata.icc:
        first += chunk_bytes(b"iCCP", b"ICC Profile\0\0" + zlib.compress(metadata.icc))
    if metadata.dpi:
        across, down = (round(dots / INCH) for dots in metadata.dpi)
        second += chunk_bytes(b"pHYs", struct.pack(">IIB", across, down, 1))
    if metadata.exif:
        second += chunk_bytes(b"eXIf", metadata.exif)
    if metadata.xmp:
        second += chunk_bytes(b"iTXt", XMP_KEYWORD.encode() + bytes(5) + metadata.xmp)
    for keyword, value in metadata.text.items():
        second += _text_chunk(keyword, value)
    return first, second


def _read_text(kind: bytes, content: bytes, room: int) -> tuple[str, str] | None:
    """(keyword, text) of a text chunk; None when it is damaged or longer than ``room``."""
    keyword, _, rest = content.partition(b"\0")
    name = keyword.decode("latin-1")
    if kind == b"tEXt":
        return name, rest.decode("latin-1")
    if kind == b"zTXt":
        inflated = inflate(rest[1:], room)
        return None if inflated is None else (name, inflated.decode("latin-1"))
    fields = rest[2:].split(b"\0", 2)
    if len(rest) < 2 or len(fields) < 3:
        return None
    value = inflate(fields[2], room) if rest[0] else fields[2]
    return None if value is None else (name, value.decode("utf-8", "replace"))


def _text_chunk(keyword: str, value: str) -> bytes:
    """tEXt where Latin-1 holds it, else iTXt; the keyword cut to what PNG allows (1–79 of Latin-1)."""
    name = keyword.encode("latin-1", "replace").replace(b"\0", b" ").strip()[:79] or b"Comment"
    value = value.replace("\0", "")
    try:
        return chunk_bytes(b"tEXt", name + b"\0" + value.encode("latin-1"))
    except UnicodeEncodeError:
        return chunk_bytes(b"iTXt", name + bytes(5) + value.encode())


def _raw_profile(value: str) -> bytes | None:
    """EXIF that ImageMagick wrote as text: a name, a length, then hexadecimal digits."""
    try:
        block = bytes.fromhex("".join(value.split("\n")[3:]))
    except ValueError:
        return None
    return bare_exif(block) if block.startswith(b"Exif\0\0") else None
