"""What a JPEG that is cut short still holds: completed with empty blocks, which are marked as missing."""

from __future__ import annotations

import cv2
import numpy as np

from remend.errors import DecodeError
from remend.io.jpeg.blocks import block_counts
from remend.io.jpeg.libjpeg import BlockRows, TranscodeError, transcode
from remend.io.jpeg.markers import Stream
from remend.picture import Bool

__all__ = ["part_missing"]


def part_missing(stream: Stream, name: str) -> tuple[Bool, bytes] | None:
    """Which pixels are missing, (H, W) bool in stored order, and the completed file; None for a whole one.

    libjpeg leaves blocks that never came at zero. So missing is what lies behind the last block that is
    not, and the unit of that block, which may have come in part. A progressive file whose first pass came
    through has no missing pixels, only fewer details.

    Raises:
        DecodeError: nothing came at all.
    """
    frame = stream.frame
    units = -(-frame.height // (8 * frame.v_max)), -(-frame.width // (8 * frame.h_max))
    came = np.zeros(units, bool)

    def look(rows: BlockRows) -> None:
        sizes = zip(frame.components, block_counts(frame), strict=True)
        for index, (component, (tall, wide)) in enumerate(sizes):
            for row in range(tall):
                columns = np.flatnonzero(rows(index, row)[:wide].any(axis=1)) // component.h
                came[row // component.v, columns] = True

    try:
        whole, warnings = transcode(stream.coding, look)
    except TranscodeError:
        return None
    if stream.ended and not any("premature end" in warning for warning in warnings):
        return None
    last = np.flatnonzero(came)
    if not last.size or not last[-1]:
        raise DecodeError(f"{name}: a truncated JPEG of which nothing came: get a complete copy")
    lost = np.arange(came.size) >= last[-1]
    if last[-1] == came.size - 1:
        lost[:] = False
    grid = lost.reshape(units)
    pixels = np.repeat(np.repeat(grid, 8 * frame.v_max, axis=0), 8 * frame.h_max, axis=1)
    pixels = pixels[: frame.height, : frame.width]
    if (frame.v_max, frame.h_max) != (1, 1):  # decoders draw chroma from the blocks beside, too
        pixels = cv2.dilate(pixels.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    return pixels, bytes(whole)
