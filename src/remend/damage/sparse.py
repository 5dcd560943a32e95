"""Given masks of huge pictures: read band by band, and only what is marked is kept.

What the masks of other pictures are made of (`remend.damage.given`) holds here, too; soft edges are looked
for within 64 pixels of each place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.given import EffectiveMask, dilated, effective_mask, marked_levels
from remend.damage.outlines import outlines_of, polygons_in
from remend.errors import MaskError
from remend.options import Polarity
from remend.picture import Bool, Box, Picture
from remend.planes import LazyPlane

__all__ = ["grown", "sparse_mask", "sparse_outlines"]

RIM_PX = 64
WHITE = 128
ROWS = 256


def sparse_mask(
    bands: Iterable[tuple[int, Picture]],
    size: tuple[int, int],
    *,
    polarity: Polarity = "white",
    dilate_px: int = 0,
) -> EffectiveMask:
    """The effective mask of a huge picture, as a `LazyPlane`.

    Args:
        bands: of the mask, each with the row that it begins at.
        size: (height, width) of mask and picture.
        polarity, dilate_px: as for `remend.damage.given.effective_mask`.

    Raises:
        MaskError: as there.

    Cost: a band, and the blocks of 256 px that hold something.
    """
    levels = LazyPlane(size, np.uint8)
    counts = np.zeros(256, np.int64)
    for top, band in bands:
        for begin in range(0, band.height, ROWS):
            rows = slice(begin, min(begin + ROWS, band.height))
            marked = marked_levels(Picture(band.samples[rows], band.mode, band.palette), polarity)
            counts += np.bincount(marked.ravel(), minlength=256)
            if marked.any():
                levels[top + rows.start : top + rows.stop, 0 : size[1]] = marked
    values = np.flatnonzero(counts).astype(np.uint8)
    # What the levels mean is told of them all at once, or refused.
    notes = effective_mask(Picture(values[None, :, None], "L"), (1, len(values)), soft=False).notes
    top_level = int(values[-1])
    least = WHITE if top_level >= WHITE else 1
    mask = LazyPlane(size, bool)
    soft = bool(counts[1:WHITE].any()) and least == WHITE
    for top, left, block in levels.blocks():
        box = Box(top, left, top + block.shape[0], left + block.shape[1])
        if soft:
            around = box.grown(RIM_PX, size)
            seen = Picture(levels[around.slices][..., None], "L")
            near = effective_mask(seen, (around.height, around.width)).mask if seen.samples.any() else None
            found = near[box.inside(around).slices] if near is not None else block > 0
        else:
            found = block >= least
        mask[box.slices] = found
    if soft:
        notes = (*notes, "soft edges of the mask are repaired too")
    return EffectiveMask(cast(Bool, grown(mask, dilate_px)), notes + _told(dilate_px))


def sparse_outlines(
    content: bytes, size: tuple[int, int], name: str | None, *, dilate_px: int = 0
) -> EffectiveMask:
    """The same of outlines in COCO's JSON: polygons, or boxes alone.

    Raises:
        MaskError: no such JSON; another size; or run lengths, which are of whole pictures.
    """
    annotations, drawn, notes = outlines_of(content, size, name)
    if drawn != size:
        raise MaskError(
            f"the mask's outlines are of {drawn[1]}×{drawn[0]} and the picture is {size[1]}×{size[0]}: "
            "draw them on the picture"
        )
    mask = LazyPlane(size, bool)
    for box, part in polygons_in(annotations, size):
        mask[box.slices] = mask[box.slices] | part
    return EffectiveMask(cast(Bool, grown(mask, dilate_px)), notes + _told(dilate_px))


def grown(mask: LazyPlane, by_px: int) -> LazyPlane:
    """A mask that is not in memory, dilated block by block."""
    if not by_px:
        return mask
    size = mask.shape[0], mask.shape[1]
    wide = LazyPlane(size, bool)
    for top, left, block in mask.blocks():
        box = Box(top, left, top + block.shape[0], left + block.shape[1]).grown(by_px, size)
        framed = cv2.copyMakeBorder(
            block.view(np.uint8), *_margins(box, top, left, block), cv2.BORDER_CONSTANT
        )
        wide[box.slices] = wide[box.slices] | dilated(np.asarray(framed).view(np.bool_), by_px)
    return wide


def _margins(box: Box, top: int, left: int, block: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Above, below, left and right of the block within its box."""
    return (
        top - box.top,
        box.bottom - top - block.shape[0],
        left - box.left,
        box.right - left - block.shape[1],
    )


def _told(dilate_px: int) -> tuple[str, ...]:
    return (f"mask dilated by {dilate_px} px",) if dilate_px else ()
