"""Small copies of a picture inside its metadata. After a repair they would still show the damage, or
the person who was removed: they are made anew from the repaired picture, or taken out.

Nothing in an EXIF block moves, since makers' notes hold offsets of their own: a new thumbnail lies where
the old one lay, and what is taken out becomes zeros; in XMP it becomes blanks.

Reference: Exif 2.32, 4.5.2 and 4.6; XMP Specification Part 2 (2016), 1.2.2.3; Adobe Photoshop File Formats
Specification (2019), "Image Resources".
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from PIL import Image, JpegImagePlugin

from remend.picture import Metadata, Picture
from remend.samples import eight_bit

__all__ = [
    "TAKEN_OUT",
    "bare_resources",
    "bare_xmp",
    "credentials_left",
    "holds_picture",
    "renewed",
    "renewed_exif",
    "thumbnail_of",
    "without_pictures",
]

LARGEST_THUMBNAIL = 2048
OVERSAMPLING = 4  # samples that each side of a thumbnail's pixel is the mean of, at most
QUALITIES = (90, 75, 60, 45, 30, 15, 5)
JPEG_START = re.compile(rb"\xff\xd8\xff[\xc0-\xfe]")
# Thumbnails of XMP, and the pictures that phones put beside them (the untouched one, the depth).
XMP_ELEMENTS = re.compile(
    rb"<(xmp|xap):Thumbnails\b.*?</\1:Thumbnails\s*>|<(\w+):image\b[^>]*>[^<]{64,}</\2:image\s*>|"
    rb"<(GImage|GDepth):Data\b[^>]*>[^<]{64,}</\3:Data\s*>",
    re.DOTALL,
)
# A manifest of content credentials on a server vouches for the pixels that it was made for.
REMOTE_CREDENTIALS = re.compile(rb"""\sdcterms:provenance\s*=\s*("[^"]*"|'[^']*')""")
TAKEN_OUT = "its content credentials (C2PA) vouch for the picture before the repair: taken out"
BOX_CREDENTIALS = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # of a uuid box, in AVIF and HEIF
XMP_ATTRIBUTES = re.compile(
    rb"\s(?:GImage:Data|GDepth:Data|xmpGImg:image|xapGImg:image)\s*=\s*\"[^\"]{64,}\""
)
THUMBNAIL_RESOURCES = (1033, 1036)


