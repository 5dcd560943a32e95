"""Chunks that say something of the old pixels: which may stay beside new ones, and previews made anew.

Reference: W3C, "Portable Network Graphics (PNG) Specification, Third Edition", 2025, 5.4 and 14.2.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection

from remend.io.png.chunks import MAX_INFLATED, Chunk, chunk_bytes, inflate
from remend.io.previews import TAKEN_OUT, bare_resources, bare_xmp, renewed_exif
from remend.picture import Picture

__all__ = ["carried", "may_stay", "renewed_chunk", "unsafe_notes"]

# Ancillary, not safe to copy, and as true of the repaired picture as of the source: colour, size, animation.
STAYS = frozenset(
    b"acTL fcTL fdAT bKGD cHRM cICP cLLI gAMA hIST iCCP mDCV pCAL sBIT sCAL sRGB sTER tRNS".split()
)
XMP_START = b"XML:com.adobe.xmp\0"
Renew = Callable[[bytes], bytes]


def may_stay(kind: bytes) -> bool:
    """Whether a chunk stays when IDAT changes: critical, safe to copy, or known to stay true."""
    critical, safe = kind[0] < 0x60, kind[3] >= 0x60
    return critical or safe or kind in STAYS


def unsafe_notes(kinds: Collection[bytes]) -> tuple[str, ...]:
    """What to say of chunks that were dropped; those that describe only the old coding need no word."""
    lost = sorted(kind.decode() for kind in kinds if kind not in (b"iDOT", b"tIME", b"caBX", b"dSIG"))
    notes: tuple[str, ...] = ()
    if b"caBX" in kinds:
        notes += (TAKEN_OUT,)
    if b"dSIG" in kinds:
        notes += ("its digital signature is of the picture before the repair: taken out",)
    if lost:
        notes += (f"chunks that describe the picture before the repair were taken out: {', '.join(lost)}",)
    return notes


def renewed_chunk(kind: bytes, content: bytes, picture: Picture) -> bytes | None:
    """The content of a chunk whose previews show ``picture`` or are gone; None for kinds without any."""
    if kind == b"eXIf":
        return renewed_exif(content, picture)
    if kind == b"iTXt" and content.startswith(XMP_START):
        return _renewed_xmp(content)
    if kind in (b"zTXt", b"tEXt") and content.startswith(b"Raw profile type "):
        return _renewed_profile(kind, content, picture)
    return None


def carried(data: bytes, chunk: Chunk, picture: Picture | None) -> bytes:
    """A chunk without a preview of the old picture; byte for byte where it has none, or no picture is new."""
    if picture is None:
        return bytes(data[chunk.whole])
    content = data[chunk.content]
    new = renewed_chunk(chunk.type, content, picture)
    return data[chunk.whole] if new is None or new == content else chunk_bytes(chunk.type, new)


def _renewed_xmp(content: bytes) -> bytes | None:
    flags = content[len(XMP_START) : len(XMP_START) + 2]
    fields = content[len(XMP_START) + 2 :].split(b"\0", 2)
    if len(flags) < 2 or len(fields) < 3:
        return None
    packet = inflate(fields[2], MAX_INFLATED) if flags[0] else fields[2]
    if packet is None or (bare := bare_xmp(packet)) == packet:
        return None
    fields[2] = zlib.compress(bare) if flags[0] else bare
    return XMP_START + flags + b"\0".join(fields)


def _renewed_profile(kind: bytes, content: bytes, picture: Picture) -> bytes | None:
    """ImageMagick's way: a name, a length, then hexadecimal digits in lines."""
    keyword, _, rest = content.partition(b"\0")
    text = inflate(rest[1:], MAX_INFLATED) if kind == b"zTXt" else rest
    lines = (text or b"").split(b"\n", 3)
    if len(lines) < 4:
        return None
    try:
        block = bytes.fromhex(lines[3].decode("ascii"))
    except ValueError:
        return None
    new = _profile_renewer(keyword, block, picture)(block)
    if new == block:
        return None
    digits = new.hex()
    wrapped = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    text = b"\n".join((*lines[:2], f"{len(new):8d}".encode(), wrapped.encode(), b""))
    return keyword + b"\0" + (b"\0" + zlib.compress(text) if kind == b"zTXt" else text)


def _profile_renewer(keyword: bytes, block: bytes, picture: Picture) -> Renew:
    if block.startswith(b"Exif\0\0"):
        return lambda whole: whole[:6] + renewed_exif(whole[6:], picture)
    if keyword.endswith(b"8bim"):
        return bare_resources
    return bare_xmp
