"""The pixel payload of PNG files, through OpenCV's libpng, for every sample layout that PNG has.

OpenCV decodes and encodes L, RGB and RGBA of 8 and 16 bits several times as fast as Pillow, and
knows nothing of the other layouts, or changes them on the way. But a PNG filter works on bytes, not
on samples: it only knows how many bytes a pixel has. So a layout that OpenCV lacks travels under the
label of one with as many bytes a pixel:

    P 8              as   L 8
    P 1, 2, 4        as   L 1, 2, 4 (reading);  packed bytes as L 8 (writing)
    LA 8             as   L 16
    LA 16            as   RGBA 8

The carrier file holds IHDR and IDAT alone, so no colour key, gamma or orientation is applied either.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import DecodeError, FormatError
from remend.io.png.chunks import SIGNATURE, ImageHeader, chunk_bytes

__all__ = ["decode_raster", "encode_raster", "inflated", "missing_pixels", "packed"]

Array = NDArray[Any]

PIECE = 8 << 20  # bytes inflated at a time
BLOCK = 0xFFFF  # bytes of a stored deflate block
DEFLATE_RATIO = 1032  # the most that deflate can shrink
BITE = 64  # bytes inflated at a time where the data are damaged
GROUP = 4096  # blocks in an IDAT chunk, whose length must stay under 2 GiB
ROWS = 256  # rows converted at a time
ALL_FILTERS = [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_ALL_FILTERS]
NO_FILTER = [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE, cv2.IMWRITE_PNG_COMPRESSION, 6]


def decode_raster(
    header: ImageHeader, idat: list[memoryview], name: str, reached: list[int] | None = None
) -> NDArray[Any]:
    """(H, W, C) samples as stored: uint8 or uint16.

    Grey of 1, 2 and 4 bits is spread over 0–255; palette indices are as they are. RGB comes as a
    view of BGR memory, so that the encoder gets it back without a copy.

    Args:
        idat: the contents of the IDAT chunks; the list is emptied on the way, so that the file's bytes
            can go before the frame comes.
        reached: not None = where the data break off, the rest is zeros, and the bytes that came are added
            here for `missing_pixels`.

    Raises:
        DecodeError: the data are damaged or end early.
        FormatError: more than OpenCV holds (2³⁰ pixels, 2²⁰ a side).

    Cost: memory for the frame twice, once of them for the time of the call.
    """
    depth, colour = _carrier(header)
    carrier = _stored_png(header.relabelled(depth=depth, colour=colour), idat, name, reached)
    try:
        frame = cv2.imdecode(np.frombuffer(carrier, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise FormatError(
            f"{name}: {header.width}×{header.height} pixels are more than OpenCV reads from a PNG: tile it"
        ) from error
    del carrier
    if frame is None:
        raise DecodeError(f"{name}: a damaged PNG: its picture data cannot be decoded")
    samples: Array = frame if frame.ndim == 3 else frame[:, :, np.newaxis]
    if colour == 6:
        _swap_red_and_blue(samples)
    if header.colour == 2:
        return samples[:, :, ::-1]
    if header.colour == 3 and header.depth < 8:
        samples //= np.uint8(255 // ((1 << header.depth) - 1))
    if header.colour == 4:
        if header.depth == 8:
            return samples.astype(">u2").view(np.uint8)
        return samples.view(">u2").astype(np.uint16)
    return samples


def encode_raster(samples: NDArray[Any], header: ImageHeader) -> bytes:
    """The IDAT chunks, whole, that hold ``samples`` (H, W, C) under ``header``.

    Grey of fewer than 8 bits is expected in 0–255 and rounded to the nearest level; palette indices
    must fit the depth.

    Raises:
        FormatError: interlaced, or more than OpenCV writes.

    Cost: a copy of the frame, except for L, and for RGB whose memory is BGR.
    """
    if header.interlaced:
        raise FormatError("frames of an interlaced PNG cannot be written: save it without interlacing first")
    if header.depth < 8:
        carrier: Array = packed(samples[:, :, 0], header)
        parameters = NO_FILTER
    else:
        carrier = _carried(samples, header)
        parameters = NO_FILTER if header.colour == 3 else ALL_FILTERS
    try:
        _, file = cv2.imencode(".png", carrier, parameters)
    except cv2.error as error:
        raise FormatError(
            f"{header.width}×{header.height} pixels are more than OpenCV writes to a PNG: write a TIFF"
        ) from error
    data = memoryview(file)  # type: ignore[arg-type]
    kept: list[memoryview] = []
    at = 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind == b"IDAT":
            kept.append(data[at : at + length + 12])
        at += length + 12
    return b"".join(kept)


def _carrier(header: ImageHeader) -> tuple[int, int]:
    """(depth, colour) that OpenCV reads unchanged and that has as many bytes a pixel."""
    if header.colour == 3:
        return header.depth, 0
    if header.colour == 4:
        return (16, 0) if header.depth == 8 else (8, 6)
    return header.depth, header.colour


def _stored_png(
    header: ImageHeader, idat: list[memoryview], name: str, reached: list[int] | None
) -> bytearray:
    """A PNG of ``header`` whose filtered rows are stored, not compressed.

    Inflating here, not in libpng, costs about half as much time again and lets us see damage before
    libpng does: it would write to standard error, and let a file pass that holds too much.
    """
    widths = [(header.row_bytes(width) + 1, height) for _, _, _, _, width, height in header.passes]
    total = sum(row * height for row, height in widths)
    held = sum(map(len, idat))
    if total > DEFLATE_RATIO * held and reached is None:  # told before memory is taken for it
        size = f"{header.width}×{header.height}"
        raise DecodeError(f"{name}: a truncated PNG: {held} bytes of picture data cannot hold {size} pixels")
    blocks = -(-total // BLOCK)
    groups = -(-blocks // GROUP)
    png = bytearray(8 + 25 + 2 + total + 5 * blocks + 4 + 12 * groups + 12)
    png[:33] = SIGNATURE + chunk_bytes(b"IHDR", header.to_bytes())
    at = opened = 33
    done, adler = 0, 1
    broken: int | None = None

    def closed(at: int) -> int:
        """End the chunk that was opened: its length in front of it, its checksum behind it."""
        png[opened : opened + 4] = struct.pack(">I", at - opened - 8)
        png[at : at + 4] = struct.pack(">I", zlib.crc32(memoryview(png)[opened + 4 : at]))
        return at + 4

    for piece in inflated(idat, total, name, reached):
        bad = _unknown_filter(piece, done, widths)
        if bad is not None:
            if reached is None:
                raise DecodeError(f"{name}: a damaged PNG: a row has the unknown filter {piece[bad - done]}")
            broken = bad if broken is None else broken
        if broken is not None:  # what the data say from here on means nothing
            piece = piece[: max(0, broken - done)].ljust(len(piece), b"\0")
        adler = zlib.adler32(piece, adler)
        view = memoryview(piece)
        while view:
            block, inside = divmod(done, BLOCK)
            if not inside:
                if not block % GROUP:
                    at = opened = closed(at) if block else at
                    start = b"IDAT" if block else b"IDAT\x78\x01"
                    png[at + 4 : at + 4 + len(start)] = start
                    at += 4 + len(start)
                length = min(BLOCK, total - done)
                last = done + length == total
                png[at : at + 5] = struct.pack("<BHH", last, length, length ^ 0xFFFF)
                at += 5
            part = view[: BLOCK - inside]
            png[at : at + len(part)] = part
            at, done, view = at + len(part), done + len(part), view[len(part) :]
    if broken is not None and reached is not None:
        reached[:] = [min((broken, *reached))]
    png[at : at + 4] = struct.pack(">I", adler)
    at = closed(at + 4)
    png[at:] = chunk_bytes(b"IEND", b"")
    return png


def inflated(idat: list[memoryview], total: int, name: str, reached: list[int] | None) -> Iterator[bytes]:
    """The first ``total`` inflated bytes, in pieces of at most 8 MiB."""
    decoder = zlib.decompressobj()
    done = 0
    if reached is not None:  # in small bites: of the one that holds the damage nothing comes
        idat[:] = [part[at : at + BITE] for part in idat for at in range(0, len(part), BITE)]
    try:
        idat.reverse()
        while idat:
            waiting: bytes | memoryview = idat.pop()
            while len(waiting) and done < total:
                piece = decoder.decompress(waiting, min(PIECE, total - done))
                waiting = decoder.unconsumed_tail
                if not piece:
                    break
                done += len(piece)
                yield piece
    except zlib.error as error:
        if reached is None:
            raise DecodeError(
                f"{name}: a damaged PNG, its picture data break off after {done / total:.0%} ({error}): "
                "get a complete copy, or --tolerate it"
            ) from error
    if reached is not None:
        if not done:
            raise DecodeError(f"{name}: a truncated PNG of which no row came: get a complete copy")
        reached.append(done)
        for start in range(done, total, PIECE):
            yield bytes(min(PIECE, total - start))
    elif done < total:
        raise DecodeError(
            f"{name}: a truncated PNG, its picture data end after {done / total:.0%}: "
            "get a complete copy, or --tolerate it"
        )


def missing_pixels(header: ImageHeader, reached: int) -> NDArray[np.bool_]:
    """(H, W) bool: the pixels whose rows lie behind the first ``reached`` bytes."""
    missing = np.zeros((header.height, header.width), bool)
    for x, y, dx, dy, width, height in header.passes:
        row = header.row_bytes(width) + 1
        whole = min(height, reached // row)
        reached -= min(reached, height * row)
        missing[y + whole * dy :: dy, x::dx] = True
    return missing


def _unknown_filter(piece: bytes, start: int, passes: list[tuple[int, int]]) -> int | None:
    """Where the first row with a filter above 4 begins, of those in ``piece``, which lies at ``start``."""
    array = np.frombuffer(piece, np.uint8)
    begin = 0
    for row, height in passes:
        first = max(0, -(-(start - begin) // row))
        offset = begin + first * row - start
        filters = array[offset : max(0, begin + row * height - start) : row]
        if filters.size and filters.max() > 4:
            return start + offset + row * int(np.flatnonzero(filters > 4)[0])
        begin += row * height
    return None


def _swap_red_and_blue(samples: Array) -> None:
    """BGRA to RGBA or back, in place, a few rows at a time."""
    for top in range(0, len(samples), ROWS):
        rows = samples[top : top + ROWS]
        rows[...] = cv2.cvtColor(rows, cv2.COLOR_BGRA2RGBA)


def _carried(samples: Array, header: ImageHeader) -> Array:
    """``samples`` of 8 or 16 bits as the array that OpenCV writes with the same bytes."""
    if header.colour == 2:
        return np.ascontiguousarray(samples[:, :, ::-1])
    if header.colour == 4 and header.depth == 8:
        return np.ascontiguousarray(samples).view(">u2").astype(np.uint16)
    if header.colour == 4:
        samples = samples.astype(">u2").view(np.uint8)
    if header.colour in (4, 6):
        return cv2.cvtColor(np.ascontiguousarray(samples), cv2.COLOR_RGBA2BGRA)
    return np.ascontiguousarray(samples)


def packed(values: Array, header: ImageHeader) -> NDArray[np.uint8]:
    """(H, W) values as (H, packed bytes): 8 / depth of them a byte, the leftmost in the high bits."""
    depth = header.depth
    indices = values.astype(np.uint16)
    if header.colour == 0:
        indices = (indices * ((1 << depth) - 1) + 127) // 255
    height, width = indices.shape
    padded = np.zeros((height, header.row_bytes(width), 8 // depth), np.uint8)
    padded.reshape(height, -1)[:, :width] = indices
    packed = np.zeros(padded.shape[:2], np.uint8)
    for place in range(8 // depth):
        packed |= padded[:, :, place] << np.uint8(8 - depth * (place + 1))
    return packed
