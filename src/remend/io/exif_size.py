"""The picture's size where an EXIF block and an XMP packet tell it, after it has become another.

Reference: Exif 2.32, 4.6.5, PixelXDimension and PixelYDimension; XMP Specification Part 2 (2016), "Exif".
"""

from __future__ import annotations

import re
import struct
from dataclasses import replace

from remend.picture import Metadata

__all__ = ["with_size"]

EXIF_DIRECTORY = 0x8769
TELLING = {0x0100: 0, 0x0101: 1, 0xA002: 0, 0xA003: 1}  # which of (width, height) a tag tells
XMP_SIZE = re.compile(
    rb"""((?:exif:Pixel|tiff:Image)(X|Y|Width|Length)(?:Dimension)?\s*(?:=\s*["']|>\s*))\d+"""
)


def with_size(metadata: Metadata, width: int, height: int) -> Metadata:
    """The same metadata for a picture of that size; nothing in it moves."""
    exif = metadata.exif
    if exif and exif[:4] in (b"II*\0", b"MM\0*"):
        block = bytearray(exif)
        try:
            _set_sizes(block, "<" if exif[:2] == b"II" else ">", (width, height))
            exif = bytes(block)
        except struct.error:
            pass  # a damaged block stays as it is
    size = {b"X": width, b"Width": width, b"Y": height, b"Length": height}
    xmp = metadata.xmp
    if xmp:
        xmp = XMP_SIZE.sub(lambda found: found[1] + str(size[found[2]]).encode(), xmp)
    return replace(metadata, exif=exif, xmp=xmp)


def _set_sizes(block: bytearray, order: str, size: tuple[int, int]) -> None:
    """Set the sizes that the first directory and the EXIF directory tell, in place.

    Raises:
        struct.error: the block ends before its directories do.
    """
    waiting, seen = [struct.unpack_from(f"{order}I", block, 4)[0]], set[int]()
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        (count,) = struct.unpack_from(f"{order}H", block, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, _ = struct.unpack_from(f"{order}HHI", block, entry)
            if tag == EXIF_DIRECTORY and len(seen) == 1:
                waiting.append(struct.unpack_from(f"{order}I", block, entry + 8)[0])
            elif tag in TELLING and kind in (3, 4):
                value = size[TELLING[tag]]
                if kind == 4 or value <= 0xFFFF:
                    struct.pack_into(f"{order}{'H' if kind == 3 else 'I'}", block, entry + 8, value)
