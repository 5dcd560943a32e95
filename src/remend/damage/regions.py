"""From weighed pieces to regions that a user can keep or throw away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.picture import Box, Region

__all__ = ["enlarged", "gathered", "hugs_border", "is_network", "surest"]

BANDS = (0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95)
"""Where confidence is cut: a region never mixes what is surer with what is less sure."""
FRAME_SHARE = 0.05  # of the shorter side: strips that lie no deeper are a frame's


def gathered(regions: Sequence[Region], *, cell_px: int, size: tuple[int, int]) -> list[Region]:
    """Regions that lie in touching cells of a grid, of one kind and about as sure, become one.

    Dust is a nuisance by the hundred, and a list of five hundred specks is one too.

    Args:
        regions: pieces; kinds and confidences may be mixed.
        cell_px: the grid's pitch.
        size: (height, width) of the picture.

    Returns:
        Regions in reading order; the confidence is the mean over the pixels.
    """
    groups: dict[tuple[str, int], list[Region]] = {}
    for region in regions:
        band = int(np.searchsorted(BANDS, region.confidence, side="right"))
        groups.setdefault((region.kind, band), []).append(region)
    found = []
    for members in groups.values():
        cells = np.zeros((size[0] // cell_px + 1, size[1] // cell_px + 1), np.uint8)
        for region in members:
            box = region.box
            top, left = box.top // cell_px, box.left // cell_px
            cells[top : (box.bottom - 1) // cell_px + 1, left : (box.right - 1) // cell_px + 1] = 1
        _, labels = cv2.connectedComponents(cells, connectivity=8)
        together: dict[int, list[Region]] = {}
        for region in members:
            label = int(labels[region.box.top // cell_px, region.box.left // cell_px])
            together.setdefault(label, []).append(region)
        found += [_joined(some) for some in together.values()]
    return sorted(found, key=lambda region: region.box)


def surest(regions: Sequence[Region], size: tuple[int, int]) -> list[Region]:
    """Of what was seen twice, what is surer: a region goes when half of it belongs to surer ones.

    Args:
        regions: of one picture, seen in several looks.
        size: (height, width) of the picture.

    Returns:
        The surest first; with the unsure taken away, what is left is the same.
    """
    taken = np.zeros(size, np.bool_)
    kept = []
    for region in sorted(regions, key=lambda one: -one.confidence):
        there = taken[region.box.slices]
        if 2 * np.count_nonzero(there & region.mask) < np.count_nonzero(region.mask):
            there |= region.mask
            kept.append(region)
    return kept


def _joined(regions: list[Region]) -> Region:
    """One region of several."""
    if len(regions) == 1:
        return regions[0]
    box = regions[0].box
    for region in regions[1:]:
        box = box.union(region.box)
    mask = np.zeros((box.height, box.width), np.bool_)
    for region in regions:
        mask[region.box.inside(box).slices] |= region.mask
    areas = np.array([np.count_nonzero(region.mask) for region in regions], np.float64)
    confidence = float(np.average([region.confidence for region in regions], weights=np.maximum(areas, 1)))
    return Region(box, mask, regions[0].kind, confidence)


def enlarged(region: Region, small: tuple[int, int], size: tuple[int, int]) -> Region:
    """A region seen in a reduced picture, in the picture's own pixels.

    Args:
        region: in the reduced picture.
        small: (height, width) of the reduced picture.
        size: (height, width) of the picture itself.
    """
    if small == size:
        return region
    box, mask = region.box, region.mask
    down, across = size[0] / small[0], size[1] / small[1]
    # A margin of one small pixel, for the smoothed outline bulges.
    top, left = max(0, int((box.top - 1) * down)), max(0, int((box.left - 1) * across))
    bottom = min(size[0], int(np.ceil((box.bottom + 1) * down)))
    right = min(size[1], int(np.ceil((box.right + 1) * across)))
    inside = Box(top, left, bottom, right)
    # Where the middle of each large pixel lies in the small mask.
    there = np.array(
        [
            [1 / across, 0, (left + 0.5) / across - 0.5 - box.left],
            [0, 1 / down, (top + 0.5) / down - 0.5 - box.top],
        ]
    )
    large = (
        cv2.warpAffine(
            mask.view(np.uint8) * np.uint8(255),
            there,
            (inside.width, inside.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
        )
        >= 96
    )
    tight = Box.around(large)
    if tight is None:
        return replace(region, box=inside, mask=np.ones((inside.height, inside.width), np.bool_))
    exact = Box(top + tight.top, left + tight.left, top + tight.bottom, left + tight.right)
    return replace(region, box=exact, mask=np.ascontiguousarray(large[tight.slices]))


def hugs_border(mask: NDArray[np.bool_], box: Box, size: tuple[int, ...]) -> bool:
    """Whether a piece touches a side of the picture and hardly leaves it: a frame's edge, or the scan's.

    >>> strip = np.ones((2, 50), bool)
    >>> hugs_border(strip, Box(0, 0, 2, 50), (100, 100)), hugs_border(strip, Box(40, 40, 42, 90), (100, 100))
    (True, False)
    """
    rows, columns = np.nonzero(mask)
    height, width = size[:2]
    rows, columns = rows + box.top, columns + box.left
    # To the nearest side: a strip that goes round a corner is as near as one that does not.
    aside = np.minimum(np.minimum(rows, height - 1 - rows), np.minimum(columns, width - 1 - columns))
    depth_px = max(8, round(FRAME_SHARE * min(height, width)))
    return bool(aside.min() <= 2 and np.mean(aside < depth_px) > 0.97)


def is_network(mask: NDArray[np.bool_], *, least_length_px: float = 120.0) -> bool:
    """Whether a piece branches as cracks do, and is not one stroke from end to end.

    A stroke, straight or bent, is about as long as its box's diagonal; branches make the whole longer.
    """
    padded = np.pad(mask.view(np.uint8), 1)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 3)
    inside = distance[padded > 0]
    width = max(1.0, 4 * float(inside.mean()) - 2)
    length = inside.size / width
    diagonal = float(np.hypot(*mask.shape))
    return length > least_length_px and length > 2.0 * diagonal
