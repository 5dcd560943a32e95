"""What in a TIFF still shows the old pixels: reduced copies are repaired, previews and layers taken out.

Photoshop, Krita and Affinity open the layers that lie in a private tag, not the flat picture; so after a
repair the layers have to go, or nothing would be repaired there.

Reference: Adobe, "Adobe Photoshop TIFF Technical Notes", 2002; TIFF 6.0, NewSubfileType.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile
from math import ceil
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import PictureError
from remend.io.file_bytes import Bytes, FileBytes, seekable
from remend.io.previews import TAKEN_OUT, bare_resources, bare_xmp, without_pictures
from remend.io.tiff.directory import (
    Directory,
    Structure,
    every_directory,
    pages,
    read_directory,
    read_structure,
)
from remend.io.tiff.edit import ranges_of_pixels, ranges_of_tags
from remend.io.tiff.layout import REDUCED, read_layout
from remend.io.tiff.lazy import lazy_samples
from remend.io.tiff.page import read_palette
from remend.io.tiff.placement import Range, merged, overlapping
from remend.io.tiff.repaint import decoded, repaint_file, repainted
from remend.picture import Bool, Box, Picture, keep_part, part
from remend.planes import LazyPlane
from remend.samples import eight_bit

__all__ = ["take_old_pixels_out", "without_old_pixels"]

LAYERS, CREDENTIALS, RESOURCES, XMP, EXIF, MAKER_NOTE = 37724, 52545, 34377, 700, 34665, 37500
RING_PX = 1  # a reduced pixel beside the mask has some of the damage, too
MAX_COPIES = 64
COPIES_KEPT = "reduced copies inside the file are kept as they are and still show the damage"


def without_old_pixels(
    data: bytes, picture: Picture, changed: Bool, name: str, *, at: int | None = None
) -> tuple[bytes, tuple[str, ...]]:
    """The repaired file with its reduced copies repaired, and without layers, thumbnails and credentials.

    Args:
        data: the file, the page repaired.
        picture: that page, in stored order.
        changed: (H, W) bool.
        name: what messages call the file.
        at: where the page's directory begins; None = the first, and all reduced copies are its own.

    Returns:
        The file, and what the user should know.
    """
    notes: list[str] = []
    _, every = _directories(data, name)
    left = 0
    copies = [page.start for page in every[1:] if page.integer(254, 0) & REDUCED]
    if at is not None:
        copies = _copies_of(data, at, name)
    for copy in copies[:MAX_COPIES]:
        repaired = _repaired_copy(data, copy, picture, changed, name)
        left += repaired is None
        data = repaired or data
    if left or len(copies) > MAX_COPIES:
        notes.append(COPIES_KEPT)
    edited = bytearray(data)
    notes += _bare(edited, at, name)
    return bytes(edited), tuple(notes)


def take_old_pixels_out(data: FileBytes, picture: Picture, changed: Bool, name: str) -> tuple[str, ...]:
    """`without_old_pixels` of the first page in place, for what need not fit into memory."""
    notes: list[str] = []
    _, every = _directories(data, name)
    copies = [page.start for page in every[1:] if page.integer(254, 0) & REDUCED]
    kept = [copy for copy in copies[:MAX_COPIES] if not repair_copy(data, copy, picture, changed, name)]
    if kept or len(copies) > MAX_COPIES:
        notes.append(COPIES_KEPT)
    return (*notes, *_bare(data, None, name))


def _bare(edited: bytearray | FileBytes, at: int | None, name: str) -> list[str]:
    """Thumbnails, layers and credentials out of a page, in place; and what the user should know."""
    notes = []
    structure, every = _directories(edited, name)
    first = every[0] if at is None else next(page for page in every if page.start == at)
    _replace(edited, first, XMP, bare_xmp)
    _replace(edited, first, RESOURCES, bare_resources)
    exif = _exif(first)
    if exif is not None:
        _replace(edited, exif, MAKER_NOTE, without_pictures)
    gone = {LAYERS, CREDENTIALS} & first.entries.keys()
    if gone:
        others = [page for page in every if page.start != first.start]
        kept = ranges_of_pixels(every) + ranges_of_tags([_without(first, gone), *others], structure)
        _take_out(edited, first, gone, merged(kept))
    if LAYERS in gone:
        notes.append("its layers show the picture before the repair: taken out, the repaired picture is flat")
    if CREDENTIALS in gone:
        notes.append(TAKEN_OUT)
    return notes


def _directories(data: Bytes, name: str) -> tuple[Structure, list[Directory]]:
    file = seekable(data)
    structure = read_structure(file, name)
    return structure, every_directory(file, structure, name)


def _copies_of(data: bytes, at: int, name: str) -> list[int]:
    """Where a page's reduced copies begin: those behind it in the chain, and its sub-directories."""
    file = io.BytesIO(data)
    structure = read_structure(file, name)
    chain = list(pages(file, structure, name))
    here = next(place for place, page in enumerate(chain) if page.start == at)
    behind = list(takewhile(lambda page: page.integer(254, 0) & REDUCED, chain[here + 1 :]))
    try:
        below = chain[here].integers(330) or ()
    except PictureError:
        below = ()
    reduced = {
        page.start for page in every_directory(file, structure, name) if page.integer(254, 0) & REDUCED
    }
    return [page.start for page in behind] + [start for start in below if start in reduced]


