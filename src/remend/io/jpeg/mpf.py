"""Multi-picture files: where a phone's further pictures lie, kept right when the first one's length changes.

Previews, gain maps and depth maps lie behind the first picture's end marker. An index in an APP2
segment gives each one's offset from the index itself, so these few numbers have to move with it.

Reference: CIPA DC-007-2009, Multi-Picture Format, sections 5.2.2 and 5.2.3.
"""

from __future__ import annotations

import struct

__all__ = ["HEADER", "is_index", "listed", "moved"]

NAME = b"MPF\0"
HEADER = 8  # of the segment: marker, length, and the name; offsets count from here
ENTRIES_TAG = 0xB002
ENTRY = 16  # attribute, size, offset, two dependents


def is_index(segment: bytes) -> bool:
    """Whether a marker segment (marker and length included) is such an index."""
    return segment[1] == 0xE2 and segment[4:8] == NAME


def listed(segment: bytes) -> list[tuple[int, int]]:
    """(kind, offset) of each picture in the index; the offset counts from ``HEADER``, 0 for the first."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(segment[HEADER : HEADER + 4])
    place = _entries(segment, order) if order else None
    if place is None:
        return []
    start, count = place
    entries = (struct.unpack_from(f"{order}III", segment, start + index * ENTRY) for index in range(count))
    return [(attribute & 0xFFFFFF, offset) for attribute, _, offset in entries]


def moved(segment: bytes, *, old: tuple[int, int], new: tuple[int, int]) -> bytes:
    """The index for a file in which it, or the first picture's end, lies elsewhere.

    Args:
        segment: the whole marker segment.
        old: where in the file the segment began, and where the first picture ended.
        new: the same for the file to be written.

    Returns:
        The segment with its offsets changed; as it was, where it cannot be understood.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(segment[HEADER : HEADER + 4])
    place = _entries(segment, order) if order else None
    if order is None or place is None:
        return segment
    start, count = place
    changed = bytearray(segment)
    for at in range(start, start + count * ENTRY, ENTRY):
        size, offset = struct.unpack_from(order + "II", segment, at + 4)
        if offset == 0:  # the first picture itself
            size += (new[1] - old[1]) if size == old[1] else 0
        else:
            beyond = old[0] + HEADER + offset - old[1]
            if beyond >= 0:
                offset = new[1] + beyond - new[0] - HEADER
        struct.pack_into(order + "II", changed, at + 4, size, offset)
    return bytes(changed)


def _entries(segment: bytes, order: str) -> tuple[int, int] | None:
    """Where in the segment the entries begin, and how many there are."""
    try:
        (ifd,) = struct.unpack_from(order + "I", segment, HEADER + 4)
        (fields,) = struct.unpack_from(order + "H", segment, HEADER + ifd)
        for index in range(fields):
            tag, _, size, value = struct.unpack_from(order + "HHII", segment, HEADER + ifd + 2 + 12 * index)
            if tag == ENTRIES_TAG and size % ENTRY == 0 and HEADER + value + size <= len(segment):
                return HEADER + value, size // ENTRY
    except struct.error:
        return None
    return None
