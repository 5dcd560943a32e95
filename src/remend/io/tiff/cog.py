"""A cloud-optimised GeoTIFF stays one: directories first, then its tiles in order, each with its length.

What GDAL writes before the first directory promises that layout to readers over HTTP, who fetch a tile with
the length that lies before it. A repair puts tiles that grew at the end; here all of them are laid anew.

Reference: GDAL documentation, "COG -- Cloud Optimized GeoTIFF generator", header ghost area.
"""

from __future__ import annotations

import io

from remend.io.tiff.directory import Directory, every_directory, read_structure
from remend.io.tiff.edit import set_integers
from remend.io.tiff.placement import Patches

__all__ = ["laid_anew"]

GHOST = b"GDAL_STRUCTURAL_METADATA_SIZE="
ORDERED = b"LAYOUT=IFDS_BEFORE_DATA\n"
LEADER, TRAILER = b"BLOCK_LEADER=SIZE_AS_UINT4\n", b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED\n"
INTACT, BROKEN = b"KNOWN_INCOMPATIBLE_EDITION=NO\n ", b"KNOWN_INCOMPATIBLE_EDITION=YES\n"
WIDTH = 4  # bytes of a leader and of a trailer
OFFSETS = ((324, 325), (273, 279))  # of tiles and of strips, with their byte counts


def laid_anew(before: bytes, after: bytes, name: str) -> bytes:
    """A repaired file in the layout that its source promised; any other as it is.

    Args:
        before: the file as it was read.
        after: the same with some tiles repaired; its directories lie where they lay.
        name: what messages call it.

    Returns:
        The file. Where it cannot be laid anew, what is written before its directories says that it was
        edited, as GDAL's own edits say.
    """
    at = 16 if read_structure(io.BytesIO(before), name).big else 8
    if before[at : at + len(GHOST)] != GHOST or before == after:
        return after
    begin = at + len(GHOST) + len(b"000000 bytes\n")
    size = before[at + len(GHOST) : at + len(GHOST) + 6]
    promised = before[begin : begin + int(size)] if size.isdigit() else b""
    if INTACT not in promised or ORDERED not in promised or LEADER not in promised:
        return after
    laid = _laid(before, after, name, trailer=TRAILER in promised)
    if laid is not None:
        return laid
    edited = promised.replace(INTACT, BROKEN)
    return after[:begin] + edited + after[begin + len(edited) :]


def _laid(before: bytes, after: bytes, name: str, *, trailer: bool) -> bytes | None:
    """The tiles of ``after`` in the order of ``before``; None where directories lie among them."""
    old, new = _directories(before, name), _directories(after, name)
    order = sorted(
        (offset, start, index)
        for start, directory in old.items()
        for index, (offset, length) in enumerate(zip(*_table(directory), strict=True))
        if length
    )
    if not order or new.keys() != old.keys():
        return None
    first = order[0][0] - WIDTH
    if any(
        directory.position(entry) + entry.nbytes > first
        for directory in new.values()
        for entry in directory.entries.values()
    ):
        return None
    tables = {start: [list(values) for values in _table(directory)] for start, directory in new.items()}
    blocks: list[bytes] = []
    end, places = first, {}
    for number, (offset, start, index) in enumerate(order):
        shared = number > 0 and order[number - 1][0] == offset
        source, length = (values[index] for values in tables[start])
        if shared or length < WIDTH:  # equal tiles are stored once: not what GDAL writes here
            return None
        coded = after[source : source + length]
        block = length.to_bytes(WIDTH, "little") + coded + (coded[-WIDTH:] if trailer else b"")
        places[start, index] = end + WIDTH
        blocks.append(block)
        end += len(block)
    patches = Patches(first, [])
    for start, directory in new.items():
        offsets = [places.get((start, index), 0) for index in range(len(tables[start][0]))]
        tag = next(pair[0] for pair in OFFSETS if pair[0] in directory.entries)
        set_integers(patches, directory, tag, offsets)
    if patches.tail:  # offsets that need more bytes than they have
        return None
    return b"".join((patches.apply(after[:first]), *blocks))


def _directories(data: bytes, name: str) -> dict[int, Directory]:
    file = io.BytesIO(data)
    every = every_directory(file, read_structure(file, name), name)
    return {each.start: each for each in every if any(tag in each.entries for tag, _ in OFFSETS)}


def _table(directory: Directory) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Offsets and byte counts of the tiles."""
    tags = next(pair for pair in OFFSETS if pair[0] in directory.entries)
    offsets, lengths = (directory.integers(tag) or () for tag in tags)
    return offsets, lengths if len(lengths) == len(offsets) else (0,) * len(offsets)
