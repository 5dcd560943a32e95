"""What a TIFF says beside its pixels: EXIF as a block of its own, and the tags of a new file.

A TIFF keeps its EXIF in its own directories, other formats keep a small TIFF of it. Values travel
as bytes in the byte order that they have, so nothing is interpreted on the way.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field

from remend.errors import PictureError
from remend.io.tiff.directory import CODES, TYPE_BYTES, Directory, read_directory, read_structure
from remend.picture import Metadata

__all__ = ["Tags", "metadata_tags", "read_metadata", "tags_bytes"]

POINTERS = (34665, 34853, 40965)  # EXIF, GPS, and interoperability within EXIF
DESCRIPTIVE = {
    269,
    270,
    271,
    272,
    274,
    282,
    283,
    296,
    305,
    306,
    315,
    316,
    18246,
    18249,
    33432,
    *range(40091, 40096),
}
TEXT = {"Description": 270, "Comment": 270, "Title": 269, "Software": 305, "Author": 315, "Copyright": 33432}
COLOUR = {301, 318, 319}  # transfer function, white point, primaries
MAX_DEPTH = 3


@dataclass(slots=True)
class Tags:
    """A directory in memory: (type, count, bytes) by tag, and its sub-directories by their pointer's tag."""

    order: str
    values: dict[int, tuple[int, int, bytes]] = field(default_factory=dict)
    children: dict[int, Tags] = field(default_factory=dict)

    def set(self, tag: int, kind: int, *values: int) -> None:
        """Set an integer tag, or a rational one by its two integers a value."""
        code = "I" if kind == 5 else CODES[kind]
        data = struct.pack(f"{self.order}{len(values)}{code}", *values)
        self.values[tag] = (kind, len(data) // TYPE_BYTES[kind], data)

    def set_bytes(self, tag: int, kind: int, data: bytes) -> None:
        """Set a tag of bytes (type 1, 2 or 7)."""
        self.values[tag] = (kind, len(data), data)


def read_metadata(directory: Directory) -> Metadata:
    """Profile, XMP, resolution, and an EXIF block: the descriptive tags, the EXIF and GPS directories."""
    tags = _read_tags(directory, DESCRIPTIVE)
    telling = set(tags.values) - {274, 282, 283, 296, 305} or tags.children
    across, down = directory.rational(282), directory.rational(283)
    scale = {2: 1.0, 3: 2.54}.get(directory.integer(296, 2))
    dpi = (across * scale, down * scale) if across and down and scale else None
    return Metadata(
        icc=directory.raw(34675) or None,
        exif=tags_bytes(tags, header=True) if telling else None,
        xmp=(directory.raw(700) or b"").rstrip(b"\0") or None,
        dpi=dpi,
        colour=""
        if 34675 in directory.entries or not COLOUR & directory.entries.keys()
        else "what it says of its colours (white point, primaries, transfer function)",
    )


def metadata_tags(metadata: Metadata) -> tuple[Tags, tuple[str, ...]]:
    """The tags of a new file that hold ``metadata``, in the EXIF block's byte order, and what is lost."""
    tags = Tags("<")
    notes: list[str] = []
    if metadata.exif:
        try:
            file = io.BytesIO(metadata.exif)
            structure = read_structure(file, "EXIF")
            tags = _read_tags(read_directory(file, structure, structure.first, "EXIF")[0], DESCRIPTIVE)
        except PictureError:
            notes.append("its EXIF block is damaged and was left out")
    if metadata.icc:
        tags.set_bytes(34675, 7, metadata.icc)
    if metadata.xmp:
        tags.set_bytes(700, 1, metadata.xmp)
    if metadata.dpi:
        for tag, dots in zip((282, 283), metadata.dpi, strict=True):
            tags.set(tag, 5, round(dots * 1000), 1000)
        tags.set(296, 3, 2)
    for keyword, value in metadata.text.items():
        place = TEXT.get(keyword)
        if place is None or (place == 270 and keyword == "Comment" and 270 in tags.values):
            notes.append(f"a TIFF has no place for the text {keyword!r}: left out")
        else:
            tags.set_bytes(place, 2, value.encode() + b"\0")
    return tags, tuple(notes)


def tags_bytes(tags: Tags, *, at: int = 0, header: bool = False) -> bytes:
    """The directory with its values and sub-directories, to lie at byte ``at`` of its file.

    With ``header``, a whole TIFF structure that starts with it.
    """
    if header:
        start = struct.pack(f"{tags.order}2sHI", b"II" if tags.order == "<" else b"MM", 42, 8)
        return start + tags_bytes(tags, at=8)
    numbers = sorted({*tags.values, *tags.children})
    place = at + 2 + 12 * len(numbers) + 4
    entries, behind = b"", b""
    for number in numbers:
        if number in tags.children:
            kind, count, data = 4, 1, struct.pack(f"{tags.order}I", place + len(behind))
            behind += tags_bytes(tags.children[number], at=place + len(behind))
        else:
            kind, count, data = tags.values[number]
            if len(data) > 4:
                behind, data = behind + data, struct.pack(f"{tags.order}I", place + len(behind))
        behind += b"\0" * (len(behind) % 2)
        entries += struct.pack(f"{tags.order}HHI", number, kind, count) + data.ljust(4, b"\0")
    return struct.pack(f"{tags.order}H", len(numbers)) + entries + bytes(4) + behind


def _read_tags(directory: Directory, kept: set[int] | None, depth: int = 0) -> Tags:
    """The directory's tags (all, or those in ``kept``) and its EXIF and GPS sub-directories."""
    structure = directory.structure
    tags = Tags(structure.order)
    for number, entry in directory.entries.items():
        try:
            if number in POINTERS:
                if depth < MAX_DEPTH:
                    at = directory.integer(number, 0)
                    child, _ = read_directory(directory.file, structure, at, directory.name)
                    tags.children[number] = _read_tags(child, None, depth + 1)
            elif entry.kind in TYPE_BYTES and entry.kind <= 13 and (kept is None or number in kept):
                tags.values[number] = (entry.kind, entry.count, directory.raw(number) or b"")
        except PictureError:
            continue  # one damaged tag; the file itself is carried byte for byte
    return tags
