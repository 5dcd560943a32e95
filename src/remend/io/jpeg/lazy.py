"""A huge JPEG: its pixels decoded once into a file, and its coefficients, in another, written back with the
blocks repainted that the mask touches."""

from __future__ import annotations

import numpy as np

from remend.errors import DecodeError
from remend.io.jpeg.blocks import Units, touched_units
from remend.io.jpeg.libjpeg import TranscodeError, decode_rows
from remend.io.jpeg.markers import Stream
from remend.io.scratch import Scratch, no_room
from remend.planes import BLOCK_PX, LazyPlane

__all__ = ["lazy_samples", "may_be_lazy", "units_of"]


def may_be_lazy(stream: Stream) -> bool:
    """Whether this one can be: grey or colours of 8 bits, whole, with no further pictures behind it."""
    frame = stream.frame
    return (
        frame.precision == 8
        and not frame.lossless
        and len(frame.components) in (1, 3)
        and stream.ended
        and b"\xff\xd8\xff" not in stream.tail
        and not any(BLOCK_PX % (8 * most) for most in (frame.v_max, frame.h_max))
    )


def lazy_samples(stream: Stream, name: str) -> tuple[LazyPlane, list[str]]:
    """(H, W, C) uint8 samples, L or RGB, and libjpeg's warnings.

    Raises:
        DecodeError: libjpeg cannot read it. PictureError: the disk is full.

    Cost: the decoded picture on disk, in the folder for temporary files, and of a progressive one 2 bytes a
    coefficient, too; in memory the coded file.
    """
    frame = stream.frame
    scratch = Scratch((frame.height, frame.width, len(frame.components)), np.uint8, name)
    try:
        warnings = decode_rows(stream.coding, scratch.append)
    except TranscodeError as error:
        raise DecodeError(f"{name}: truncated or damaged JPEG: {error}") from error
    except OSError as error:
        raise no_room(name, 2 * frame.height * frame.width * len(frame.components), error) from error
    return scratch.plane(), warnings


def units_of(samples: LazyPlane, changed: LazyPlane, unit: tuple[int, int]) -> Units:
    """`touched_units` of planes that are not in memory; a unit's sides divide those of their blocks."""
    found: list[Units] = []
    for top, left, block in changed.blocks():
        if not block.any():
            continue
        part = samples[top : top + block.shape[0], left : left + block.shape[1]]
        one = touched_units(part, block, unit)
        found.append(Units(one.rows + top // unit[0], one.columns + left // unit[1], one.pixels, one.mask))
    rows, columns, pixels, mask = (
        np.concatenate([getattr(one, name) for one in found])
        for name in ("rows", "columns", "pixels", "mask")
    )
    order = np.lexsort((columns, rows))  # as they come where all is in memory
    return Units(rows[order], columns[order], pixels[order], mask[order])
