"""A PNG band by band: as many rows at a time as are wanted, so that none is too large.

A row is filtered against the one above it. So each band is decoded as a picture of its own, whose first row
is the last one of the band before, stored without a filter.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from remend.io.codec import Source
from remend.io.png.chunks import find, read_header, read_palette, split_chunks
from remend.io.png.raster import decode_raster, inflated, packed
from remend.picture import Mode, Picture

__all__ = ["png_bands"]

ROWS = 256
MODES: dict[int, Mode] = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}


def png_bands(source: Source) -> Iterator[tuple[int, Picture]] | None:
    """(row that it begins at, band of the picture as stored) from the top on; None for an interlaced PNG.

    Raises:
        DecodeError: when the band is asked for in which the data are damaged or end.

    Cost: the file, and a band.
    """
    data = source.read_bytes()
    chunks, _ = split_chunks(data, source.name, tolerate=False)
    image = read_header(data[chunks[0].content], source.name)
    if image.interlaced:
        return None
    contents = {kind: find(chunks, kind) for kind in (b"PLTE", b"tRNS")}
    plte, trns = (data[one.content] if one else b"" for one in contents.values())
    palette = read_palette(plte, trns, source.name) if image.colour == 3 else None
    view = memoryview(data)
    idat = [view[chunk.content] for chunk in chunks if chunk.type == b"IDAT"]
    row_bytes = image.row_bytes(image.width) + 1

    def bands() -> Iterator[tuple[int, Picture]]:
        waiting, above, top = bytearray(), b"", 0
        for piece in inflated(idat, row_bytes * image.height, source.name, None):
            waiting += piece
            while waiting and (
                len(waiting) >= ROWS * row_bytes or top + len(waiting) // row_bytes == image.height
            ):
                rows = min(ROWS, image.height - top)
                filtered = above + bytes(waiting[: rows * row_bytes])
                del waiting[: rows * row_bytes]
                more = int(bool(above))
                part = replace(image, height=rows + more)
                samples = decode_raster(part, [memoryview(zlib.compress(filtered, 1))], source.name)[more:]
                last = samples[-1:]
                if image.depth < 8:
                    above = packed(last[:, :, 0], image).tobytes()
                else:
                    above = np.ascontiguousarray(last.astype(">u2") if image.depth == 16 else last).tobytes()
                above = b"\0" + above
                yield top, Picture(samples, MODES[image.colour], palette)
                top += rows

    return bands()
