"""Damage of a huge picture: what it is and what is large in it by a small copy, what is fine tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from itertools import pairwise
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.damage.find import Analysis, analyse
from remend.picture import Box, Region

__all__ = ["analyse_tiles"]

TILE_PX = 2560
OVERLAP_PX = 256  # what is longer is found in parts
SMALL_PIXELS = 4_000_000  # of the small copy
LARGE = ("stain", "hole")  # kinds that a tile would show only a part of
Look = Callable[[Box], NDArray[np.uint8]]


def analyse_tiles(
    look: Look,
    size: tuple[int, int],
    *,
    sensitivity: float = 0.5,
    kinds: Collection[str],
    force: bool = False,
) -> Analysis:
    """`remend.damage.find.analyse` of a picture that is not in memory.

    What it is (photograph, document …) and its stains and torn parts are told by a copy of four megapixels;
    all else by tiles, each judged as a picture of its own. What crosses a tile's border belongs to the tile
    that holds the middle of what it sees of it.

    Args:
        look: what a box shows, (h, w) or (h, w, 3) uint8.
        size: (height, width) of the picture.
        sensitivity, kinds, force: as there.

    Cost: some .5 s a megapixel of two cores, a tile of 9 megapixels at a time.
    """
    small = _small(look, size)
    whole = analyse(small, sensitivity=sensitivity, kinds=set(kinds), force=force)
    if whole.nature != "photograph" and not force:
        return whole
    large = [
        _enlarged(one, (small.shape[0], small.shape[1]), size) for one in whole.regions if one.kind in LARGE
    ]
    fine = set(kinds) - set(LARGE)
    regions: list[Region] = []
    left: list[Region] = []
    fainter, notes = 0.0, dict.fromkeys(whole.notes)
    for core in _cores(size) if fine else ():
        box = core.grown(OVERLAP_PX, size)
        found = analyse(look(box), sensitivity=sensitivity, kinds=fine, force=force)
        fainter = max(fainter, found.fainter)
        regions += _own(found.regions, box, core)
        # Of a tile that is torn off nothing more is known than that it is a tile.
        left += [one for one in _own(found.left, box, core) if one.kind not in LARGE]
        if found.nature == "photograph":
            notes |= dict.fromkeys(found.notes)
    return replace(
        whole,
        regions=tuple(sorted((*regions, *large), key=lambda one: (one.kind, one.box))),
        left=tuple(left),
        fainter=max(fainter, whole.fainter),
        notes=tuple(notes),
    )


def _small(look: Look, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The picture made smaller, rows of it at a time."""
    height, width = size
    step = max(1, ceil((height * width / SMALL_PIXELS) ** 0.5))
    parts = []
    for top in range(0, height, 32 * step):
        band = look(Box(top, 0, min(top + 32 * step, height), width))
        to = max(1, width // step), max(1, band.shape[0] // step)
        parts.append(cv2.resize(band, to, interpolation=cv2.INTER_AREA))
    return np.concatenate(parts)


def _cores(size: tuple[int, int]) -> Iterator[Box]:
    """The picture in parts of one size, as nearly as that goes."""
    tops, lefts = (
        np.linspace(0, side, max(1, ceil(side / TILE_PX)) + 1).round().astype(int).tolist() for side in size
    )
    for top, bottom in pairwise(tops):
        for left, right in pairwise(lefts):
            yield Box(top, left, bottom, right)


def _own(regions: Collection[Region], box: Box, core: Box) -> list[Region]:
    """Those whose middle lies in the tile's own part, in the picture's coordinates."""
    found = []
    for one in regions:
        at = Box(
            one.box.top + box.top, one.box.left + box.left, one.box.bottom + box.top, one.box.right + box.left
        )
        middle = (at.top + at.bottom) / 2, (at.left + at.right) / 2
        if core.top <= middle[0] < core.bottom and core.left <= middle[1] < core.right:
            found.append(replace(one, box=at))
    return found


def _enlarged(region: Region, small: tuple[int, int], size: tuple[int, int]) -> Region:
    """A region of the small copy in the picture's own pixels."""
    down, across = size[0] / small[0], size[1] / small[1]
    box = Box(
        round(region.box.top * down),
        round(region.box.left * across),
        round(region.box.bottom * down),
        round(region.box.right * across),
    )
    mask = cv2.resize(region.mask.view(np.uint8), (box.width, box.height), interpolation=cv2.INTER_NEAREST)
    return replace(region, box=box, mask=np.asarray(mask).view(np.bool_))
