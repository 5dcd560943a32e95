"""A huge PNG: its rows decoded once into a file of their own, and written again one after the other.

A row that the repair does not touch, nor the one above it, keeps its filtered bytes. All is compressed anew,
as hard as the source says that it was: a deflate stream has no parts that could be replaced.

Reference: W3C, "Portable Network Graphics (PNG) Specification, Third Edition", 2025, §9 and §10.
"""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from remend.io.file_bytes import Bytes, FileBytes
from remend.io.png.chunks import SIGNATURE, Chunk, ImageHeader, chunk_bytes, find, read_header, split_chunks
from remend.io.png.previews import carried, may_stay, unsafe_notes
from remend.io.png.rows import decoded_bands, filtered_bands, row_bytes_of
from remend.io.scratch import Scratch
from remend.picture import Bool, Picture
from remend.planes import LazyPlane

__all__ = ["lazy_samples", "may_be_lazy", "repaint_file"]

IDAT_BYTES = 1 << 20
COPY_BYTES = 16 << 20
LEVELS = (1, 3, 6, 9)  # of zlib, for what a stream says of how hard it was tried (RFC 1950, FLEVEL)
FILTERS = 5


def may_be_lazy(chunks: Sequence[Chunk], image: ImageHeader) -> bool:
    """Whether this one can be: whole samples in rows, no palette, colour key or animation."""
    kinds = {chunk.type for chunk in chunks}
    return image.depth >= 8 and image.colour != 3 and not image.interlaced and not kinds & {b"tRNS", b"acTL"}


def lazy_samples(data: Bytes, chunks: Sequence[Chunk], image: ImageHeader, name: str) -> LazyPlane:
    """(H, W, C) samples as `remend.io.png.raster.decode_raster` gives them.

    Raises:
        DecodeError: the data are damaged or end early. PictureError: the disk is full.

    Cost: the decoded picture on disk, in the folder for temporary files; in memory, a band.
    """
    dtype = np.uint16 if image.depth == 16 else np.uint8
    scratch = Scratch((image.height, image.width, image.channels), dtype, name)
    for _, samples in decoded_bands(data, chunks, image, name):
        scratch.append(samples)
    return scratch.plane()


def repaint_file(file: BinaryIO, picture: Picture, changed: Bool) -> tuple[str, ...]:
    """The repaired PNG, written into ``file`` over whatever is there; and what the user should know.

    Args:
        file: opened for writing.
        picture: of `lazy_samples`, repaired, with its container.
        changed: (H, W) bool, a `LazyPlane`.

    Cost: inflating the source, deflating the result; a band.
    """
    container = picture.container
    assert container is not None and container.path is not None and isinstance(changed, LazyPlane)
    file.seek(0)
    file.truncate()
    with container.path.open("rb") as source:
        data, name = FileBytes(source), str(container.path)
        chunks, _ = split_chunks(data, name)
        image = read_header(data[chunks[0].content], name)
        file.write(SIGNATURE)
        unsafe: set[bytes] = set()
        first = find(chunks, b"IDAT")
        for chunk in chunks:
            if chunk is first:
                rows = _rows(data, chunks, image, picture.samples, changed, name)
                for piece in _deflated(rows, _level(data[chunk.start : chunk.start + 2])):
                    file.write(chunk_bytes(b"IDAT", piece))
            elif chunk.type != b"IDAT" and may_stay(chunk.type):
                file.write(carried(data, chunk, picture))
            elif chunk.type != b"IDAT":
                unsafe.add(chunk.type)
        notes = unsafe_notes(unsafe)
        behind = len(data) - chunks[-1].whole.stop
        if behind:
            source.seek(chunks[-1].whole.stop)
            shutil.copyfileobj(source, file, COPY_BYTES)
            notes += (f"{behind} bytes behind the picture: kept as they are, and may still show the damage",)
    return notes


def _rows(
    data: Bytes, chunks: Sequence[Chunk], image: ImageHeader, samples: Any, changed: LazyPlane, name: str
) -> Iterator[bytes]:
    """All filtered rows, in bands: the file's own, but for those that changed, and those below them."""
    touched = np.zeros(image.height + 1, bool)
    for top, _, block in changed.blocks():
        touched[top : top + block.shape[0]] |= block.any(axis=1)
    touched[1:] |= touched[:-1]
    pixel_bytes = image.channels * image.depth // 8
    for top, filtered in filtered_bands(data, chunks, image, name):
        rows = np.frombuffer(filtered, np.uint8).reshape(-1, row_bytes_of(image))
        here = np.flatnonzero(touched[top : top + len(rows)])
        if here.size:
            rows = rows.copy()
        for run in np.split(here, np.flatnonzero(np.diff(here) > 1) + 1) if here.size else ():
            first, last = top + int(run[0]), top + int(run[-1]) + 1
            raw = _raw(samples[max(0, first - 1) : last, 0 : image.width], image)
            above = raw[:-1] if first else np.concatenate([np.zeros_like(raw[:1]), raw[:-1]])
            inside = rows[run[0] : run[-1] + 1]
            inside[:, 1:] = refiltered(raw[1 if first else 0 :], above, inside[:, 0], pixel_bytes)
        yield rows.tobytes()


def refiltered(
    rows: NDArray[np.uint8], above: NDArray[np.uint8], kinds: NDArray[np.uint8], pixel_bytes: int
) -> NDArray[np.uint8]:
    """(n, bytes) rows less what their filters foretell: 0 nothing, 1 left, 2 above, 3 their mean, 4 Paeth's.

    Args:
        rows: (n, bytes), whole samples, big-endian.
        above: (n, bytes), the row above each.
        kinds: (n,) the number of each row's filter.
        pixel_bytes: how far left lies.
    """
    found = rows.copy()
    for kind in range(1, FILTERS):
        which = np.flatnonzero(kinds == kind)
        if not which.size:
            continue
        up = above[which].astype(np.int16)
        left = np.zeros_like(up)
        left[:, pixel_bytes:] = rows[which, :-pixel_bytes]
        if kind == 4:
            corner = np.zeros_like(up)
            corner[:, pixel_bytes:] = up[:, :-pixel_bytes]
            to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
            nearest = np.where(to_up <= to_corner, up, corner)
            foretold = np.where((to_left <= to_up) & (to_left <= to_corner), left, nearest)
        else:
            foretold = (left, up, (left + up) // 2)[kind - 1]
        found[which] = (rows[which] - foretold).astype(np.uint8)
    return found


def _raw(samples: NDArray[Any], image: ImageHeader) -> NDArray[np.uint8]:
    """Samples as the bytes of unfiltered rows."""
    whole = np.ascontiguousarray(samples.astype(f">u{image.depth // 8}"))
    return whole.view(np.uint8).reshape(len(samples), -1)


def _level(head: bytes) -> int:
    """How hard to compress: as the source's own stream says."""
    return LEVELS[head[1] >> 6] if len(head) == 2 else 6


def _deflated(rows: Iterator[bytes], level: int) -> Iterator[bytes]:
    """One stream, in pieces of a mebibyte or a little more."""
    encoder, waiting = zlib.compressobj(level), bytearray()
    for band in rows:
        waiting += encoder.compress(band)
        if len(waiting) >= IDAT_BYTES:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting) + encoder.flush()
