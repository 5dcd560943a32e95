"""The pixels of one TIFF page: decoded, and painted over in their places.

Only strips or tiles that hold a changed pixel are coded again, in the source's compression where we can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.errors import FormatError
from remend.io.file_bytes import FileBytes, seekable
from remend.io.tiff.chunk import ENCODABLE, decode_chunk, decode_chunks, encode_chunk, jpeg_can_be_replaced
from remend.io.tiff.directory import Directory, every_directory, read_structure
from remend.io.tiff.edit import (
    CLASSIC_LIMIT,
    overlap_each_other,
    ranges_of_pixels,
    ranges_of_tags,
    set_integers,
    set_palette,
)
from remend.io.tiff.layout import COMPRESSIONS, Chunk, Layout, read_layout
from remend.io.tiff.page import chunk_table, coded_bytes, to_picture, to_stored
from remend.io.tiff.placement import Patches, merged, overlapping
from remend.picture import Bool, Picture
from remend.planes import LazyPlane, count_marked, marks

__all__ = ["decoded", "jpeg_stays", "recoded", "repaint_file", "repainted"]

Array = NDArray[Any]

RUN_BYTES = 8 << 20  # decoded at once, at most


def decoded(directory: Directory, layout: Layout, view: memoryview) -> Array:
    """(H, W, C) samples of a page, in a picture's units.

    Raises:
        DecodeError: truncated or damaged.
    """
    name = directory.name
    samples = np.zeros((layout.height, layout.width, layout.channels), layout.dtype)
    for run in _runs(layout, directory):
        coded = [coded_bytes(view, chunk, name) for chunk in run]
        blocks = decode_chunks(coded, layout, run[0].rows, run[0].columns, name)
        for chunk, block in zip(run, blocks, strict=True):
            visible = block[: chunk.box.height, : chunk.box.width]
            visible = to_picture(visible, layout, chunk.plane)
            if layout.planar:
                samples[(*chunk.box.slices, chunk.plane)] = visible[:, :, 0]
            else:
                samples[chunk.box.slices] = visible[:, :, : layout.channels]
    return samples


def repainted(
    data: bytes, at: int, picture: Picture, changed: Bool, name: str
) -> tuple[bytes, tuple[str, ...]]:
    """The file with a page's changed pixels in it, and what the user should know.

    Args:
        data: the file.
        at: where the page's directory begins.
        picture: the page, repaired.
        changed: (H, W) bool.
        name: what messages call the file.
    """
    patches, notes = _repaint(data, at, picture, changed, name)
    return (data if patches is None else patches.apply(data)), notes


def repaint_file(data: FileBytes, at: int, picture: Picture, changed: Bool, name: str) -> tuple[str, ...]:
    """`repainted` in place, of a file that need not fit into memory, nor its picture."""
    patches, notes = _repaint(data, at, picture, changed, name)
    if patches is not None:
        patches.apply_to(data.file)
    return notes


def _repaint(
    data: bytes | FileBytes, at: int, picture: Picture, changed: Bool, name: str
) -> tuple[Patches | None, tuple[str, ...]]:
    """What is to be changed in the file; None = nothing."""
    file = seekable(data)
    structure = read_structure(file, name)
    every = every_directory(file, structure, name)
    directory = next(one for one in every if one.start == at)
    others = [one for one in every if one.start != at]
    layout = read_layout(directory)
    offsets, lengths = (list(values) for values in chunk_table(directory, layout))
    target = layout
    notes: list[str] = []
    touches = _toucher(changed)
    anything = count_marked(changed) > 0
    if picture.palette is not None and len(picture.palette) > 1 << layout.bits:
        target = replace(target, bits=8)
    if layout.compression not in ENCODABLE and anything:
        target = replace(target, compression=8)
        notes.append(f"written with deflate: {COMPRESSIONS[layout.compression]} is only read")
    if layout.compression == 7 and anything and not jpeg_stays(data, offsets, lengths, layout):
        target = replace(
            target, compression=8, photometric=2 if layout.photometric == 6 else layout.photometric
        )
        notes.append("written with deflate: its strips share JPEG tables that only its own writer makes")

    protected = ranges_of_pixels(others) + ranges_of_tags(every, structure)
    whole = list(layout.chunks(offsets, lengths))
    touched = [chunk for chunk in whole if target != layout or touches(chunk)]
    touched = [chunk for chunk in touched if chunk.plane < layout.channels or target != layout]
    if not touched and picture.palette is None:
        return None, ()
    numbers = {chunk.index for chunk in touched}
    protected += [(c.offset, c.offset + c.length) for c in whole if c.index not in numbers]
    protected = merged(protected)
    own = [(chunk.offset, chunk.offset + chunk.length) for chunk in touched]
    shared = any(overlapping(one, protected) for one in own) or overlap_each_other(own)
    view = data if isinstance(data, FileBytes) else memoryview(data)

    if layout.compression == 1 and target == layout and not shared and all(c.length for c in touched):
        patches = Patches(len(data), [])  # every piece is as long as before
        for piece in layout.chunks(offsets, lengths, pieces=True):
            if piece.index in numbers and touches(piece):
                patches.write(piece.offset, recoded(picture, piece, layout, layout, view, name))
    else:
        patches = Patches(len(data), merged(one for one in own if not overlapping(one, protected)))
        for chunk in touched:
            coded = recoded(picture, chunk, layout, target, view, name)
            offsets[chunk.index], lengths[chunk.index] = patches.place(coded), len(coded)
        offset_tag = 324 if layout.tile else 273
        set_integers(patches, directory, offset_tag, offsets)
        set_integers(patches, directory, offset_tag + 1 + (offset_tag == 273) * 5, lengths)
    if target.compression != layout.compression:
        set_integers(patches, directory, 259, [target.compression])
    if target.photometric != layout.photometric:
        set_integers(patches, directory, 262, [target.photometric])
    if target.bits != layout.bits:
        set_integers(patches, directory, 258, [target.bits])
    if picture.palette is not None:
        set_palette(patches, directory, picture.palette, target.bits)
    if target.compression == 7 and touched:
        notes.append(f"JPEG data: {len(touched)} of {len(whole)} strips or tiles were compressed again")
    if patches.end > CLASSIC_LIMIT and not structure.big:
        raise FormatError(f"{name}: the repaired TIFF would be larger than 4 GiB: save it as BigTIFF first")
    return patches, tuple(notes)


def recoded(
    picture: Picture, chunk: Chunk, layout: Layout, target: Layout, view: memoryview | FileBytes, name: str
) -> bytes:
    """The strip or tile with the picture's samples; samples that the picture lacks come from the file."""
    source = coded_bytes(view, chunk, name) if chunk.length else memoryview(b"")
    rows, columns = chunk.box.slices
    if layout.planar and chunk.plane >= layout.channels:
        return encode_chunk(decode_chunk(source, layout, chunk.rows, chunk.columns, name), target)
    which = slice(chunk.plane, chunk.plane + 1) if layout.planar else slice(None)
    block = to_stored(picture.samples[rows, columns, which], target, chunk.plane)
    if not layout.planar and layout.samples > layout.channels and chunk.length:
        whole = decode_chunk(source, layout, chunk.rows, chunk.columns, name)[
            : chunk.box.height, : chunk.box.width
        ]
        block = np.concatenate((block, whole[:, :, layout.channels :]), axis=2)
    missing = (chunk.rows - block.shape[0], chunk.columns - block.shape[1])
    if any(missing):  # a tile reaches outside: repeat the edge, so that nothing old stays there
        block = np.pad(block, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
    template = bytes(source) if target.compression == 7 else b""
    return encode_chunk(block, target, template)


def _runs(layout: Layout, directory: Directory) -> Iterator[list[Chunk]]:
    """The strips or tiles that the picture needs, in runs of one size that are decoded together."""
    run: list[Chunk] = []
    for chunk in layout.chunks(*chunk_table(directory, layout), pieces=True):
        if (layout.planar and chunk.plane >= layout.channels) or not chunk.length:
            continue  # samples that the picture does not have, or a tile that was never written
        size = layout.row_bytes(chunk.columns) * chunk.rows
        if run and (
            (run[0].rows, run[0].columns) != (chunk.rows, chunk.columns) or size * len(run) > RUN_BYTES
        ):
            yield run
            run = []
        run.append(chunk)
    if run:
        yield run


def jpeg_stays(
    data: bytes | FileBytes, offsets: Sequence[int], lengths: Sequence[int], layout: Layout
) -> bool:
    """Whether single strips of JPEG data can be coded again; see `jpeg_can_be_replaced`."""
    which = next((index for index, length in enumerate(lengths) if length), None)
    if which is None:
        return False
    return jpeg_can_be_replaced(layout, data[offsets[which] : offsets[which] + lengths[which]])


def _toucher(changed: Bool) -> Callable[[Chunk], bool]:
    """Says of a strip or tile whether a changed pixel lies in it."""
    if isinstance(changed, LazyPlane):
        return lambda chunk: marks(changed, *chunk.box.slices)
    rows_changed: Bool = np.asarray(changed.any(axis=1))

    def touches(chunk: Chunk) -> bool:
        rows, columns = chunk.box.slices
        return bool(rows_changed[rows].any() and changed[rows, columns].any())

    return touches