def _exif(directory: Directory) -> Directory | None:
    try:
        at = directory.integer(EXIF, 0)
        return read_directory(directory.file, directory.structure, at, directory.name)[0] if at else None
    except PictureError:
        return None


def _without(directory: Directory, tags: set[int]) -> Directory:
    return replace(directory, entries={t: entry for t, entry in directory.entries.items() if t not in tags})


def _repaired_copy(data: bytes, at: int, picture: Picture, changed: Bool, name: str) -> bytes | None:
    """The file with a reduced copy repaired from the picture; None where its kind cannot be written."""
    _, every = _directories(data, name)
    directory = next(one for one in every if one.start == at)
    try:
        layout = read_layout(directory)
        if layout.mode not in ("L", "RGB", "RGBA", "LA", "P") or layout.width * layout.height > changed.size:
            return None
        samples = decoded(directory, layout, memoryview(data))
        size = layout.width, layout.height
        hole = cv2.resize(changed.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        hole = cv2.dilate(hole.astype(np.uint8), np.ones((2 * RING_PX + 1,) * 2, np.uint8)).astype(bool)
        palette = read_palette(directory, samples) if layout.mode == "P" else None
        fresh = _reduced(picture, size, layout.mode, samples.dtype)
        if palette is not None:
            table = palette[:, :3].astype(np.int32)
            wanted = fresh[hole].astype(np.int32)
            fresh = np.zeros_like(samples)
            distance = ((wanted[:, None] - table[None]) ** 2).sum(axis=2)
            fresh[hole, 0] = distance.argmin(axis=1)
        colours = layout.meaning.colours
        samples[hole, :colours] = fresh[hole, :colours]
        return repainted(data, at, Picture(samples, layout.mode, palette, None, layout.meaning), hole, name)[
            0
        ]
    except PictureError:
        return None


def repair_copy(data: FileBytes, at: int, picture: Picture, changed: Bool, name: str) -> bool:
    """Repair a reduced copy of a picture that is not in memory, block by block; whether that can be done."""
    assert isinstance(changed, LazyPlane)
    _, every = _directories(data, name)
    directory = next(one for one in every if one.start == at)
    try:
        layout = read_layout(directory)
        if layout.mode not in ("L", "RGB", "RGBA", "LA") or layout.width * layout.height > changed.size:
            return False
        plane: Any = lazy_samples(directory, layout, lambda start, length: data[start : start + length])
        touched: Any = LazyPlane((layout.height, layout.width), bool)
        down, across = picture.height / layout.height, picture.width / layout.width
        for top, left, block in changed.blocks():
            # What the block covers of the copy, and what that covers of the picture.
            bottom, right = top + block.shape[0], left + block.shape[1]
            small = Box(int(top / down), int(left / across), ceil(bottom / down), ceil(right / across))
            small = small.grown(RING_PX, (layout.height, layout.width))
            large = Box(
                round(small.top * down),
                round(small.left * across),
                min(picture.height, round(small.bottom * down)),
                min(picture.width, round(small.right * across)),
            )
            size = small.width, small.height
            share = cv2.resize(part(changed, large).astype(np.float32), size, interpolation=cv2.INTER_AREA)
            side = 2 * RING_PX + 1
            hole = cv2.dilate((share > 0).astype(np.uint8), np.ones((side, side), np.uint8)) > 0
            seen = replace(picture, samples=np.ascontiguousarray(part(picture.samples, large)))
            old = part(plane, small)
            colours = layout.meaning.colours
            old[hole, :colours] = _reduced(seen, size, layout.mode, old.dtype)[hole, :colours]
            keep_part(plane, small, old)
            keep_part(touched, small, part(touched, small) | hole)
        repaint_file(data, at, Picture(plane, layout.mode, None, None, layout.meaning), touched, name)
    except PictureError:
        return False
    return True


def _reduced(picture: Picture, size: tuple[int, int], mode: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    """(h, w, 1 or 3) of the picture at another size, in another page's samples."""
    samples: NDArray[Any]
    if picture.samples.dtype == dtype and picture.mode[:1] == mode[:1] and picture.palette is None:
        samples = picture.samples[..., : 1 if mode[0] == "L" else 3]
        grey = False
    else:
        samples, grey = eight_bit(picture), mode[0] == "L"
    small = cv2.resize(np.ascontiguousarray(samples), size, interpolation=cv2.INTER_AREA)
    small = small.reshape(size[1], size[0], -1)
    if grey:
        small = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)[..., None]
    if small.dtype == np.uint8 and dtype == np.uint16:
        return small.astype(np.uint16) * 257
    return small.astype(np.float32) / 255 if small.dtype == np.uint8 and dtype == np.float32 else small


def _replace(
    edited: bytearray | FileBytes, directory: Directory, tag: int, bare: Callable[[bytes], bytes]
) -> None:
    """A tag of bytes made bare in its place; what becomes shorter ends with zeros."""
    entry = directory.entries.get(tag)
    if entry is None or entry.nbytes <= directory.structure.inline:
        return
    try:
        old = directory.raw(tag) or b""
    except PictureError:  # it lies outside the file: nothing of it is there
        return
    new = bare(old)
    if new == old:
        return
    at = directory.position(entry)
    edited[at : at + len(old)] = new.ljust(len(old), b"\0")
    count_at = entry.at + 4
    code = "Q" if directory.structure.big else "I"
    size = entry.nbytes // entry.count
    _pack(edited, count_at, f"{directory.structure.order}{code}", -(-len(new) // size))


def _take_out(edited: bytearray | FileBytes, directory: Directory, tags: set[int], kept: list[Range]) -> None:
    """Tags out of a directory, their values zeros, but for what other parts of the file share."""
    structure = directory.structure
    for tag in tags:
        entry = directory.entries[tag]
        at, stop = directory.position(entry), directory.position(entry) + entry.nbytes
        if not overlapping((at, stop), kept) and stop <= len(edited):
            edited[at:stop] = bytes(stop - at)
    wide = structure.entry_bytes
    begin = directory.start + structure.count_bytes
    number = f"{structure.order}{'Q' if structure.big else 'H'}"
    (count,) = struct.unpack(number, edited[directory.start : directory.start + struct.calcsize(number)])
    body = bytes(edited[begin : begin + count * wide])
    tags_there = (struct.unpack_from(f"{structure.order}H", body, index * wide)[0] for index in range(count))
    entries = [body[i * wide : (i + 1) * wide] for i, tag in enumerate(tags_there) if tag not in tags]
    link = bytes(edited[begin + count * wide : begin + count * wide + structure.inline])
    new = b"".join((*entries, link))
    edited[begin : begin + count * wide + len(link)] = new.ljust(count * wide + len(link), b"\0")
    _pack(edited, directory.start, number, len(entries))


def _pack(edited: bytearray | FileBytes, at: int, code: str, value: int) -> None:
    edited[at : at + struct.calcsize(code)] = struct.pack(code, value)