def thumbnail_of(picture: Picture, longest: int, room: int) -> bytes | None:
    """The picture as a JPEG of at most ``room`` bytes, its longer side ``longest``; None without room."""
    longest = max(1, min(longest, LARGEST_THUMBNAIL, max(picture.size)))
    step = max(1, max(picture.size) // (OVERSAMPLING * longest))
    seen = np.ascontiguousarray(eight_bit(replace(picture, samples=picture.samples[::step, ::step])))
    scale = longest / max(seen.shape[:2])
    size = max(1, round(seen.shape[1] * scale)), max(1, round(seen.shape[0] * scale))
    image = Image.fromarray(cv2.resize(seen, size, interpolation=cv2.INTER_AREA))
    for quality in QUALITIES:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        if file.tell() <= room:
            return file.getvalue()
    return None


def renewed(metadata: Metadata, picture: Picture) -> Metadata:
    """Metadata for a file that holds ``picture`` and not what was read."""
    return replace(
        metadata,
        exif=renewed_exif(metadata.exif, picture) if metadata.exif else None,
        xmp=bare_xmp(metadata.xmp) if metadata.xmp else None,
    )


def renewed_exif(exif: bytes, picture: Picture) -> bytes:
    """An EXIF block of the same length whose thumbnail shows ``picture``; other JPEGs in it are zeros.

    Args:
        exif: a TIFF structure, without the ``Exif\\0\\0`` prefix.
        picture: in the order in which the file stores it.
    """
    changed = bytearray(exif)
    thumbnail = _exif_thumbnail(changed)
    if thumbnail is None:
        return without_pictures(bytes(changed))
    at, length, length_at, order = thumbnail
    made = thumbnail_of(picture, _longest_side(exif[at : at + length]), length) or b""
    changed[at : at + length] = bytes(length)
    struct.pack_into(f"{order}I", changed, length_at, len(made))
    changed = bytearray(without_pictures(bytes(changed)))  # makers' notes hold previews, too
    changed[at : at + len(made)] = made
    return bytes(changed)


def without_pictures(data: bytes) -> bytes:
    """The same bytes with zeros where JPEGs lay."""
    changed = bytearray(data)
    for start, stop in _pictures_in(data):
        changed[start:stop] = bytes(stop - start)
    return bytes(changed)


def bare_xmp(xmp: bytes) -> bytes:
    """An XMP packet of the same length with blanks where pictures were.

    >>> bare_xmp(b"<x><xmp:Thumbnails>abc</xmp:Thumbnails></x>").split()
    [b'<x>', b'</x>']
    """
    xmp = XMP_ELEMENTS.sub(lambda found: b" " * len(found[0]), xmp)
    xmp = REMOTE_CREDENTIALS.sub(lambda found: b" " * len(found[0]), xmp)
    return XMP_ATTRIBUTES.sub(lambda found: b" " * len(found[0]), xmp)


def credentials_left(source: bytes, xmp: bytes | None) -> tuple[str, ...]:
    """What to say of credentials that no rewriting of a file's own parts has told: of another format's file,
    of boxes, or of a manifest that lies on a server.

    Args:
        source: the file before the repair.
        xmp: its packet.
    """
    boxed = BOX_CREDENTIALS in source or (b"jumb" in source and b"c2pa" in source)
    return (TAKEN_OUT,) if boxed or (xmp and REMOTE_CREDENTIALS.search(xmp)) else ()


def bare_resources(block: bytes) -> bytes:
    """Photoshop's image resources without the thumbnails; as it was where it cannot be understood."""
    kept, at = [], 0
    while at + 12 <= len(block) and block[at : at + 4] == b"8BIM":
        (number,) = struct.unpack_from(">H", block, at + 4)
        start = at + 6 + (block[at + 6] + 2) // 2 * 2  # a name, padded to even with its length byte
        if start + 4 > len(block):
            break
        (length,) = struct.unpack_from(">I", block, start)
        end = start + 4 + length + length % 2
        if number not in THUMBNAIL_RESOURCES:
            kept.append(block[at:end])
        at = end
    return b"".join((*kept, block[at:]))


def holds_picture(data: bytes) -> bool:
    """Whether a JPEG lies in these bytes."""
    return next(_pictures_in(data), None) is not None


def _exif_thumbnail(block: bytearray) -> tuple[int, int, int, str] | None:
    """Where the JPEG of the second directory lies, its length, where that is said, and the byte order.

    A thumbnail that is no JPEG is blotted out, and its directory taken off the chain.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(block[:4]))
    if order is None:
        return None
    try:
        (first,) = struct.unpack_from(f"{order}I", block, 4)
        (count,) = struct.unpack_from(f"{order}H", block, first)
        link = first + 2 + 12 * count
        (second,) = struct.unpack_from(f"{order}I", block, link)
        if not second:
            return None
        (count,) = struct.unpack_from(f"{order}H", block, second)
        places, values = {}, {}
        for entry in range(second + 2, second + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(f"{order}HHII", block, entry)
            short = struct.unpack_from(f"{order}H", block, entry + 8)[0]
            places[tag], values[tag] = entry + 8, short if kind == 3 else value
    except struct.error:
        return None
    at, length = values.get(513, 0), values.get(514, 0)
    if 8 <= at < at + length <= len(block):
        return at, length, places[514], order
    at, length = values.get(273, 0), values.get(279, 0)
    if 8 <= at < at + length <= len(block):
        block[at : at + length] = bytes(length)
    struct.pack_into(f"{order}I", block, link, 0)
    return None


def _longest_side(jpeg: bytes) -> int:
    try:
        with JpegImagePlugin.JpegImageFile(io.BytesIO(jpeg)) as image:
            return max(image.size)
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, IndexError):
        return 160  # what Exif asks for


def _pictures_in(data: bytes) -> Iterator[tuple[int, int]]:
    """(start, end) of each JPEG that can be opened; the end is its end mark, or that of the data."""
    at = 0
    while found := JPEG_START.search(data, at):
        at = found.end()
        try:
            with JpegImagePlugin.JpegImageFile(io.BytesIO(data[found.start() :])):
                end = data.find(b"\xff\xd9", found.end())
                at = len(data) if end < 0 else end + 2
                yield found.start(), at
        except (OSError, ValueError, SyntaxError, EOFError, struct.error, IndexError):
            continue
