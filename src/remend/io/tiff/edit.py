"""Changes to the tags of a TIFF page, as patches, and what must not be overwritten meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from remend.errors import FormatError
from remend.io.tiff.directory import CODES, Directory, Structure
from remend.io.tiff.page import colour_map, sixteen_bits
from remend.io.tiff.placement import Patches, Range

__all__ = [
    "CLASSIC_LIMIT",
    "overlap_each_other",
    "ranges_of_pixels",
    "ranges_of_tags",
    "set_integers",
    "set_palette",
]

CLASSIC_LIMIT = (1 << 32) - 1


def ranges_of_pixels(directories: Sequence[Directory]) -> list[Range]:
    """Where the strips and tiles of these pages lie."""
    ranges: list[Range] = []
    for page in directories:
        for tags in ((273, 279), (324, 325)):
            offsets, lengths = (page.integers(tag) or () for tag in tags)
            ranges += [(at, at + length) for at, length in zip(offsets, lengths, strict=False)]
    return ranges


def ranges_of_tags(directories: Sequence[Directory], structure: Structure) -> list[Range]:
    """Where the header, the directories and their values lie: in damaged files strips may too."""
    ranges: list[Range] = [(0, 16 if structure.big else 8)]
    for page in directories:
        starts = [entry.at for entry in page.entries.values()]
        ranges.append(
            (min(starts) - structure.count_bytes, max(starts) + structure.entry_bytes + structure.inline)
        )
        ranges += [
            (page.position(entry), page.position(entry) + entry.nbytes) for entry in page.entries.values()
        ]
    return ranges


def overlap_each_other(ranges: Sequence[Range]) -> bool:
    """Whether two strips share bytes, as writers do that store equal ones once."""
    ordered = sorted(one for one in ranges if one[0] < one[1])
    return any(after[0] < before[1] for before, after in pairwise(ordered))


def set_integers(patches: Patches, directory: Directory, tag: int, values: Sequence[int]) -> None:
    """Give an existing tag other values: in place where they fit and nothing else lies, else at the end of
    the file."""
    structure = directory.structure
    entry = directory.entries.get(tag)
    if entry is None:
        raise FormatError(
            f"{directory.name}: a TIFF without the tag {tag} that its repair must change: save it anew"
        )
    if tuple(values) == directory.integers(tag):
        return
    limit = 1 << 8 * {"B": 1, "H": 2, "I": 4, "Q": 8}.get(CODES[entry.kind], 0)
    kind = entry.kind if max(values) < limit else 16 if structure.big else 4
    if max(values) > CLASSIC_LIMIT and not structure.big:
        raise FormatError(
            f"{directory.name}: the repaired TIFF would be larger than 4 GiB: save it as BigTIFF first"
        )
    data = structure.pack(kind, values)
    if kind == entry.kind and len(values) == entry.count and not _shared(directory, tag):
        patches.write(directory.position(entry), data)
        return
    field = data
    if len(data) > structure.inline:
        field = structure.pack(16 if structure.big else 4, [patches.append(data)])
    patches.write(entry.at, structure.entry(tag, kind, len(values), field))


def _shared(directory: Directory, tag: int) -> bool:
    """Whether what lies elsewhere for a tag lies, in a damaged file, over the header, the entries or other
    values of its page too."""
    entry = directory.entries[tag]
    if entry.nbytes <= directory.structure.inline:
        return False
    first = directory.position(entry)
    others = {number: one for number, one in directory.entries.items() if number != tag}
    ranges = ranges_of_tags(
        [replace(directory, entries={**others, tag: replace(entry, count=0)})], directory.structure
    )
    return any(first < end and start < first + entry.nbytes for start, end in ranges if start < end)


def set_palette(patches: Patches, directory: Directory, palette: NDArray[np.uint8], bits: int) -> None:
    """Write the entries that are new; those that were there keep their 16 bits."""
    stored = directory.integers(320) or ()
    old = sixteen_bits(stored[: len(stored) // 3 * 3]).reshape(3, -1)
    new = np.array(colour_map(palette, bits), np.uint16).reshape(3, -1)
    same = np.zeros(new.shape[1], bool)
    common = min(old.shape[1], new.shape[1])
    same[:common] = (old[:, :common] >> 8 == new[:, :common] >> 8).all(axis=0)
    same[min(len(palette), common) : common] = True  # unused, and not claimed
    new[:, same] = old[:, :common][:, same[:common]]
    set_integers(patches, directory, 320, [int(value) for value in new.reshape(-1)])
